import type { Deadline } from '../../runtime/deadline.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import { toFailure, type FoundFile, type HostFiles } from './host-files.ts';

/**
 * The text of a regular file that was found with some of its header; what is beyond that is read on.
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
