import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** bindfs mirrors a directory through FUSE; its daemon can be stopped like a server can die. */
export function installBindfs(): void {
  if (existsSync('/usr/bin/bindfs')) return;
  const apt = ['install', '-y', '--no-install-recommends', 'bindfs'];
  const installed = spawnSync('apt-get', apt, { encoding: 'utf8' });
  if (installed.status !== 0) throw new Error(`bindfs is needed: ${installed.stderr}`);
}

export class FuseMount {
  readonly mountpoint: string;
  readonly #daemon: ChildProcess;

  private constructor(mountpoint: string, daemon: ChildProcess) {
    this.mountpoint = mountpoint;
    this.#daemon = daemon;
  }

  /** Mounts `source` on `mountpoint`, with no caching that would answer for a stopped daemon. */
  static async of(
    source: string,
    mountpoint: string,
    options: readonly string[] = [],
  ): Promise<FuseMount> {
    mkdirSync(mountpoint, { recursive: true });
    const daemon = spawn(
      'bindfs',
      ['-f', '-o', 'attr_timeout=0,entry_timeout=0', ...options, source, mountpoint],
      { stdio: 'ignore' },
    );
    const isMounted = (): boolean =>
      readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountpoint} `);
    for (let i = 0; i < 100 && !isMounted(); i += 1) await sleep(50);
    if (!isMounted()) throw new Error(`bindfs did not mount ${mountpoint}`);
    return new FuseMount(mountpoint, daemon);
  }

  /** From now on every call on the mount hangs. */
  die(): void {
    this.#daemon.kill('SIGSTOP');
  }

  revive(): void {
    this.#daemon.kill('SIGCONT');
  }

  async unmount(): Promise<void> {
    this.revive();
    const ended = new Promise((resolve) => this.#daemon.once('exit', resolve));
    spawnSync('fusermount3', ['-u', '-z', this.mountpoint]);
    // It would stay for as long as some other mount namespace made meanwhile holds a copy.
    if (this.#daemon.kill('SIGKILL')) await ended;
  }
}
