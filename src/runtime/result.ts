/**
 * A value, or why there is none. Whatever may fail without being a bug returns one of these instead of
 * throwing, so that "could not read" can never turn into a zero.
 *
 * `E` says why: a {@link SourceError} unless another type is named, whose kinds tell what is absent from
 * what failed ({@link isAbsence}). A value made of several files or lines may lack some of them: `faults`
 * then says which were there but could not be read. What this host or kernel simply does not have is no
 * fault.
 */
export type Result<T, E = SourceError> =
  { readonly ok: true; readonly value: T; readonly faults?: readonly E[] } | Failure<E>;

export interface Failure<E = SourceError> {
  readonly ok: false;
  readonly error: E;
}

/**
 * - `absent`: the file, process or device is not there (ENOENT, ESRCH, ENODEV). Often normal.
 * - `denied`: there, but not for us (EACCES, EPERM).
 * - `unsupported`: there, but the kernel does not answer (EOPNOTSUPP, EINVAL), e.g. PSI compiled
 *   in yet disabled.
 * - `unreadable`: there, and reading it failed (EMFILE, ENFILE, ENOMEM, EIO, EISDIR …, and whatever
 *   error nobody has thought of). Never normal.
 * - `malformed`: answered in a form this reader does not know, empty and cut off included.
 * - `timeout`: no answer within the deadline, e.g. a dead NFS mount.
 * - `refused`: not read on purpose: a name that nobody who may vouches for, or one that leads
 *   into a filesystem the kernel makes up.
 */
export type SourceErrorKind =
  'absent' | 'denied' | 'unsupported' | 'unreadable' | 'malformed' | 'timeout' | 'refused';

export interface SourceError {
  readonly kind: SourceErrorKind;
  /** What was being read: a path, a process, a device. */
  readonly subject: string;
  /** One line a person can act on. */
  readonly detail: string;
}

export function found<T, E = never>(value: T, faults: readonly E[] = []): Result<T, E> {
  return faults.length === 0 ? { ok: true, value } : { ok: true, value, faults };
}

export function failedWith<E>(error: E): Failure<E> {
  return { ok: false, error };
}

export function failed(kind: SourceErrorKind, subject: string, detail: string): Failure {
  return failedWith({ kind, subject, detail: bounded(detail) });
}

/** Much of what a detail quotes was written by others, in whatever length. */
const MAX_DETAIL = 300;

function bounded(detail: string): string {
  return detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL)}…` : detail;
}

/** This host, kernel or process simply has none of it; every other error is a failure. */
export function isAbsence({ kind }: SourceError): boolean {
  return kind === 'absent' || kind === 'unsupported';
}

/** The value, or undefined where there is none: for places where the reason no longer matters. */
export function toValue<T>(reading: Result<T, unknown>): T | undefined {
  return reading.ok ? reading.value : undefined;
}

/** The code of a call that this program itself did not let happen. */
export const REFUSED = 'REFUSED';
/**
 * Reads the parts of one value and keeps the books of those that were there but could not be read,
 * so that they cannot be mistaken for parts this host does not have.
 */
export class Faults {
  readonly #errors: SourceError[] = [];

  /** What could not be read so far. */
  get errors(): readonly SourceError[] {
    return this.#errors;
  }

  /** The value of a part not every host has. */
  optional<T>(part: Result<T>): T | undefined {
    if (part.ok) {
      if (part.faults !== undefined) this.#errors.push(...part.faults);
      return part.value;
    }
    if (!isAbsence(part.error)) this.#errors.push(part.error);
    return undefined;
  }

  /** As `optional`, of a part that only some users may read: being denied it is no fault. */
  permitted<T>(part: Result<T>): T | undefined {
    return !part.ok && part.error.kind === 'denied' ? undefined : this.optional(part);
  }

  /**
   * One field of a text: undefined where the text does not have it, and a fault where it is there
   * (`text` is not undefined) but `parse` makes nothing of it.
   */
  field<T>(
    text: string | undefined,
    parse: (text: string) => T | undefined,
    subject: string,
    name: string,
  ): T | undefined {
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) this.malformed(subject, `${name}: ${inShort(text)}`);
    return value;
  }

  /** Something that is there and was left out on purpose. */
  refused(subject: string, detail: string): void {
    this.#errors.push({ kind: 'refused', subject, detail });
  }

  malformed(subject: string, detail: string): void {
    this.#errors.push({ kind: 'malformed', subject, detail: bounded(detail) });
  }

  /** The value put together from the parts. */
  found<T>(value: T): Result<T> {
    return found(value, this.#errors);
  }
}

/** The beginning of a text, fit for one line of a log. */
export function inShort(text: string): string {
  const line = text.trim();
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

const KIND_OF_ERRNO: Readonly<Record<string, SourceErrorKind>> = {
  [REFUSED]: 'refused',
  ENOENT: 'absent',
  ESRCH: 'absent',
  ENODEV: 'absent',
  ENXIO: 'absent',
  ENOTDIR: 'absent',
  EACCES: 'denied',
  EPERM: 'denied',
  EOPNOTSUPP: 'unsupported',
  ENOTSUP: 'unsupported',
  ENOSYS: 'unsupported',
  ENODATA: 'unsupported',
  EINVAL: 'unsupported',
};

/** Turns what a `node:fs` call threw into a failed reading. */
export function failedFrom(error: unknown, subject: string): Failure {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    return failed(
      KIND_OF_ERRNO[code] ?? 'unreadable',
      subject,
      withoutPath(error.message, subject),
    );
  }
  return failed('unreadable', subject, String(error));
}

/** Node ends with the call and its path, which the subject names already. */
function withoutPath(message: string, subject: string): string {
  const match = /^(E[A-Z0-9]+: .*), \w+(?: '(.*)')?$/s.exec(message);
  if (match === null) return message;
  const [, reason = message, path = subject] = match;
  return path === subject ? reason : message;
}
