import { expect, it } from 'vitest';

import { readProject } from '../../../packaging/project.ts';
import { releaseFaults, whatIsLeft } from '../../../packaging/release-steps.ts';

const FIT = {
  version: '1.2.3',
  author: 'A Person <a.person@debian.org>',
  changelog: '# Changelog\n\n## 1.2.3 / 2026-11-26\n\n- x\n',
  changedFiles: [],
  tags: ['v1.2.3'],
};

it('releases a clean checkout at the tag of its version, with its changes listed', () => {
  expect(releaseFaults(FIT)).toEqual([]);
});

it.each([
  [{ changedFiles: [' M src/main.ts'] }, /not committed: {2}M src\/main.ts/],
  [{ changelog: '# Changelog\n\n## Unreleased\n' }, /no section "## 1\.2\.3"/],
  [{ author: 'Nobody <maintainers@example.org>' }, /nobody can write .*maintainers@example\.org/],
  [{ author: 'Nobody <maintainers@some.invalid>' }, /nobody can write/],
  [{ tags: ['v1.2.2'] }, /no tag v1\.2\.3/],
])('releases nothing with %o', (change, fault) => {
  expect(releaseFaults({ ...FIT, ...change })).toEqual([expect.stringMatching(fault)]);
});

it('asks a person for a maintainer while there is only an example of one', () => {
  const project = readProject();
  expect(whatIsLeft({ ...project, author: 'Nobody <x@example.org>' })).toMatch(
    /^0\. Set "author"/m,
  );
  expect(whatIsLeft({ ...project, author: 'A Person <a@debian.org>' })).not.toContain('0. Set');
});

it('names for a person the files of this version', () => {
  const text = whatIsLeft(readProject());
  expect(text).toContain(`out/kvm-overcommit-exporter_${readProject().version}_npm.tgz`);
  expect(text).toMatch(/sign/i);
});
