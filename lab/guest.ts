import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import { guestCgroups } from './cgroup.ts';
import { jobWords, type GuestJob } from './guest-job.ts';
import type { GuestSpec } from './guest-spec.ts';
import { eventually } from './polling.ts';

/**
 * How long to wait for a guest unless told otherwise: far longer than it takes, because under
 * emulation and beside other work it may take many times as long as usual.
 */
const PATIENCE_MS = 180_000;

/** What a guest needs from the lab it lives in. */
export interface GuestSurroundings {
  /** virsh on the lab's daemon. */
  readonly virsh: (...args: readonly string[]) => Promise<string>;
  /** Holds the guest's console log and command socket. */
  readonly directory: string;
  /** What libvirt keeps about it while it runs, with the process id. */
  readonly statusFile: string;
  /** Paths of the images of `spec.disks`, in that order. */
  readonly diskPaths: readonly string[];
  /** The guest's addresses, one per NIC, without prefix length; undefined: none left. */
  readonly addresses: readonly (string | undefined)[];
}

/** A domain of the lab: what the guest inside says, and where the host sees it. */
export class Guest {
  readonly spec: GuestSpec;
  readonly diskPaths: readonly string[];
  readonly addresses: readonly (string | undefined)[];
  readonly consoleLog: string;
  /** Where its second monitor listens, if its description has one. */
  readonly sideMonitorSocket: string;
  readonly #lab: GuestSurroundings;
  #channel: Promise<CommandChannel> | undefined;

  constructor(spec: GuestSpec, lab: GuestSurroundings) {
    this.spec = spec;
    this.#lab = lab;
    this.diskPaths = lab.diskPaths;
    this.addresses = lab.addresses;
    this.consoleLog = join(lab.directory, 'console.log');
    this.sideMonitorSocket = join(lab.directory, 'side.sock');
  }

  get name(): string {
    return this.spec.name;
  }

  /** All the guest has printed on its console since it was last started. */
  console(): string {
    return existsSync(this.consoleLog) ? readFileSync(this.consoleLog, 'utf8') : '';
  }

  /**
   * Waits for a text on the console, default that the guest is in user space (`lab: ready`). The
   * jobs from its description begin then; `lab: started` comes when they are done or under way.
   */
  async waitFor(pattern: string | RegExp = 'lab: ready', timeoutMs = PATIENCE_MS): Promise<void> {
    const matches = (text: string) =>
      typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
    await eventually(
      `guest ${this.name} prints ${String(pattern)}`,
      timeoutMs,
      () => matches(this.console()),
      () => this.console().slice(-2000),
    );
  }

  /**
   * Has the guest run a job now and waits until it is done (jobs that go on: until it is started).
   * A string is a line for `guest-init.sh`; `sh <words>` runs any shell command.
   *
   * @throws Error when the guest says the job failed, or says nothing in time.
   */
  async command(job: GuestJob | string, timeoutMs = PATIENCE_MS): Promise<void> {
    const words = typeof job === 'string' ? job : jobWords(job).join(' ');
    await this.waitFor('lab: started', timeoutMs);
    this.#channel ??= CommandChannel.open(join(this.#lab.directory, 'command.sock'));
    const channel = await this.#channel;
    const answer = await channel.ask(words, timeoutMs).catch((error: unknown) => {
      this.#hangUp();
      throw error;
    });
    if (answer !== 'ok') throw new Error(`guest ${this.name}: ${words}: ${answer}`);
  }

  /** Process id of the guest's QEMU. @throws Error when it does not run. */
  qemuPid(): number {
    const { statusFile } = this.#lab;
    const status = existsSync(statusFile) ? readFileSync(statusFile, 'utf8') : '';
    const pid = /<domstatus[^>]* pid='(\d+)'/.exec(status)?.[1];
    if (pid === undefined) throw new Error(`guest ${this.name} does not run`);
    return Number(pid);
  }

  /** The guest's cgroup directory per controller (`unified` on cgroup v2). */
  cgroups(): ReadonlyMap<string, string> {
    return guestCgroups(this.qemuPid());
  }

  /** Thread ids and names of its QEMU, e.g. `CPU 0/TCG`. */
  threads(): ReadonlyMap<number, string> {
    const tasks = `/proc/${this.qemuPid()}/task`;
    return new Map(
      readdirSync(tasks).map((tid) => [
        Number(tid),
        readFileSync(`${tasks}/${tid}/comm`, 'utf8').trim(),
      ]),
    );
  }

  /** `virsh domstate --reason`, e.g. `running (booted)` or `paused (I/O error)`. */
  async state(): Promise<string> {
    return (await this.#lab.virsh('domstate', this.name, '--reason')).trim();
  }

  async waitForState(text: string, timeoutMs = PATIENCE_MS): Promise<void> {
    let last = '';
    await eventually(
      `guest ${this.name} is ${text}`,
      timeoutMs,
      async () => {
        last = await this.state();
        return last.includes(text);
      },
      () => `it is ${last}`,
    );
  }

  /** Names of its tap devices in the lab's network namespace, in the order of `spec.nics`. */
  async taps(): Promise<readonly string[]> {
    const list = await this.#lab.virsh('domiflist', this.name);
    return list
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.trim().split(/\s+/)[0] ?? '');
  }

  /** Starts a persistent guest that is shut off. */
  async start(): Promise<void> {
    this.#hangUp();
    await this.#lab.virsh('start', this.name, ...(this.spec.paused === true ? ['--paused'] : []));
  }

  async suspend(): Promise<void> {
    await this.#lab.virsh('suspend', this.name);
  }

  async resume(): Promise<void> {
    await this.#lab.virsh('resume', this.name);
  }

  /** Cuts the power. A transient guest is gone then. */
  async destroy(): Promise<void> {
    this.#hangUp();
    await this.#lab.virsh('destroy', this.name);
  }

  /** Closes the command channel, which would keep this process alive. */
  close(): void {
    this.#hangUp();
  }

  #hangUp(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.then(
      (open) => {
        open.close();
      },
      () => undefined,
    );
  }
}

/** The guest's second serial port, as a socket: lines `<id> <command>` and answers `<id> <result>`. */
class CommandChannel {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: string) => void>();
  #text = '';
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#receive(text);
    });
    socket.on('close', () => {
      for (const answer of this.#waiting.values()) answer('the guest has ended');
      this.#waiting.clear();
    });
  }

  static open(path: string): Promise<CommandChannel> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => {
        resolve(new CommandChannel(socket));
      });
      socket.on('error', reject);
    });
  }

  ask(words: string, timeoutMs: number): Promise<string> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer to "${words}" within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#socket.write(`${id} ${words}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      const [id = '', ...answer] = line.trim().split(' ');
      this.#waiting.get(Number(id))?.(answer.join(' '));
      this.#waiting.delete(Number(id));
    }
  }
}
