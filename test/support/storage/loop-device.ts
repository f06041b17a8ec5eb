import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A block device over a file, until detached. */
export class LoopDevice {
  readonly path: string;

  constructor(file: string) {
    this.path = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
  }

  detach(): void {
    execFileSync('losetup', ['--detach', this.path]);
  }
}

/** A filesystem of 300 MiB made by `mkfs` in `file` and mounted on `mountpoint`. */
export class LoopFilesystem {
  readonly mountpoint: string;
  readonly #device: LoopDevice;

  constructor(file: string, mountpoint: string, mkfs: readonly string[], options: string) {
    execFileSync('truncate', ['-s', '320M', file]);
    const [command, ...args] = mkfs;
    execFileSync(command ?? 'mkfs', [...args, file], { stdio: 'ignore' });
    mkdirSync(mountpoint);
    this.mountpoint = mountpoint;
    this.#device = new LoopDevice(file);
    execFileSync('mount', ['-o', options, this.#device.path, mountpoint]);
  }

  unmount(): void {
    execFileSync('umount', [this.mountpoint]);
    this.#device.detach();
  }
}
