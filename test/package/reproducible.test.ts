import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';

import { programNeeds } from '../../packaging/elf.ts';
import { run } from '../../lab/command.ts';
import { builtFile, VERSION } from './support/files.ts';

const sums = (build: 'first' | 'again') =>
  readFileSync(join(inject('built')[build], 'SHA256SUMS'), 'utf8')
    .trim()
    .split('\n');

describe('what npm run package builds', () => {
  it('is the same to the byte when it is built once more elsewhere', () => {
    const again = sums('again');
    // Executable, .deb, .rpm, image, npm package, manifest, bill of materials.
    expect(again.length).toBe(7);
    expect(sums('first').filter((line) => !/arm64|aarch64/.test(line))).toEqual(again);
  });

  it('has checksums that sha256sum finds right', async () => {
    const text = await run('sh', ['-c', `cd ${inject('built').first} && sha256sum -c SHA256SUMS`]);
    expect(text.match(/: OK$/gm)?.length).toBe(11);
  });

  it('carries the version of package.json in every name', () => {
    expect(sums('first').filter((line) => !line.includes(VERSION))).toEqual([]);
  });
});

describe('the executable', () => {
  it('needs no newer libraries than RHEL 8 and Debian 10 have', async () => {
    const needs = await programNeeds(builtFile('first', '_linux_amd64'));
    expect(needs.machine).toContain('X86-64');
    expect(needs.versions.get('GLIBC')).toBe('2.28');
    expect(needs.libraries).toContain('libatomic.so.1');
  });

  it('for arm64 is one for arm64 with the same needs; it cannot be run here', async () => {
    const needs = await programNeeds(builtFile('first', '_linux_arm64'));
    expect(needs.machine).toBe('AArch64');
    expect(needs.interpreter).toBe('/lib/ld-linux-aarch64.so.1');
    expect(needs.versions.get('GLIBC')).toBe('2.28');
    const bytes = readFileSync(builtFile('first', '_linux_arm64'));
    expect(bytes.includes('Prometheus exporter for over-committed KVM hosts')).toBe(true);
    const fields = await run('dpkg-deb', ['-f', builtFile('first', '_arm64.deb'), 'Architecture']);
    expect(fields.trim()).toBe('arm64');
  });
});
