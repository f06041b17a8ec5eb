import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Journal } from './journal.ts';
import { eventually } from './polling.ts';

const FREEZER = '/sys/fs/cgroup/freezer';

/** Whether single threads can be frozen here: only the v1 freezer takes threads (freezer-subsystem). */
export function canFreezeThreads(): boolean {
  return existsSync(join(FREEZER, 'tasks'));
}

/** Moves threads into a freezer cgroup of their own and freezes it; returns what thaws them. */
export async function freezeThreads(
  name: string,
  tids: readonly number[],
  journal: Journal,
): Promise<() => Promise<void>> {
  if (!canFreezeThreads()) throw new Error(`no ${FREEZER}: this host has no v1 freezer`);
  const path = join(FREEZER, name);
  journal.record({ kind: 'freezer', path });
  mkdirSync(path);
  const release = async () => {
    if (!existsSync(path)) return;
    thaw(path);
    for (const tid of readFileSync(join(path, 'tasks'), 'utf8').split('\n').filter(Boolean)) {
      moveBack(tid);
    }
    await eventually(`${path} is empty`, 10_000, () => isRemoved(path));
  };
  try {
    for (const tid of tids) writeFileSync(join(path, 'tasks'), String(tid));
    writeFileSync(join(path, 'freezer.state'), 'FROZEN');
    await eventually(`${path} is frozen`, 10_000, () => stateOf(path) === 'FROZEN');
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

/** Lets the threads of a freezer cgroup go on, if it is there. */
export function thaw(path: string): void {
  if (existsSync(path)) writeFileSync(join(path, 'freezer.state'), 'THAWED');
}

function moveBack(tid: string): void {
  try {
    writeFileSync(join(FREEZER, 'tasks'), tid);
  } catch {
    // It has ended.
  }
}

function isRemoved(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return !existsSync(path);
  }
}

function stateOf(path: string): string {
  return readFileSync(join(path, 'freezer.state'), 'utf8').trim();
}
