import { placedIn, type NamedDirectories } from '../images/allowed-places.ts';
import type { BlockingPool } from './blocking-pool.ts';
import type {
  FileAnswer,
  FileBatch,
  FileFailure,
  FileLook,
  FileSpace,
  FileTask,
} from './file-task.ts';
import { holdsDeviceNodes, isKernelFilesystem, type MountTable } from './mounts.ts';
import { NotAllowed } from './path-walk.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failed, failedFrom, found, type Result } from '../../runtime/result.ts';
import type { Mount } from '../../model/filesystem.ts';

/** One path to look at, on the host. */
export interface LookRequest {
  readonly path: string;
  /** Fingerprint of the last look, whose header bytes are still at hand. */
  readonly known: string | undefined;
  /** How much of a regular file to read, and from where. 0 reads nothing. */
  readonly headerBytes: number;
  readonly headerAt: number;
  /** Nobody vouches for the name: it is followed within the allowed directories only. */
  readonly confined: boolean;
}

/**
 * Where a confined look may lead. `named` for names, `canonical` for where they end: the
 * directories' real places, and the mount of device nodes for directories that lie on it, whose
 * links lead across it.
 */
export interface AllowedDirectories {
  readonly named: NamedDirectories;
  readonly canonical: readonly string[];
}

/**
 * A look at a path of the host's own software, with its first bytes.
 *
 * @param known fingerprint of the last look, where its bytes are still at hand.
 */
export function toLook(path: string, headerBytes: number, known?: string): LookRequest {
  return { path, known, headerBytes, headerAt: 0, confined: false };
}

