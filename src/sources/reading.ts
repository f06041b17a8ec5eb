/**
 * What a source gives back: the value, or why there is none. Every reader in this folder returns
 * one of these instead of throwing, so that "could not read" can never turn into a zero.
 */
export type Reading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SourceError };

/**
 * - `absent`: the file, process or device is not there (ENOENT, ESRCH, ENODEV). Often normal.
 * - `denied`: there, but not for us (EACCES, EPERM).
 * - `unsupported`: there, but the kernel does not answer (EOPNOTSUPP, EINVAL), e.g. PSI compiled
 *   in yet disabled.
 * - `malformed`: answered in a form this reader does not know.
 * - `timeout`: no answer within the deadline, e.g. a dead NFS mount.
 * - `refused`: not looked at on purpose: a name that nobody who may vouches for, or one that leads
 *   into a filesystem the kernel makes up.
 */
export type SourceErrorKind =
  'absent' | 'denied' | 'unsupported' | 'malformed' | 'timeout' | 'refused';

export interface SourceError {
  readonly kind: SourceErrorKind;
  /** What was being read: a path, a process, a device. */
  readonly subject: string;
  /** One line a person can act on. */
  readonly detail: string;
}

export function found<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function failed(kind: SourceErrorKind, subject: string, detail: string): Reading<never> {
  return { ok: false, error: { kind, subject, detail } };
}

/** The value, or undefined where there is none: for places where the reason no longer matters. */
export function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.ok ? reading.value : undefined;
}

/** The code of a call that this program itself did not let happen. */
export const REFUSED = 'REFUSED';

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
  EINVAL: 'unsupported',
};

/** Turns what a `node:fs` call threw into a failed reading. */
export function failedFrom(error: unknown, subject: string): Reading<never> {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    return failed(KIND_OF_ERRNO[code] ?? 'unsupported', subject, error.message);
  }
  return failed('unsupported', subject, String(error));
}
