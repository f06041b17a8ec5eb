import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Directories libvirtd writes to whatever its configuration says; each gets an empty tmpfs. */
const STATE_DIRECTORIES = ['/run', '/var/lib/libvirt', '/var/cache/libvirt', '/var/log/libvirt'];

/**
 * A real libvirtd of our own: its own mount and network namespace, its own sockets under a
 * temporary directory. It cannot see or disturb the system's daemon, guests or networks.
 */
export class PrivateDaemon {
  readonly directory: string;
  #process: ChildProcess | undefined;
  #log = '';

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<PrivateDaemon> {
    const directory = await mkdtemp(join(tmpdir(), 'libvirt-test-'));
    const daemon = new PrivateDaemon(directory);
    try {
      await mkdir(join(directory, 'etc'));
      await mkdir(join(directory, 'sockets'));
      await writeFile(daemon.#config, daemon.#configText());
      await daemon.boot();
    } catch (error) {
      await daemon.dispose();
      throw error;
    }
    return daemon;
  }

  get readOnlySocket(): string {
    return join(this.directory, 'sockets', 'libvirt-sock-ro');
  }

  /** URI for this client: the test driver through this daemon's read-only socket. */
  get uri(): string {
    return `test+unix:///default?socket=${this.readOnlySocket}`;
  }

  /** Starts the daemon and waits until its socket is there. */
  async boot(): Promise<void> {
    const mounts = STATE_DIRECTORIES.map((path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`);
    const script = [
      'set -e',
      ...mounts,
      'mkdir -p /run/libvirt',
      `mount --bind ${join(this.directory, 'etc')} /etc/libvirt`,
      // Should this process die without cleaning up, the daemon ends by itself once it is idle.
      `exec libvirtd --timeout 60 -f /etc/libvirt/libvirtd.conf -p ${join(this.directory, 'pid')}`,
    ].join('\n');
    const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const child = spawn('unshare', [...asRoot, '--mount', '--net', 'sh', '-c', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
    this.#process = child;
    for (let waitedMs = 0; ; waitedMs += 50) {
      if (child.exitCode !== null) throw new Error(`libvirtd ended: ${this.#log}`);
      if (await exists(this.readOnlySocket)) return;
      if (waitedMs > 20_000) throw new Error(`no libvirtd socket after 20 s: ${this.#log}`);
      await sleep(50);
    }
  }

  /** Ends the daemon the hard way, as a crash would, and removes its stale sockets. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(join(this.directory, 'sockets'), { recursive: true, force: true });
    await mkdir(join(this.directory, 'sockets'));
  }

  /** Freezes or thaws the daemon's process. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  /** virsh over the read-write socket: the administrator who makes things happen. */
  async virsh(...command: string[]): Promise<string> {
    const socket = join(this.directory, 'sockets', 'libvirt-sock');
    const uri = `test+unix:///default?socket=${socket}`;
    const { stdout } = await run('virsh', ['-c', uri, ...command], { timeout: 20_000 });
    return stdout;
  }

  /** The daemon's own log so far, for a failing test. */
  async log(): Promise<string> {
    const file = await readFile(join(this.directory, 'log'), 'utf8').catch(() => '');
    return this.#log + file;
  }

  /** Ends the daemon and removes everything it left. */
  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  get #config(): string {
    return join(this.directory, 'etc', 'libvirtd.conf');
  }

  #configText(): string {
    return [
      `unix_sock_dir = "${join(this.directory, 'sockets')}"`,
      'auth_unix_ro = "none"',
      'auth_unix_rw = "none"',
      'unix_sock_ro_perms = "0777"',
      'listen_tls = 0',
      'log_level = 3',
      `log_outputs = "3:file:${join(this.directory, 'log')}"`,
      '',
    ].join('\n');
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
