import type { BlockingPool } from './blocking-pool.ts';
import type { FileAnswer, FileFailure, FileLook, FileSpace, FileTask } from './file-task.ts';
import type { Mount, MountTable } from './mounts.ts';
import { failed, failedFrom, found, type Reading } from './reading.ts';

/** One path to look at, on the host. */
export interface LookRequest {
  readonly path: string;
  /** Fingerprint of the last look, whose header bytes are still at hand. */
  readonly known: string | undefined;
  /** How much of a regular file's start to read. 0 reads nothing. */
  readonly headerBytes: number;
}

export interface FoundFile {
  readonly look: FileLook;
  /** The mount the file lies on. */
  readonly mount: Mount;
}

/** So many tasks go to a process in one message: large enough to be cheap, soon done. */
const TASKS_PER_BATCH = 64;

interface PendingLook {
  readonly index: number;
  readonly request: LookRequest;
  readonly path: string;
  readonly links: number;
}

/**
 * The host's files, whatever mount they lie on. Decides from the mount table, before anything is
 * touched, which mount a path belongs to; asks {@link BlockingPool} with that mount's filesystem
 * as key; and follows symbolic links from mount to mount under the same rule.
 */
export class HostFiles {
  readonly #pool: BlockingPool;
  readonly #rootfs: string;

  /** `rootfs` as in {@link Roots}. */
  constructor(pool: BlockingPool, rootfs: string) {
    this.#pool = pool;
    this.#rootfs = rootfs;
  }

  /**
   * What is at the end of each path, in the order of the requests. `deadline` is a moment of
   * `performance.now()`; what is not known by then fails with `timeout`, as do at once all paths
   * on a mount that hangs already.
   */
  async look(
    requests: readonly LookRequest[],
    mounts: MountTable,
    deadline: number,
  ): Promise<readonly Reading<FoundFile>[]> {
    const results = requests.map((request): Reading<FoundFile> =>
      failed('unsupported', request.path, 'not looked at'),
    );
    const pending = requests.map((request, index) => ({
      index,
      request,
      path: request.path,
      links: 0,
    }));
    await this.#lookOn(pending, mounts, deadline, results);
    return results;
  }

  /** The first `bytes` of a block device, given its canonical device node. Hangs by itself. */
  async headOfBlockDevice(
    path: string,
    device: string,
    bytes: number,
    deadline: number,
  ): Promise<Reading<Uint8Array>> {
    return this.#head(`block ${device}`, path, bytes, deadline);
  }

  /** The first `bytes` of a regular file which was found before, for more than a look gave. */
  async headOfFile(file: FoundFile, bytes: number, deadline: number): Promise<Reading<Uint8Array>> {
    return this.#head(keyOf(file.mount), file.look.path, bytes, deadline);
  }

