import { describe, expect, it } from 'vitest';

import { controlFile, debianVersion } from '../../../packaging/formats/deb.ts';
import { compareVersions } from '../../../packaging/elf.ts';
import { copyrightLines } from '../../../packaging/licences.ts';
import { readProject } from '../../../packaging/project.ts';
import {
  bashCompletion,
  fishCompletion,
  zshCompletion,
} from '../../../packaging/text/completions.ts';
import { manPage } from '../../../packaging/text/man-page.ts';
import { policyExample } from '../../../packaging/text/policy-example.ts';
import { flagsFile, sysusers, unit } from '../../../packaging/text/unit.ts';
import { parseFlags } from '../../../src/config/flags.ts';
import { parsePolicy } from '../../../src/config/policy-file.ts';
import { DEFAULT_POLICY } from '../../../src/config/policy.ts';
import { COLLECTORS } from '../../../src/model/collectors.ts';

/** The flags as `--help` prints them, which nothing in packaging/ reads. */
function flagsOfHelp(...subcommand: readonly string[]): readonly string[] {
  const help = parseFlags(
    [...subcommand, '--help'],
    COLLECTORS.map(({ name, help: text, enabledByDefault }) => ({
      name,
      help: text,
      defaultEnabled: enabledByDefault,
    })),
    '',
  );
  if (help.kind !== 'exit') throw new Error('--help does not end');
  return [...help.stdout.matchAll(/^ {2}(?:-\w, )?(--[\w.-]+)/gm)].map(([, flag]) => flag ?? '');
}

const NEGATIONS = COLLECTORS.map(({ name }) => `--no-collector.${name}`);
const OF_REPORT = flagsOfHelp('report').filter((flag) => flag !== '--help');
const project = readProject();

describe('the manual page', () => {
  const page = manPage(project, '2026-11-26');

  it('describes each flag of --help, in the same order', () => {
    const described = [...page.matchAll(/^\.TP\n\\fB(\\-\\-[^ \n]*?)\\fR/gm)].map(([, flag]) =>
      flag?.replaceAll('\\-', '-'),
    );
    expect(described.length).toBeGreaterThan(30);
    expect(described).toEqual([...flagsOfHelp(), ...OF_REPORT]);
    expect(OF_REPORT).toEqual(['--interval', '--json']);
  });

  it('has no line that roff takes for a request it does not know', () => {
    const requests = page.split('\n').filter((line) => /^[.']/.test(line));
    const known = /^\.(TH|SH|TP|PP|B|BI|BR|RI|I|UR|UE)\b/;
    expect(requests.filter((line) => !known.test(line))).toEqual([]);
  });
});

describe('completions', () => {
  const flags = [...flagsOfHelp(), ...NEGATIONS, ...OF_REPORT];

  it.each([
    ['bash', bashCompletion(), (flag: string) => flag],
    ['zsh', zshCompletion(), (flag: string) => flag],
    ['fish', fishCompletion(), (flag: string) => `-l ${flag.slice(2)} `],
  ])('for %s offer every flag, and those that switch a collector off', (_, text, written) => {
    expect(flags.filter((flag) => !text.includes(written(flag)))).toEqual([]);
  });

  it('offer the values a flag can have', () => {
    expect(bashCompletion()).toContain("compgen -W 'debug info warn error'");
    expect(zshCompletion()).toContain(':(debug info warn error)');
    expect(fishCompletion()).toContain("-x -a 'debug info warn error'");
  });
});

describe('the policy file a package installs', () => {
  it('changes nothing as it is', () => {
    expect(parsePolicy(policyExample(), 'policy.yaml')).toEqual({
      ok: true,
      value: DEFAULT_POLICY,
    });
  });

  it('is the built-in policy with every mark taken away, no key forgotten or misspelt', () => {
    const text = policyExample()
      .split('\n')
      .flatMap((line) => (/^# (?! )/.test(line) ? [] : [line.replace(/^#/, '')]))
      .join('\n');
    for (const { resource, name } of DEFAULT_POLICY.limits) {
      expect(text).toMatch(new RegExp(`^${resource}:\\n(?:  .*\\n)*  ${name}:`, 'm'));
    }
    const parsed = parsePolicy(text, 'policy.yaml');
    if (!parsed.ok) throw new Error(parsed.error.join('; '));
    const { origins, ...policy } = parsed.value;
    expect(policy).toEqual(DEFAULT_POLICY);
    expect(new Set(origins?.map(({ origin, file }) => `${origin} ${file}`))).toEqual(
      new Set(['policy_file policy.yaml']),
    );
  });
});

describe('the unit of a package', () => {
  const text = unit('/etc/sysconfig/kvm-overcommit-exporter');

  it("starts the package's program as the package's user, with flags from its file", () => {
    expect(text).toContain('\nExecStart=/usr/bin/kvm-overcommit-exporter $OPTIONS\n');
    expect(text).toContain('\nEnvironmentFile=-/etc/sysconfig/kvm-overcommit-exporter\n');
    expect(sysusers()).toMatch(/^u kvm-overcommit-exporter - /);
    expect(text).toContain('\nUser=kvm-overcommit-exporter\n');
    expect(text).not.toContain('DynamicUser');
    expect(text).not.toContain('/opt/');
  });

  it('sets itself what a user made for the occasion would imply (systemd.exec, DynamicUser=)', () => {
    for (const line of [
      'RemoveIPC=yes',
      'PrivateTmp=yes',
      'NoNewPrivileges=yes',
      'RestrictSUIDSGID=yes',
      'ProtectSystem=strict',
      'ProtectHome=read-only',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
  });

  it('has flags the program takes', () => {
    const [, options = ''] = /^OPTIONS="(.*)"$/m.exec(flagsFile()) ?? [];
    expect(parseFlags(options.split(' '), [], '').kind).toBe('run');
  });
});

describe('the control file of Debian', () => {
  it('has the version of package.json and the processor by its name there', () => {
    const text = controlFile(project, 'arm64', 1234);
    expect(text).toContain(`\nVersion: ${project.version}-1\n`);
    expect(text).toContain('\nArchitecture: arm64\n');
    expect(text).toMatch(/\nDepends: .*libatomic1/);
    expect(text.split('\n').every((line) => line.length <= 200)).toBe(true);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('sorts what comes before a release before it', () => {
    expect(debianVersion({ ...project, version: '1.2.0-rc.1' })).toBe('1.2.0~rc.1-1');
  });
});

it('compares versions by their numbers', () => {
  expect(compareVersions('2.9', '2.28')).toBeLessThan(0);
  expect(compareVersions('3.4.21', '3.4.21')).toBe(0);
  expect(compareVersions('1.3.11', '1.3')).toBeGreaterThan(0);
});

it('finds whose the work is in a licence, however it is written', () => {
  const of = (text: string) =>
    copyrightLines({ name: 'thing', version: '1', licence: 'MIT', text });
  expect(of('MIT\n\nCopyright (c) 2014 A B <a@b.c>\n\n(c) 2015 D')).toEqual([
    'Copyright (c) 2014 A B <a@b.c>',
    '(c) 2015 D',
  ]);
  expect(of('copyright notice and this permission notice shall be included')).toEqual([
    'Copyright contributors of thing',
  ]);
});
