import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { attempt } from './command.ts';
import { thaw } from './freezer.ts';
import { isThisBoot, ourselves, readOwner } from './ownership.ts';
import {
  isAlive,
  processesInMountNamespace,
  signal,
  waitForEnd,
  type ProcessIdentity,
} from './process-identity.ts';

const processIdentity = z.object({ pid: z.number(), startTime: z.string() });

/**
 * One thing a lab has made or changed outside its own directory, with what is needed to undo it.
 * - `namespace`: every process in this mount namespace is the lab's.
 * - `setting`: a kernel file and what it held before.
 * - `cgroup`: a cgroup directory of the lab, with all below it.
 * - `freezer`: a v1 freezer cgroup; its threads cannot even be killed before they are thawed.
 * - `directory`: a directory made for a mount point, removed if empty.
 */
const resource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('process'), ...processIdentity.shape }),
  z.object({ kind: z.literal('namespace'), name: z.string() }),
  z.object({ kind: z.literal('mount'), path: z.string() }),
  z.object({ kind: z.literal('loop'), file: z.string() }),
  z.object({ kind: z.literal('swap'), path: z.string() }),
  z.object({ kind: z.literal('netns'), name: z.string() }),
  z.object({ kind: z.literal('link'), name: z.string() }),
  z.object({ kind: z.literal('cgroup'), path: z.string() }),
  z.object({ kind: z.literal('freezer'), path: z.string() }),
  z.object({ kind: z.literal('directory'), path: z.string() }),
  z.object({ kind: z.literal('setting'), path: z.string(), value: z.string() }),
]);

export type LabResource = z.infer<typeof resource>;

const JOURNAL = 'journal';
const CLEANER = 'cleaner';

/**
 * Where a lab writes down what it makes, so that anyone can undo it after a crash: before it is
 * made, save for processes, which have no number before.
 */
export class Journal {
  readonly #path: string;

  constructor(labDirectory: string) {
    this.#path = join(labDirectory, JOURNAL);
  }

  record(entry: LabResource): void {
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }
}

/**
 * Undoes everything in a lab's journal and removes its directory. Safe to call for a lab whose
 * owner crashed at any point, twice, and from several processes: only one does the work. Does
 * nothing when the directory is no longer that of the lab with this token.
 *
 * @throws Error when something is left, with the directory kept so that a later call can go on.
 */
export async function undo(labDirectory: string, token: string | undefined): Promise<void> {
  if (!(await becomeCleaner(labDirectory, token))) return;
  const left: string[] = [];
  const owner = readOwner(labDirectory);
  if (owner === undefined || isThisBoot(owner)) {
    const entries = readJournal(labDirectory);
    for (const entry of entries) if (entry.kind === 'freezer') thaw(entry.path);
    await endProcesses(entries);
    for (const entry of entries.toReversed()) {
      const problem = await undoOne(entry);
      if (problem !== undefined) left.push(problem);
    }
  }
  const mounted = mountPoints().filter((path) => path.startsWith(`${labDirectory}/`));
  if (mounted.length > 0) left.push(`still mounted: ${mounted.join(', ')}`);
  if (left.length > 0) {
    rmSync(join(labDirectory, CLEANER), { force: true });
    throw new Error(`${labDirectory} not cleaned up: ${left.join('; ')}`);
  }
  // Renamed first: the next lab may take the name while the files are still being removed.
  const gone = join(dirname(labDirectory), `gone-${randomUUID()}`);
  renameSync(labDirectory, gone);
  rmSync(gone, { recursive: true, force: true });
}

/** True if we are to clean; false when another process has done it. */
async function becomeCleaner(labDirectory: string, token: string | undefined): Promise<boolean> {
  const path = join(labDirectory, CLEANER);
  for (;;) {
    if (!existsSync(labDirectory) || readOwner(labDirectory)?.token !== token) return false;
    try {
      writeFileSync(path, JSON.stringify(ourselves()), { flag: 'wx' });
    } catch {
      const other = readIdentity(path);
      if (other !== undefined && isAlive(other)) await sleep(100);
      else rmSync(path, { force: true });
      continue;
    }
    if (readOwner(labDirectory)?.token === token) return true;
    rmSync(path, { force: true });
    return false;
  }
}

