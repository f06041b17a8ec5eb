import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { undo } from './journal.ts';
import { claimDirectory, isLiving, readOwner } from './ownership.ts';

/** How many labs may exist on one machine at a time: each has its own number, names and subnets. */
const SLOTS = 32;

/** The directories of one lab. Paths are the same for the exporter, libvirtd and QEMU. */
export interface LabDirectory {
  /** 0 … 31: part of every name and address the lab uses. */
  readonly slot: number;
  /** Tells this lab from a later one in the same slot. */
  readonly token: string;
  readonly root: string;
  /** Disk images, on the file system of `root`. */
  readonly images: string;
  /** Mount points of the lab's file systems; mounts made here reach the daemon's namespace. */
  readonly filesystems: string;
  /** Per guest: console log and command socket. */
  readonly guests: string;
  readonly logs: string;
  /** libvirt's sockets. */
  readonly sockets: string;
  /** What stands in for /etc/libvirt, /run/libvirt … in the daemon's mount namespace. */
  readonly state: string;
  /** A sysfs of the lab's network namespace, with the host's cgroups mounted in it. */
  readonly sysfs: string;
  readonly hugePages: string;
  /** Holds the file that keeps the mount namespace alive. */
  readonly namespaces: string;
}

/** Where labs live: a real disk, because guests write images there. */
export function labsRoot(): string {
  return process.env['KVM_LAB_ROOT'] ?? '/var/tmp/kvm-overcommit-lab';
}

/**
 * Cleans up after labs whose owner is gone and claims a free slot.
 *
 * @throws Error when all slots are taken by living labs.
 */
export async function claimLabDirectory(): Promise<LabDirectory> {
  const parent = labsRoot();
  mkdirSync(parent, { recursive: true });
  await cleanUpAfterOthers(parent);
  for (let slot = 0; slot < SLOTS; slot++) {
    const root = join(parent, `lab-${slot}`);
    const token = claimDirectory(root);
    if (token !== undefined) {
      const directory = layout(slot, root, token);
      for (const path of subdirectories(directory)) mkdirSync(path);
      return directory;
    }
  }
  throw new Error(`all ${SLOTS} labs under ${parent} are in use`);
}

async function cleanUpAfterOthers(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const owner = readOwner(path);
    if (name.startsWith('lab-') && !isLiving(owner)) await undo(path, owner?.token);
    // Left by a crash between two file operations; nothing is ever mounted in these.
    if (/^(claim|gone)-/.test(name) && isOld(path)) rmSync(path, { recursive: true, force: true });
  }
}

function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > 60_000;
}

function subdirectories(directory: LabDirectory): readonly string[] {
  const { images, filesystems, guests, logs, sockets, state } = directory;
  const { sysfs, hugePages, namespaces } = directory;
  return [images, filesystems, guests, logs, sockets, state, sysfs, hugePages, namespaces];
}

function layout(slot: number, root: string, token: string): LabDirectory {
  return {
    slot,
    token,
    root,
    images: join(root, 'images'),
    filesystems: join(root, 'fs'),
    guests: join(root, 'guests'),
    logs: join(root, 'log'),
    sockets: join(root, 'sock'),
    state: join(root, 'state'),
    sysfs: join(root, 'sysfs'),
    hugePages: join(root, 'hugepages'),
    namespaces: join(root, 'ns'),
  };
}
