// eslint-disable-next-line no-restricted-imports -- starts copies of Node itself, never a command
import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';

import { FILE_JOB, WORKER_JOB } from '../../runtime/worker-job.ts';
import type { FileAnswer, FileBatch } from './file-task.ts';
import type { WorkerMessage, WorkerRequest } from './file-worker.ts';
import { Expiry, type Deadline } from '../../runtime/deadline.ts';
import { failed, found, type Result } from '../../runtime/result.ts';

/**
 * File-system calls which may never return (a dead NFS server, a stopped FUSE daemon, a suspended
 * block device), kept away from the exporter.
 *
 * Why not Node's asynchronous fs: all of it shares four threads, and so does DNS. Four hung calls
 * and nothing in the process opens a file again.
 *
 * Why processes and not worker threads: a process with a hung thread cannot leave. Measured with
 * Node 26 and a stopped FUSE daemon: process.exit() and a natural end wait for the stuck thread
 * for ever, even after an uncaught exception; SIGKILL to oneself works, with status 137, but not
 * when the request has already reached a daemon that does not answer: the process stays, and so
 * does its listening socket. A parent of stuck processes exits at once, with its own status, in
 * both cases. Price: 26 MB against 10 MB of memory and 50 ms against 20 ms to start, once. A
 * process that cannot be killed outlives the exporter and ends by itself when its call returns.
 */
export interface PoolLimits {
  /** Processes that work at the same time. Started when needed, then kept. */
  readonly working: number;
  /** All processes, stuck ones included. At this number work for healthy mounts has to wait too. */
  readonly total: number;
  /** A call which makes no progress for this long is taken for hung. */
  readonly patienceMs: number;
}

const DEFAULT_POOL_LIMITS: PoolLimits = { working: 4, total: 8, patienceMs: 1000 };

const GROW_AFTER_MS = 50;

/** Beside this file, TypeScript or compiled as it is; in a bundle, the program that runs. */
const FILE_WORKER =
  import.meta.bundledVersion === undefined
    ? join(import.meta.dirname, `file-worker${extname(import.meta.filename)}`)
    : (process.argv[1] ?? process.execPath);

/** As an environment variable, since a single executable takes none of Node's options as arguments. */
const NODE_OPTIONS =
  '--max-old-space-size=64 --max-semi-space-size=1 --v8-pool-size=1 --disable-sigusr1';

/** A key whose last call has not come back; nothing is asked under this key until it does. */
export interface HungCall {
  readonly key: string;
  readonly forMs: number;
}

interface Job {
  readonly key: string;
  readonly batch: FileBatch;
  readonly settle: (result: Result<readonly FileAnswer[]>) => void;
  readonly expiry: Expiry;
}

interface Running {
  readonly job: Job;
  readonly startedAt: number;
  patience: Expiry;
  /** The caller has been told that there will be no answer. */
  abandoned: boolean;
}

class Worker {
  readonly process: ChildProcess;
  ready = false;
  running: Running | undefined;

  constructor(child: ChildProcess) {
    this.process = child;
  }
}

/**
 * Runs batches, one at a time per key, where a key names what hangs together (one filesystem, one
 * block device): a dead mount never holds more than one process.
 */
export class BlockingPool {
  readonly #limits: PoolLimits;
  readonly #workers = new Set<Worker>();
  #queue: Job[] = [];
  #closed = false;
  #growth: NodeJS.Timeout | undefined;

  constructor(limits: PoolLimits = DEFAULT_POOL_LIMITS) {
    this.#limits = limits;
  }