async function endProcesses(entries: readonly LabResource[]): Promise<void> {
  const named = entries.filter((entry) => entry.kind === 'process');
  const namespaces = entries.filter((entry) => entry.kind === 'namespace');
  // Again until none is left: a daemon may have started one more guest while it was being ended.
  for (let round = 0; round < 10; round++) {
    const processes: ProcessIdentity[] = [
      ...named.filter(isAlive),
      ...namespaces.flatMap((entry) => processesInMountNamespace(entry.name)),
    ];
    if (processes.length === 0) return;
    for (const one of processes) signal(one, 'SIGKILL');
    await waitForEnd(processes, 20_000);
  }
}

async function undoOne(entry: LabResource): Promise<string | undefined> {
  switch (entry.kind) {
    case 'process':
    case 'namespace':
      return undefined;
    case 'mount':
      return unmount(entry.path);
    case 'loop':
      return detachLoops(entry.file);
    case 'swap':
      if (!readFileSync('/proc/swaps', 'utf8').includes(`${entry.path} `)) return undefined;
      return failure(await attempt('swapoff', [entry.path], { timeoutMs: 300_000 }));
    case 'netns':
      if (!existsSync(`/run/netns/${entry.name}`)) return undefined;
      return failure(await attempt('ip', ['netns', 'delete', entry.name]));
    case 'link':
      if (!existsSync(`/sys/class/net/${entry.name}`)) return undefined;
      return failure(await attempt('ip', ['link', 'delete', entry.name]));
    case 'freezer':
    case 'cgroup':
      return removeCgroup(entry.path);
    case 'directory':
      try {
        rmdirSync(entry.path);
      } catch {
        // Not empty or gone: then it is not ours to remove.
      }
      return undefined;
    case 'setting':
      try {
        if (existsSync(entry.path)) writeFileSync(entry.path, entry.value);
        return undefined;
      } catch (error) {
        return `${entry.path}: ${String(error)}`;
      }
  }
}

async function unmount(path: string): Promise<string | undefined> {
  if (!mountPoints().includes(path)) return undefined;
  let result = await attempt('umount', ['-R', path]);
  // A process that is just ending may hold the mount a moment longer.
  for (let tries = 0; result.status !== 0 && tries < 20; tries++) {
    await sleep(100);
    if (!mountPoints().includes(path)) return undefined;
    result = await attempt('umount', ['-R', path]);
  }
  if (result.status !== 0) result = await attempt('umount', ['-R', '-l', path]);
  return failure(result);
}

async function detachLoops(file: string): Promise<string | undefined> {
  const attached = await attempt('losetup', ['-n', '-O', 'NAME', '-j', file]);
  for (const device of attached.stdout.split('\n').filter((name) => name !== '')) {
    const problem = failure(await attempt('losetup', ['-d', device.trim()]));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Removes a cgroup with all below it; the kernel keeps one alive until its last process is gone. */
async function removeCgroup(path: string): Promise<string | undefined> {
  for (let tries = 0; ; tries++) {
    try {
      removeCgroupTree(path);
      return undefined;
    } catch (error) {
      if (!existsSync(path)) return undefined;
      if (tries === 50) return `${path}: ${String(error)}`;
      await sleep(50);
    }
  }
}

function removeCgroupTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroupTree(join(path, entry.name));
  }
  rmdirSync(path);
}

function failure(result: { readonly status: number; readonly stderr: string }): string | undefined {
  return result.status === 0 ? undefined : result.stderr.trim();
}

/** Mount points of this mount namespace: field 5 of /proc/self/mountinfo (proc(5)). */
function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path !== undefined);
}

function readJournal(labDirectory: string): readonly LabResource[] {
  const path = join(labDirectory, JOURNAL);
  if (!existsSync(path)) return [];
  const entries: LabResource[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    // The last line of a crashed owner may be cut short; what it announces was not done yet.
    const parsed = resource.safeParse(parseJson(line));
    if (parsed.success) entries.push(parsed.data);
  }
  return entries;
}

function readIdentity(path: string): ProcessIdentity | undefined {
  if (!existsSync(path)) return undefined;
  return processIdentity.safeParse(parseJson(readFileSync(path, 'utf8'))).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
