import { mkdtempSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import type { Journal } from './journal.ts';
import type { Lab } from './lab.ts';
import type { LabProcess } from './lab-process.ts';
import { eventually } from './polling.ts';
import { identify, signal, waitForEnd, type ProcessIdentity } from './process-identity.ts';

/** A process on a host of its own. */
export interface OwnHostProcess {
  /** As this machine counts, not as that host does. */
  readonly pid: number;
  readonly logFile: string;
  isRunning(): boolean;
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
}

/**
 * A host inside the lab that knows of nothing but what was started on it: processes and mounts of its
 * own, a copy of `/etc` without libvirt, an empty `/run`. Files can be put at the paths they have on a
 * real host, and an exporter there sees no other guest of this machine. It shares the lab's network and
 * this machine's cgroups.
 */
export class OwnHost {
  readonly #lab: Lab;
  readonly #init: number;

  constructor(lab: Lab, init: number) {
    this.#lab = lab;
    this.#init = init;
  }

  /** Where this machine sees one of that host's paths. */
  path(path: string): string {
    return `/proc/${this.#init}/root${path}`;
  }

  /** For `nsenter`. */
  get #enter(): readonly string[] {
    return [`--mount=/proc/${this.#init}/ns/mnt`, `--pid=/proc/${this.#init}/ns/pid`];
  }

  /** Starts a command that runs until killed or until the lab ends; it may fork what it likes. */
  async spawn(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<LabProcess> {
    return this.#lab.spawn('nsenter', [...this.#enter, command, ...args], { env });
  }

  /** The same, once the command itself is there. */
  async start(command: string, args: readonly string[]): Promise<OwnHostProcess> {
    const entering = await this.spawn(command, args);
    const name = command.slice(command.lastIndexOf('/') + 1).slice(0, 15);
    const own = await eventually(
      `${command} runs`,
      30_000,
      () => {
        if (!entering.isRunning()) throw new Error(`${command} ended:\n${entering.output()}`);
        return childrenOf(entering.pid).find((pid) => commOf(pid) === name);
      },
      () => entering.output(),
    );
    const identity = identify(own);
    if (identity === undefined) throw new Error(`${command} ended:\n${entering.output()}`);
    return toProcess(identity, entering);
  }
}

/**
 * @param mounts shell lines that are run on the host before anything else, with `/etc` and `/run` its own.
 */
export async function startOwnHost(lab: Lab, journal: Journal, mounts: string): Promise<OwnHost> {
  const etc = mkdtempSync(join(lab.directory.state, 'etc-'));
  const script = `
    cp -a /etc/. '${etc}/'
    chmod 755 '${etc}'
    rm -rf '${etc}/libvirt' '${etc}/pve'
    mount --bind '${etc}' /etc
    mount -t tmpfs -o mode=755 tmpfs /run
    ${mounts}
    echo up
    exec sleep infinity`;
  // With the process that made it ends all that runs there: the kernel kills a namespace whose first
  // process is gone.
  const unshared = await lab.spawn('unshare', [
    ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['sh', '-ec', script],
  ]);
  const init = await eventually(
    'a host of its own is up',
    30_000,
    () => {
      if (!unshared.isRunning()) throw new Error(`it ended:\n${unshared.output()}`);
      return unshared.output().includes('up\n') && childrenOf(unshared.pid)[0];
    },
    () => unshared.output(),
  );
  journal.record({ kind: 'namespace', name: readlinkSync(`/proc/${init}/ns/mnt`) });
  return new OwnHost(lab, init);
}

function toProcess(identity: ProcessIdentity, entered: LabProcess): OwnHostProcess {
  return {
    pid: identity.pid,
    logFile: entered.logFile,
    output: () => entered.output(),
    isRunning: () => identify(identity.pid)?.startTime === identity.startTime,
    signal: (name) => {
      signal(identity, name);
    },
    kill: async () => {
      signal(identity, 'SIGKILL');
      await waitForEnd([identity], 20_000);
    },
  };
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8'))
      .flatMap((text) => text.split(' ').filter(Boolean).map(Number));
  } catch {
    // It has just ended.
    return [];
  }
}

function commOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
