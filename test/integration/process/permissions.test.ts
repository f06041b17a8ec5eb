import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { attempt, run } from '../../../lab/command.ts';
import { eventually } from '../../../lab/polling.ts';
import { asNobodyWith } from './rights.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const UNIT = join(REPOSITORY, 'examples/systemd/kvm-overcommit-exporter.service');
/** Whose process is read: neither root's nor the reader's, as a guest's is libvirt-qemu's. */
const GUEST_USER = 12_346;

describe('what the README says of permissions', () => {
  let guest: ChildProcess;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'images-'));
    await writeFile(join(directory, 'disk.raw'), '');
    await chmod(directory, 0o700);
    guest = spawn('setpriv', [
      `--reuid=${GUEST_USER}`,
      `--regid=${GUEST_USER}`,
      '--clear-groups',
      'sleep',
      '600',
    ]);
    await eventually('the process is that of its program', 5000, async () => {
      return (await readFile(`/proc/${guest.pid}/comm`, 'utf8')) === 'sleep\n';
    });
  });

  afterAll(async () => {
    guest.kill('SIGKILL');
    await rm(directory, { recursive: true });
  });

  const readable = async (...capabilities: readonly string[]): Promise<unknown> => {
    // The checkout may be in root's home: seen from elsewhere, all may read it.
    const script = 'mount --bind "$1" /mnt; shift; exec "$@"';
    const seen = (path: string) => path.replace(REPOSITORY, '/mnt');
    return JSON.parse(
      await run('unshare', [
        ...['--mount', 'sh', '-ec', script, 'sh', REPOSITORY],
        ...asNobodyWith(...capabilities),
        seen(process.execPath),
        seen(join(import.meta.dirname, 'tell-what-can-be-read.ts')),
        String(guest.pid),
        join(directory, 'disk.raw'),
      ]),
    );
  };

  it('KSM of a guest and closed directories want CAP_DAC_READ_SEARCH', async () => {
    expect(await readable('dac_read_search')).toEqual({ ksm: true, smaps: false, image: true });
  });

  it('proportional memory wants CAP_SYS_PTRACE as well', async () => {
    expect(await readable('dac_read_search', 'sys_ptrace')).toEqual({
      ksm: true,
      smaps: true,
      image: true,
    });
  });

  it('without either there is none of them', async () => {
    expect(await readable()).toEqual({ ksm: false, smaps: false, image: false });
  });
});

describe('the systemd unit', () => {
  it('is one systemd has nothing to say about', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'unit-'));
    try {
      const file = join(directory, 'kvm-overcommit-exporter.service');
      const text = await readFile(UNIT, 'utf8');
      expect(text).toContain('=/opt/kvm-overcommit-exporter/bin/');
      await writeFile(file, text.replaceAll('/opt/kvm-overcommit-exporter', REPOSITORY));
      const { status, stdout, stderr } = await attempt('systemd-analyze', [
        'verify',
        '--man=no',
        file,
      ]);
      expect([status, stdout, stderr]).toEqual([0, '', '']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('gives the capability that KSM and images need, and no other', async () => {
    const text = await readFile(UNIT, 'utf8');
    expect(/^AmbientCapabilities=(.*)$/m.exec(text)?.[1]).toBe('CAP_DAC_READ_SEARCH');
    expect(/^CapabilityBoundingSet=(.*)$/m.exec(text)?.[1]).toBe('CAP_DAC_READ_SEARCH');
  });
});
