import type { Deadline } from '../../runtime/deadline.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import {
  toFailure,
  toLook,
  type FoundFile,
  type HostFiles,
  type LookRequest,
} from './host-files.ts';

/** Most files of settings are smaller; others, as of guests with many snapshots, are read on. */
const FIRST_BYTES = 16 * 1024;

/** Asks for what {@link readSmallText} reads. */
export function toTextLook(path: string, known?: string): LookRequest {
  return toLook(path, FIRST_BYTES, known);
}

/**
 * The text of a regular file that {@link toTextLook} found; what is beyond its first bytes is read on.
 * `malformed` for one that is larger than `mostBytes`, and for what is no regular file.
 */
export async function readSmallText(
  files: HostFiles,
  file: FoundFile,
  subject: string,
  mostBytes: number,
  deadline: Deadline,
): Promise<Result<string>> {
  const { header, sizeBytes } = file.look;
  if (header === undefined) return failed('malformed', subject, 'not a regular file');
  if (header.kind === 'failed') return toFailure(header, subject);
  if (sizeBytes <= BigInt(header.bytes.length)) return found(toText(header.bytes));
  if (sizeBytes > BigInt(mostBytes)) {
    return failed('malformed', subject, `larger than ${mostBytes} bytes`);
  }
  const whole = await files.readBytes(file, 0, mostBytes, deadline);
  return whole.ok ? found(toText(whole.value)) : whole;
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