  /** statfs(2) of a mounted filesystem. */
  async space(mount: Mount, deadline: number): Promise<Reading<FileSpace>> {
    const answer = await this.#one(
      keyOf(mount),
      { kind: 'space', path: mount.mountpoint },
      deadline,
    );
    if (!answer.ok) return answer;
    switch (answer.value.kind) {
      case 'space':
        return found(answer.value);
      case 'failed':
        return failureOf(answer.value, mount.mountpoint);
      case 'left':
      case 'look':
      case 'head':
        return unexpected(answer.value, mount.mountpoint);
    }
  }

  /** The mount's filesystem does not answer and is left alone until it does. */
  hangs(mount: Mount): boolean {
    const key = keyOf(mount);
    return this.#pool.hung.some((call) => call.key === key);
  }

  async #lookOn(
    pending: readonly PendingLook[],
    mounts: MountTable,
    deadline: number,
    results: Reading<FoundFile>[],
  ): Promise<void> {
    const byMount = new Map<Mount, PendingLook[]>();
    for (const look of pending) {
      const mount = mountToStartFrom(look.path, mounts);
      if (mount === undefined) {
        results[look.index] = look.path.startsWith('/')
          ? failed('absent', look.request.path, 'no mount of the host holds this path')
          : failed('malformed', look.request.path, 'not an absolute path');
        continue;
      }
      const together = byMount.get(mount);
      if (together === undefined) byMount.set(mount, [look]);
      else together.push(look);
    }
    const batches: Promise<void>[] = [];
    for (const [mount, looks] of byMount) {
      for (let from = 0; from < looks.length; from += TASKS_PER_BATCH) {
        const some = looks.slice(from, from + TASKS_PER_BATCH);
        batches.push(this.#lookBatch(some, mount, mounts, deadline, results));
      }
    }
    await Promise.all(batches);
  }

  async #lookBatch(
    looks: readonly PendingLook[],
    mount: Mount,
    mounts: MountTable,
    deadline: number,
    results: Reading<FoundFile>[],
  ): Promise<void> {
    const answers = await this.#pool.run(
      keyOf(mount),
      {
        rootfs: this.#rootfs,
        mountpoint: mount.mountpoint,
        childMountpoints: mounts.childMountpoints(mount),
        tasks: looks.map(({ path, links, request }) => ({
          kind: 'look',
          rest: path.slice(mount.mountpoint === '/' ? 0 : mount.mountpoint.length),
          links,
          known: request.known,
          headerBytes: request.headerBytes,
        })),
      },
      deadline,
    );
    const onwards: PendingLook[] = [];
    looks.forEach((look, i) => {
      const subject = look.request.path;
      if (!answers.ok) {
        const detail = `${mount.type} at ${mount.mountpoint}: ${answers.error.detail}`;
        results[look.index] = failed(answers.error.kind, subject, detail);
        return;
      }
      const answer = answers.value[i];
      if (answer?.kind === 'look') {
        results[look.index] = found({ look: answer, mount });
      } else if (answer?.kind === 'failed') {
        results[look.index] = failureOf(answer, subject);
      } else if (answer?.kind !== 'left') {
        results[look.index] = unexpected(answer, subject);
      } else if (mountToStartFrom(answer.path, mounts) === mount && answer.links === look.links) {
        // The mount table is older than the mounts: this walk would go in circles.
        results[look.index] = failed('unsupported', subject, 'the mounts have just changed');
      } else {
        onwards.push({ ...look, path: answer.path, links: answer.links });
      }
    });
    if (onwards.length > 0) await this.#lookOn(onwards, mounts, deadline, results);
  }

  async #head(
    key: string,
    path: string,
    bytes: number,
    deadline: number,
  ): Promise<Reading<Uint8Array>> {
    const answer = await this.#one(key, { kind: 'head', path, bytes }, deadline);
    if (!answer.ok) return answer;
    switch (answer.value.kind) {
      case 'head':
        return found(answer.value.bytes);
      case 'failed':
        return failureOf(answer.value, path);
      case 'left':
      case 'look':
      case 'space':
        return unexpected(answer.value, path);
    }
  }

  async #one(
    key: string,
    task: FileTask & { readonly path: string },
    deadline: number,
  ): Promise<Reading<FileAnswer>> {
    const batch = { rootfs: this.#rootfs, mountpoint: '/', childMountpoints: [], tasks: [task] };
    const answers = await this.#pool.run(key, batch, deadline);
    if (!answers.ok) return failed(answers.error.kind, task.path, answers.error.detail);
    const [answer] = answers.value;
    return answer === undefined ? unexpected(answer, task.path) : found(answer);
  }
}

/** What hangs together: all mounts of one superblock. */
function keyOf(mount: Mount): string {
  return `filesystem ${mount.device}`;
}

/**
 * Where to start walking. A mount point is a canonical path, so a path that begins with one does
 * lie below it, up to the first `.` or `..`; links further on are found during the walk.
 */
function mountToStartFrom(path: string, mounts: MountTable): Mount | undefined {
  if (!path.startsWith('/')) return undefined;
  const dots = /\/(?:\.{0,2})(?:\/|$)/.exec(path);
  return mounts.mountOf(dots === null ? path : path.slice(0, dots.index) || '/');
}

/** A failed file-system call as a reading. */
export function failureOf(answer: FileFailure, subject: string): Reading<never> {
  return failedFrom(Object.assign(new Error(answer.message), { code: answer.code }), subject);
}

function unexpected(answer: FileAnswer | undefined, subject: string): Reading<never> {
  return failed('malformed', subject, `the file process answered ${answer?.kind ?? 'nothing'}`);
}
