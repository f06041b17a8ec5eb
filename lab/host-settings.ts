import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';
import type { Journal } from './journal.ts';
import { eventually } from './polling.ts';

/** Settings of /sys/kernel/mm/ksm, by file name (linux Documentation/admin-guide/mm/ksm.rst). */
export type KsmSettings = Readonly<
  Partial<
    Record<
      | 'run'
      | 'pages_to_scan'
      | 'sleep_millisecs'
      | 'merge_across_nodes'
      | 'max_page_sharing'
      | 'use_zero_pages'
      | 'smart_scan',
      number
    >
  >
>;

const KSM = '/sys/kernel/mm/ksm';
const HUGE_PAGES = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';

/** Changes KSM for the whole host until the lab ends. */
export function setKsm(settings: KsmSettings, journal: Journal): void {
  for (const [name, value] of Object.entries(settings)) {
    changeSetting(join(KSM, name), String(value), journal);
  }
}

/** What KSM says now, e.g. `ksmCounter('pages_sharing')`. */
export function ksmCounter(name: string): number {
  return Number(readFileSync(join(KSM, name), 'utf8').trim());
}

/**
 * Reserves 2 MiB huge pages until the lab ends.
 *
 * @throws Error when memory is too fragmented for that many.
 */
export function reserveHugePages(count: number, journal: Journal): void {
  changeSetting(HUGE_PAGES, String(count), journal);
  const got = Number(readFileSync(HUGE_PAGES, 'utf8'));
  if (got < count) throw new Error(`only ${got} of ${count} huge pages available`);
}

/** Makes a swap file and swaps to it until the lab ends. Not on btrfs, which needs more care. */
export async function addSwapFile(path: string, sizeMib: number, journal: Journal): Promise<void> {
  await run('fallocate', ['-l', `${sizeMib}MiB`, path]);
  await run('chmod', ['600', path]);
  await run('mkswap', [path]);
  journal.record({ kind: 'swap', path });
  await run('swapon', [path]);
}

/** Writes a kernel file and has the journal put the old value back at the end. */
export function changeSetting(path: string, value: string, journal: Journal): () => void {
  if (!existsSync(path)) throw new Error(`this kernel has no ${path}`);
  // An enumeration shows all its values with the current one in brackets.
  const shown = readFileSync(path, 'utf8').trim();
  const before = /\[(\S+)\]/.exec(shown)?.[1] ?? shown;
  journal.record({ kind: 'setting', path, value: before });
  writeFileSync(path, value);
  return () => {
    if (existsSync(path)) writeFileSync(path, before);
  };
}

/**
 * Writes a memory limit that may be below what is used. The v1 kernel refuses with EBUSY when one attempt at
 * reclaim frees nothing (linux Documentation/admin-guide/cgroup-v1/memory.rst, mm/memcontrol-v1.c), which it may
 * do of pages used a moment ago: it is asked again.
 *
 * @throws Error when it still refuses after a minute, or for any other reason
 */
export function limitMemory(path: string, bytes: number, journal: Journal): Promise<() => void> {
  return eventually(`${path} takes ${bytes} bytes`, 60_000, () => {
    try {
      return changeSetting(path, String(bytes), journal);
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw error;
    }
  });
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EBUSY';
}