const NOWHERE: AllowedDirectories = { named: new Map(), canonical: [] };

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
   * What is at the end of each path, in the order of the requests. What is not known by
   * the deadline fails with `timeout`, as do at once all paths
   * on a mount that hangs already.
   */
  async look(
    requests: readonly LookRequest[],
    mounts: MountTable,
    deadline: Deadline,
    allowed: AllowedDirectories = NOWHERE,
  ): Promise<readonly Result<FoundFile>[]> {
    const results = requests.map((request): Result<FoundFile> =>
      failed('unsupported', request.path, 'not read'),
    );
    const pending = requests.flatMap((request, index): PendingLook | readonly [] => {
      const path = request.confined ? placedIn(request.path, allowed.named) : request.path;
      if (path !== undefined) return { index, request, path, links: 0 };
      const { message } = new NotAllowed(request.path);
      results[index] = failed('refused', request.path, message);
      return [];
    });
    await this.#lookOn(pending, { mounts, deadline, results, allowed: allowed.canonical });
    return results;
  }

  /** The same for one path. */
  async lookAt(
    request: LookRequest,
    mounts: MountTable,
    deadline: Deadline,
  ): Promise<Result<FoundFile>> {
    const [look] = await this.look([request], mounts, deadline);
    return look ?? failed('unsupported', request.path, 'not read');
  }

  /**
   * Bytes of a regular file or block device which was found before; fewer where it ends. A block
   * device hangs by itself. `at` and `bytes` in bytes.
   */
  async readBytes(
    { look, mount }: FoundFile,
    at: number,
    bytes: number,
    deadline: Deadline,
  ): Promise<Result<Uint8Array>> {
    const key = look.type === 'block' ? `block ${look.rdev}` : toKey(mount);
    const rest = below(mount, look.path);
    const { dev, inode, rdev } = look;
    const task: FileTask = { kind: 'read', rest, at, bytes, dev, inode, rdev };
    const answer = await this.#one(key, mount, task, look.path, deadline);
    if (!answer.ok) return answer;
    switch (answer.value.kind) {
      case 'head':
        return found(answer.value.bytes);
      case 'failed':
        return toFailure(answer.value, look.path);
      case 'left':
      case 'look':
      case 'names':
      case 'space':
        return unexpected(answer.value, look.path);
    }
  }

  /** The names in a directory that was found before. */
  async list({ look, mount }: FoundFile, deadline: Deadline): Promise<Result<readonly string[]>> {
    const { dev, inode, path } = look;
    const task: FileTask = { kind: 'list', rest: below(mount, path), dev, inode };
    const answer = await this.#one(toKey(mount), mount, task, path, deadline);
    if (!answer.ok) return answer;
    switch (answer.value.kind) {
      case 'names':
        return found(answer.value.names);
      case 'failed':
        return toFailure(answer.value, path);
      case 'left':
      case 'look':
      case 'head':
      case 'space':
        return unexpected(answer.value, path);
    }
  }

  /** statfs(2) of a mounted filesystem. */
  async space(mount: Mount, deadline: Deadline): Promise<Result<FileSpace>> {
    const task: FileTask = { kind: 'space' };
    const answer = await this.#one(toKey(mount), mount, task, mount.mountpoint, deadline);
    if (!answer.ok) return answer;
    switch (answer.value.kind) {
      case 'space':
        return found(answer.value);
      case 'failed':
        return toFailure(answer.value, mount.mountpoint);
      case 'left':
      case 'look':
      case 'head':
      case 'names':
        return unexpected(answer.value, mount.mountpoint);
    }
  }

  /** Whether a mounted filesystem answers statfs(2) by the deadline; an error is an answer too. */
  async answers(mount: Mount, deadline: Deadline): Promise<boolean> {
    const space = await this.space(mount, deadline);
    return space.ok || space.error.kind !== 'timeout';
  }

  /** The mount's filesystem does not answer and is left alone until it does. */
  hangs(mount: Mount): boolean {
    const key = toKey(mount);
    return this.#pool.hung.some((call) => call.key === key);
  }

  async #lookOn(pending: readonly PendingLook[], looking: Looking): Promise<void> {
    const { mounts, results } = looking;
    const byMount = new Map<Mount, PendingLook[]>();
    for (const look of pending) {
      const mount = mountToStartFrom(look.path, mounts);
      if (mount === undefined) {
        results[look.index] = look.path.startsWith('/')
          ? failed('absent', look.request.path, 'no mount of the host holds this path')
          : failed('malformed', look.request.path, 'not an absolute path');
        continue;
      }
      if (isKernelFilesystem(mount)) {
        const detail = `leads to ${mount.mountpoint}, which is of type ${mount.type}: not read`;
        results[look.index] = failed('refused', look.request.path, detail);
        continue;
      }
      const together = byMount.get(mount);
      if (together === undefined) byMount.set(mount, [look]);
      else together.push(look);
    }
    const batches: Promise<void>[] = [];
    for (const [mount, looks] of byMount) {
      for (let from = 0; from < looks.length; from += TASKS_PER_BATCH) {
        batches.push(this.#lookBatch(looks.slice(from, from + TASKS_PER_BATCH), mount, looking));
      }
    }
    await Promise.all(batches);
  }

  async #lookBatch(looks: readonly PendingLook[], mount: Mount, looking: Looking): Promise<void> {
    const { mounts, deadline, results, allowed } = looking;
    const answers = await this.#pool.run(
      toKey(mount),
      {
        ...this.#batchOn(mount),
        childMountpoints: mounts.childMountpoints(mount),
        allowedDirectories: looks.some(({ request }) => request.confined) ? allowed : [],
        tasks: looks.map(({ path, links, request }) => ({
          kind: 'look',
          rest: below(mount, path),
          links,
          known: request.known,
          headerAt: request.headerAt,
          headerBytes: request.headerBytes,
          confined: request.confined,
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
        results[look.index] = toFailure(answer, subject);
      } else if (answer?.kind !== 'left') {
        results[look.index] = unexpected(answer, subject);
      } else if (mountToStartFrom(answer.path, mounts) === mount && answer.links === look.links) {
        // The mount table is older than the mounts: this walk would go in circles.
        results[look.index] = failed('unsupported', subject, 'the mounts have just changed');
      } else {
        onwards.push({ ...look, path: answer.path, links: answer.links });
      }
    });
    if (onwards.length > 0) await this.#lookOn(onwards, looking);
  }

  #batchOn(mount: Mount): Omit<FileBatch, 'tasks'> {
    return {
      rootfs: this.#rootfs,
      mountpoint: mount.mountpoint,
      childMountpoints: [],
      devicesOnly: holdsDeviceNodes(mount),
      allowedDirectories: [],
    };
  }

  async #one(
    key: string,
    mount: Mount,
    task: FileTask,
    subject: string,
    deadline: Deadline,
  ): Promise<Result<FileAnswer>> {
    const answers = await this.#pool.run(key, { ...this.#batchOn(mount), tasks: [task] }, deadline);
    if (!answers.ok) return failed(answers.error.kind, subject, answers.error.detail);
    const [answer] = answers.value;
    return answer === undefined ? unexpected(answer, subject) : found(answer);
  }
}

/** One call of {@link HostFiles.look}. */
interface Looking {
  readonly mounts: MountTable;
  readonly deadline: Deadline;
  readonly results: Result<FoundFile>[];
  /** Canonical. */
  readonly allowed: readonly string[];
}

function below(mount: Mount, path: string): string {
  return path.slice(mount.mountpoint === '/' ? 0 : mount.mountpoint.length);
}

/** What hangs together: all mounts of one superblock. */
function toKey(mount: Mount): string {
  return `filesystem ${mount.device}`;
}

/**
 * Where to start walking. A mount point is a canonical path, so a path that begins with one does
 * lie below it, up to the first `.` or `..`; links further on are found during the walk.
 */
function mountToStartFrom(path: string, mounts: MountTable): Mount | undefined {
  if (!path.startsWith('/')) return undefined;
  const dots = /\/(?:\.{0,2})(?:\/|$)/.exec(path);
  return mounts.findMount(dots === null ? path : path.slice(0, dots.index) || '/');
}

/** A failed file-system call as a reading. */
export function toFailure(answer: FileFailure, subject: string): Result<never> {
  return failedFrom(Object.assign(new Error(answer.message), { code: answer.code }), subject);
}

function unexpected(answer: FileAnswer | undefined, subject: string): Result<never> {
  return failed('malformed', subject, `the file process answered ${answer?.kind ?? 'nothing'}`);
}
