import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { onTestFinished } from 'vitest';

import { STORAGE_CFG } from '../../../support/sources/proxmox-files.ts';

export interface PveTree {
  readonly rootfs: string;
  readonly write: (path: string, text: string) => void;
  readonly remove: (path: string) => void;
}

/** A node's files below a directory of their own, /etc/pve/qemu-server a link as pmxcfs makes it. */
export function pveTree(): PveTree {
  const rootfs = mkdtempSync(join(tmpdir(), 'pve-'));
  onTestFinished(() => {
    rmSync(rootfs, { recursive: true });
  });
  const tree: PveTree = {
    rootfs,
    write(path, text) {
      mkdirSync(dirname(join(rootfs, path)), { recursive: true });
      writeFileSync(join(rootfs, path), text);
    },
    remove(path) {
      rmSync(join(rootfs, path), { recursive: true });
    },
  };
  for (const kind of ['qemu-server', 'lxc']) {
    mkdirSync(join(rootfs, 'etc/pve/nodes/one', kind), { recursive: true });
    symlinkSync(`nodes/one/${kind}`, join(rootfs, 'etc/pve', kind));
  }
  tree.write('etc/pve/storage.cfg', STORAGE_CFG);
  return tree;
}