  /**
   * The answers to a batch, in the order of its tasks, or `timeout`:
   * at once, where the key's last call still hangs or every process is stuck; else when the call
   * makes no progress for `patienceMs`, or at `deadline`.
   */
  run(key: string, batch: FileBatch, deadline: Deadline): Promise<Result<readonly FileAnswer[]>> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve(failed('timeout', key, 'the exporter is stopping'));
        return;
      }
      const job: Job = {
        key,
        batch,
        settle: resolve,
        expiry: deadline.onExpiry(() => {
          this.#expire(job);
        }),
      };
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  /** Calls given up on and not returned yet, oldest first. */
  get hung(): readonly HungCall[] {
    const now = performance.now();
    return this.#allRunning()
      .filter((running) => running.abandoned)
      .map((running) => ({ key: running.job.key, forMs: now - running.startedAt }))
      .sort((a, b) => b.forMs - a.forMs);
  }

  /** Processes in use and how many of them are stuck. */
  get workers(): { readonly total: number; readonly stuck: number } {
    return { total: this.#workers.size, stuck: this.#stuckCount() };
  }

  /** Ends all processes without waiting for stuck ones; whoever waits is told `timeout`. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#growth);
    for (const job of this.#queue) this.#refuse(job, 'the exporter is stopping');
    this.#queue = [];
    for (const worker of this.#workers) {
      const running = worker.running;
      if (running !== undefined && !running.abandoned) {
        this.#refuse(running.job, 'the exporter is stopping');
      }
      if (running !== undefined) running.patience.cancel();
      worker.process.kill('SIGKILL');
    }
    this.#workers.clear();
  }

  #allRunning(): readonly Running[] {
    return [...this.#workers].flatMap((worker) => worker.running ?? []);
  }

  #stuckCount(): number {
    return this.#allRunning().filter((running) => running.abandoned).length;
  }

  /** Hands out queued jobs as far as keys and processes allow. */
  #dispatch(): void {
    const busyKeys = new Map(this.#allRunning().map((running) => [running.job.key, running]));
    const waiting: Job[] = [];
    for (const job of this.#queue) {
      const sameKey = busyKeys.get(job.key);
      if (sameKey !== undefined) {
        if (sameKey.abandoned) this.#refuse(job, 'an earlier call has not returned yet');
        else waiting.push(job);
        continue;
      }
      const idle = [...this.#workers].find((worker) => worker.ready && !worker.running);
      if (idle !== undefined) {
        busyKeys.set(job.key, this.#start(idle, job));
      } else if (this.#stuckCount() >= this.#limits.total) {
        this.#refuse(job, `all ${this.#limits.total} file processes wait for hung mounts`);
      } else {
        waiting.push(job);
      }
    }
    this.#queue = waiting;
    if (this.#queue.length > 0) this.#grow();
  }

  /**
   * One process does for a healthy host. Another one is only started for work that still waits
   * after a while, so that a hung call costs the others `GROW_AFTER_MS`, not its whole patience.
   */
  #grow(): void {
    const workers = [...this.#workers];
    const able = workers.length - this.#stuckCount();
    if (able === 0) {
      if (workers.length < this.#limits.total) this.#spawn();
      return;
    }
    this.#growth ??= setTimeout(() => {
      this.#growth = undefined;
      const busyKeys = new Set(this.#allRunning().map((running) => running.job.key));
      if (!this.#queue.some((job) => !busyKeys.has(job.key))) return;
      const coming = [...this.#workers].some((worker) => !worker.ready);
      const busy = this.#workers.size - this.#stuckCount();
      if (!coming && busy < this.#limits.working && this.#workers.size < this.#limits.total) {
        this.#spawn();
      }
      this.#grow();
    }, GROW_AFTER_MS).unref();
  }

  #spawn(): void {
    const child = fork(FILE_WORKER, [], {
      execArgv: [],
      cwd: '/',
      env: { NODE_OPTIONS, UV_THREADPOOL_SIZE: '1', [WORKER_JOB]: FILE_JOB },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    const worker = new Worker(child);
    this.#workers.add(worker);
    // Neither the process nor its channel keeps the exporter alive.
    child.unref();
    child.channel?.unref();
    child.on('message', (message: WorkerMessage) => {
      this.#hear(worker, message);
    });
    child.on('exit', (code, signal) => {
      this.#bury(worker, `the file process ended with ${code ?? signal ?? 'nothing'}`);
    });
    child.on('error', (error) => {
      this.#bury(worker, error.message);
    });
  }

  #start(worker: Worker, job: Job): Running {
    const running: Running = {
      job,
      startedAt: performance.now(),
      patience: this.#patience(worker),
      abandoned: false,
    };
    worker.running = running;
    const request: WorkerRequest = { batch: job.batch };
    worker.process.send(request);
    return running;
  }

  #patience(worker: Worker): Expiry {
    return new Expiry(this.#limits.patienceMs, () => {
      this.#abandon(worker, `no progress for ${this.#limits.patienceMs} ms`);
    }).unref();
  }

  #hear(worker: Worker, message: WorkerMessage): void {
    const running = worker.running;
    switch (message.kind) {
      case 'ready':
        worker.ready = true;
        break;
      case 'progress':
        if (running !== undefined && !running.abandoned) {
          running.patience.cancel();
          running.patience = this.#patience(worker);
        }
        return;
      case 'done':
        worker.running = undefined;
        if (running !== undefined) {
          running.patience.cancel();
          if (!running.abandoned) {
            running.job.expiry.cancel();
            running.job.settle(found(message.answers));
          } else if (this.#workers.size - this.#stuckCount() > this.#limits.working) {
            // Its replacement is at work already.
            this.#workers.delete(worker);
            worker.process.kill('SIGKILL');
          }
        }
        break;
    }
    this.#dispatch();
  }

  #bury(worker: Worker, reason: string): void {
    if (!this.#workers.delete(worker)) return;
    const running = worker.running;
    if (running !== undefined) {
      running.patience.cancel();
      if (!running.abandoned) {
        running.job.expiry.cancel();
        running.job.settle(failed('unreadable', running.job.key, reason));
      }
    }
    if (worker.ready) {
      this.#dispatch();
    } else if (this.#workers.size === this.#stuckCount()) {
      // The next one would not start either: say so now, try again when asked again.
      const queue = this.#queue;
      this.#queue = [];
      for (const job of queue) {
        job.expiry.cancel();
        const detail = `the file process does not start: ${reason}`;
        job.settle(failed('unreadable', job.key, detail));
      }
    }
  }

  #expire(job: Job): void {
    if (this.#queue.includes(job)) {
      this.#queue = this.#queue.filter((other) => other !== job);
      this.#refuse(job, 'its turn did not come before the deadline');
      return;
    }
    for (const worker of this.#workers) {
      if (worker.running?.job === job) this.#abandon(worker, 'no answer before the deadline');
    }
  }

  #abandon(worker: Worker, reason: string): void {
    const running = worker.running;
    if (running === undefined || running.abandoned) return;
    running.patience.cancel();
    running.abandoned = true;
    this.#refuse(running.job, reason);
    this.#dispatch();
  }

  #refuse(job: Job, reason: string): void {
    job.expiry.cancel();
    job.settle(failed('timeout', job.key, reason));
  }
}
