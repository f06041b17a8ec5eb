import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';
import { startExporterThrough } from './exporter-process.ts';

/** What was executed, in order, with all arguments: successes only. */
async function executed(trace: string): Promise<readonly string[]> {
  const text = await readFile(trace, 'utf8');
  return text.split('\n').filter((line) => /execve\(.*(?:\) = 0|<unfinished \.\.\.>)$/.test(line));
}

describe('a running exporter', () => {
  it('starts no program but its own file worker', async () => {
    await using daemon = await PrivateDaemon.start();
    const directory = await mkdtemp(join(tmpdir(), 'programs-'));
    const trace = join(directory, 'trace');
    try {
      await using exporter = await startExporterThrough(
        // -D: the exporter is the child, and strace beside it.
        ['strace', '-D', '-f', '-qq', '-s', '300', '-e', 'trace=execve', '-o', trace],
        `--libvirt.uri=${daemon.uri}`,
      );
      const scrape = async (path: string): Promise<string> =>
        (await fetch(`${exporter.url}${path}`)).text();
      // The guest of libvirt's test driver has a disk, for which a file worker is asked.
      await eventually('its guest, disk and inventory are there', 60_000, async () => {
        const text = await scrape('/metrics');
        return (
          text.includes('kvm_domain_info{') &&
          text.includes('kvm_host_info{') &&
          text.includes('\nkvm_host_file_handles_allocated ') &&
          (await executed(trace)).some((line) => line.includes('file-worker.js'))
        );
      });
      await scrape('/');
      await scrape('/metrics?collect[]=smaps&collect[]=perf&collect[]=job');

      const programs = await executed(trace);
      const start = programs.findIndex((line) => line.includes('/dist/main.js'));
      expect(start).toBeGreaterThan(-1);
      const others = programs.slice(start + 1).filter((line) => !line.includes('file-worker.js'));
      expect(others).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 120_000);
});
