import { mkdirSync, readFileSync } from 'node:fs';

import type { Journal } from './journal.ts';
import type { Lab } from './lab.ts';
import { ensurePackages } from './packages.ts';
import { eventually } from './polling.ts';

/** A directory that is reached through a FUSE server (bindfs). */
export interface FuseFilesystem {
  readonly mountPoint: string;
  /** The same files without the server. */
  readonly source: string;
  /** From now on every call on the mount hangs. */
  die(): void;
  revive(): void;
}

/**
 * Mounts one, for exporter and guests at the same path, with no caching that would answer for a dead
 * server. Killing a server ends all calls that wait for it, so a lab that ends leaves nobody waiting.
 */
export async function mountFuse(
  options: { readonly source: string; readonly mountPoint: string; readonly lab: Lab },
  journal: Journal,
): Promise<FuseFilesystem> {
  const { source, mountPoint, lab } = options;
  await ensurePackages(['bindfs']);
  mkdirSync(source, { recursive: true });
  mkdirSync(mountPoint, { recursive: true });
  journal.record({ kind: 'mount', path: mountPoint });
  const caching = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
  const server = await lab.spawn('bindfs', ['-f', '-o', caching, source, mountPoint], {
    network: 'host',
  });
  await eventually(
    `${mountPoint} is mounted`,
    10_000,
    () => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountPoint} `),
    () => server.output(),
  );
  return {
    mountPoint,
    source,
    die: () => {
      server.signal('SIGSTOP');
    },
    revive: () => {
      server.signal('SIGCONT');
    },
  };
}
