import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { claim, isOwned, undo } from './journal.ts';

/** How many labs may exist on one machine at a time: each has its own number, names and subnets. */
const SLOTS = 32;
/** A directory without owner is being made just now, unless it is older than this. */
const CLAIM_GRACE_MS = 10_000;

/** The directories of one lab. Paths are the same for the exporter, libvirtd and QEMU. */
export interface LabDirectory {
  /** 0 … 31: part of every name and address the lab uses. */
  readonly slot: number;
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
  for (let slot = 0; slot < SLOTS; slot++) {
    const root = join(parent, `lab-${slot}`);
    if (existsSync(root) && isStale(root)) await undo(root);
  }
  for (let slot = 0; slot < SLOTS; slot++) {
    const root = join(parent, `lab-${slot}`);
    try {
      mkdirSync(root);
    } catch {
      continue;
    }
    claim(root);
    const directory = layout(slot, root);
    for (const path of Object.values(directory)) {
      if (typeof path === 'string') mkdirSync(path, { recursive: true });
    }
    return directory;
  }
  throw new Error(`all ${SLOTS} labs under ${parent} are in use`);
}

function isStale(root: string): boolean {
  if (isOwned(root)) return false;
  if (existsSync(join(root, 'owner'))) return true;
  try {
    return Date.now() - statSync(root).mtimeMs > CLAIM_GRACE_MS;
  } catch {
    return false;
  }
}

function layout(slot: number, root: string): LabDirectory {
  return {
    slot,
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
