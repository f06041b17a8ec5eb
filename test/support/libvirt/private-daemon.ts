import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Directories libvirtd writes to whatever its configuration says; each gets an empty tmpfs. */
const STATE_DIRECTORIES = ['/run', '/var/lib/libvirt', '/var/cache/libvirt', '/var/log/libvirt'];

/**
 * Nothing is started, but QEMU is asked what it can do. libvirt has that asked anew before each definition where
 * QEMU gets at /dev/kvm and the user that guests run as does not, as in a virtual machine whose /dev has no udev.
 */
const QEMU_CONFIG = 'user = "root"\ngroup = "root"\n';

export interface PrivateDaemonOptions {
  /** Whether the read-only socket asks polkit, as Debian's does. Default none. */
  readonly readOnlyAuth?: 'none' | 'polkit';
  /**
   * Shell lines run before the daemon, in its namespaces. What they leave in the background they
   * add to $services, to be ended with the daemon.
   */
  readonly before?: readonly string[];
  /**
   * Instead of opening its own sockets, the daemon gets this one from a service manager, which
   * starts it at the first connection. An absolute path.
   */
  readonly activatedBy?: string;
  /** After this time without a client the daemon ends. Default 60. */
  readonly idleSeconds?: number;
}

/**
 * A real libvirtd of our own: its own mount and network namespace, its own sockets under a
 * temporary directory. It cannot see or disturb the system's daemon, guests or networks.
 */
export class PrivateDaemon implements AsyncDisposable {
  readonly directory: string;
  readonly #options: PrivateDaemonOptions;
  #process: ChildProcess | undefined;
  #log = '';

  private constructor(directory: string, options: PrivateDaemonOptions) {
    this.directory = directory;
    this.#options = options;
  }

  static async start(options: PrivateDaemonOptions = {}): Promise<PrivateDaemon> {
    const directory = await mkdtemp(join(tmpdir(), 'libvirt-test-'));
    // Any user may get to the sockets, as in /run/libvirt.
    await chmod(directory, 0o755);
    const daemon = new PrivateDaemon(directory, options);
    try {
      await mkdir(join(directory, 'etc'));
      await mkdir(join(directory, 'sockets'));
      await writeFile(daemon.#config, daemon.#configText());
      await writeFile(join(directory, 'etc', 'qemu.conf'), QEMU_CONFIG);
      await daemon.boot();
    } catch (error) {
      await daemon.dispose();
      throw error;
    }
    return daemon;
  }

  get readOnlySocket(): string {
    return this.#options.activatedBy ?? join(this.directory, 'sockets', 'libvirt-sock-ro');
  }

  /** URI for this client: the test driver through this daemon's read-only socket. */
  get uri(): string {
    return `test+unix:///default?socket=${this.readOnlySocket}`;
  }

  /** Starts the daemon and waits until its socket is there. */
  async boot(): Promise<void> {
    const mounts = STATE_DIRECTORIES.map((path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`);
    const { before = [], activatedBy, idleSeconds = 60 } = this.#options;
    const activation =
      activatedBy === undefined
        ? ''
        : `systemd-socket-activate --listen=${activatedBy} --fdname=libvirtd-ro.socket `;
    const script = [
      'set -e',
      'services=',
      ...mounts,
      'mkdir -p /run/libvirt',
      `mount --bind ${join(this.directory, 'etc')} /etc/libvirt`,
      ...before,
      // Should this process die without cleaning up, the daemon ends by itself once it is idle.
      `${activation}libvirtd --timeout ${idleSeconds} -f /etc/libvirt/libvirtd.conf &`,
      `echo $! > ${this.#pidFile}`,
      'code=0; wait $! || code=$?',
      '[ -z "$services" ] || { kill -KILL $services; wait; }',
      'exit $code',
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

  /** Ends the daemon, by default the hard way, as a crash would, and removes its stale sockets. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      // Without a daemon the shell that was to start it is all there is.
      if (await exists(this.#pidFile)) process.kill(await this.#pid(), signal);
      else child.kill(signal);
      await once(child, 'exit');
    }
    await rm(this.#pidFile, { force: true });
    await rm(this.readOnlySocket, { force: true });
    // Not the directory itself: a container may have it mounted.
    const sockets = join(this.directory, 'sockets');
    for (const name of await readdir(sockets)) await rm(join(sockets, name), { recursive: true });
  }

  /** Freezes or thaws the daemon's process. */
  async signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    process.kill(await this.#pid(), signal);
  }

  /** The name of the program that has the socket now. */
  async program(): Promise<string> {
    return (await readFile(`/proc/${await this.#pid()}/comm`, 'utf8')).trim();
  }

  /** Waits until the daemon has ended by itself. */
  async ended(timeoutMs: number): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return;
    await once(child, 'exit', { signal: AbortSignal.timeout(timeoutMs) });
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

  async #pid(): Promise<number> {
    return Number(await readFile(this.#pidFile, 'utf8'));
  }

  get #pidFile(): string {
    return join(this.directory, 'pid');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  get #config(): string {
    return join(this.directory, 'etc', 'libvirtd.conf');
  }

  #configText(): string {
    return [
      `unix_sock_dir = "${join(this.directory, 'sockets')}"`,
      `auth_unix_ro = "${this.#options.readOnlyAuth ?? 'none'}"`,
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
