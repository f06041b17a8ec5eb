import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const OWNER_FILE = 'owner';

const ownerSchema = z.object({
  pid: z.number(),
  startTime: z.string(),
  /** A reboot ends all processes and mounts, and gives their numbers to others. */
  boot: z.string(),
  /** Tells this lab from a later one in the same directory. */
  token: z.string(),
});

/** Who made a lab. */
export type LabOwner = z.infer<typeof ownerSchema>;

/**
 * Takes a directory name for a lab of this process. The directory appears with its owner already
 * in it, so one without owner is never a lab that lives.
 *
 * @returns the lab's token, or undefined when the name is taken
 */
export function claimDirectory(root: string): string | undefined {
  const owner: LabOwner = { ...ourselves(), boot: bootId(), token: randomUUID() };
  const claim = mkdtempSync(join(dirname(root), 'claim-'));
  writeFileSync(join(claim, OWNER_FILE), JSON.stringify(owner));
  try {
    // Fails on a directory that is not empty, and a lab's never is.
    renameSync(claim, root);
    return owner.token;
  } catch {
    rmSync(claim, { recursive: true });
    return undefined;
  }
}

/** The owner of a lab directory; undefined when there is none (any more). */
export function readOwner(root: string): LabOwner | undefined {
  try {
    const text = readFileSync(join(root, OWNER_FILE), 'utf8');
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function isLiving(owner: LabOwner | undefined): boolean {
  return owner !== undefined && isThisBoot(owner) && isAlive(owner);
}

export function isThisBoot(owner: LabOwner): boolean {
  return owner.boot === bootId();
}

export function ourselves(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error('/proc does not show this process');
  return identity;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
