/**
 * Every way a libvirt call can fail, one class each, so that a caller can tell "the daemon is not
 * there" from "the daemon refused" from "the daemon is slow" without reading messages.
 */
export type LibvirtErrorKind =
  'address' | 'connect' | 'auth' | 'rpc' | 'timeout' | 'aborted' | 'protocol' | 'closed';

/** The common parent: `error instanceof LibvirtError` catches all that this module throws. */
export abstract class LibvirtError extends Error {
  abstract readonly kind: LibvirtErrorKind;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The connection URI cannot be used by this client (unknown transport, remote host, no path). */
export class AddressError extends LibvirtError {
  readonly kind = 'address';
}

/** One socket that was tried, and what the kernel said. */
export interface ConnectAttempt {
  readonly path: string;
  /** errno name, for example ENOENT, ECONNREFUSED, EACCES; ETIMEDOUT when our deadline passed. */
  readonly code: string;
}

/** No candidate socket accepted a connection. */
export class ConnectError extends LibvirtError {
  readonly kind = 'connect';
  readonly attempts: readonly ConnectAttempt[];

  constructor(attempts: readonly ConnectAttempt[]) {
    const tried = attempts.map(({ path, code }) => `${path}: ${code}`).join('; ');
    super(`cannot connect to libvirt (${tried}). ${connectAdvice(attempts)}`);
    this.attempts = attempts;
  }
}

function connectAdvice(attempts: readonly ConnectAttempt[]): string {
  const codes = new Set(attempts.map(({ code }) => code));
  if (codes.has('EACCES') || codes.has('EPERM')) {
    return 'The socket is there but this user may not open it: check its mode and its directory.';
  }
  if (codes.has('ECONNREFUSED')) {
    return (
      'A socket file is there but nobody listens: start the daemon; in a container mount the ' +
      'directory /run/libvirt instead of the socket file, which goes stale on a daemon restart.'
    );
  }
  if (codes.has('ETIMEDOUT') || codes.has('EAGAIN')) {
    return 'The daemon does not accept connections: it is hung or out of client slots.';
  }
  return (
    'Start virtqemud or libvirtd and its read-only socket (virtqemud-ro.socket or ' +
    'libvirtd-ro.socket), or name the socket in the URI: qemu+unix:///system?socket=/path.'
  );
}

/** The daemon wants an authentication this client cannot give, or polkit said no. */
export class AuthError extends LibvirtError {
  readonly kind = 'auth';
}

/** The fields of libvirt's virError as sent in an error reply; absent strings are undefined. */
export interface RpcErrorFields {
  /** virErrorNumber, see {@link errorCodes}. */
  readonly code: number;
  /** virErrorDomain: which part of libvirt raised it (10 QEMU, 12 test driver, 20 domain …). */
  readonly domain: number;
  readonly message: string | undefined;
  /** virErrorLevel: 0 none, 1 warning, 2 error. */
  readonly level: number;
  readonly str1: string | undefined;
  readonly str2: string | undefined;
  readonly str3: string | undefined;
  readonly int1: number;
  readonly int2: number;
}

/** The daemon answered the call with an error. The connection stays usable. */
export class RpcError extends LibvirtError {
  readonly kind = 'rpc';
  readonly code: number;
  readonly errorDomain: number;
  readonly level: number;
  readonly procedure: number;
  readonly fields: RpcErrorFields;

  constructor(fields: RpcErrorFields, procedure: number) {
    super(fields.message ?? `libvirt error code ${fields.code} without a message`);
    this.code = fields.code;
    this.errorDomain = fields.domain;
    this.level = fields.level;
    this.procedure = procedure;
    this.fields = fields;
  }
}

/** No reply within the deadline. When `sent`, the daemon is still working on it. */
export class CallTimeoutError extends LibvirtError {
  readonly kind = 'timeout';
  readonly procedure: number;
  readonly deadlineMs: number;
  /** False: the call never left the queue because the connection's window was full. */
  readonly sent: boolean;

  constructor(procedure: number, deadlineMs: number, sent: boolean) {
    const where = sent ? 'no reply' : 'not sent, all call slots were taken';
    super(`libvirt procedure ${procedure}: ${where} within ${deadlineMs} ms`);
    this.procedure = procedure;
    this.deadlineMs = deadlineMs;
    this.sent = sent;
  }
}

/** The caller's AbortSignal fired; its reason is in `cause`. */
export class CallAbortedError extends LibvirtError {
  readonly kind = 'aborted';
}

/** The peer sent something that is not the libvirt protocol. The connection is closed. */
export class ProtocolError extends LibvirtError {
  readonly kind = 'protocol';
}

/** The connection is gone, or went before the reply came. `cause` holds the reason, if known. */
export class ClosedError extends LibvirtError {
  readonly kind = 'closed';
}

/**
 * The daemon's word that a guest is gone, or no longer running: it ended after it was listed, which is
 * no fault of anybody.
 */
export function isGuestEnded({ code }: RpcError): boolean {
  return code === errorCodes.noDomain || code === errorCodes.operationInvalid;
}

/** The virErrorNumber values a monitoring client meets (include/libvirt/virterror.h). */
export const errorCodes = {
  internalError: 1,
  noSupport: 3,
  operationFailed: 9,
  /** Among others: "operation forbidden: read only access prevents …". */
  operationDenied: 29,
  systemError: 38,
  /** Unknown procedure or program, message too large, too many list elements. */
  rpc: 39,
  noDomain: 42,
  noNetwork: 43,
  authFailed: 45,
  noStoragePool: 49,
  operationInvalid: 55,
  operationTimeout: 68,
  argumentUnsupported: 74,
  authCancelled: 79,
  accessDenied: 88,
} as const;
