import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

import { failed, failedFrom, found, type Result } from '../../runtime/result.ts';
import type { Roots } from './roots.ts';

/** Tag of the page size in the auxiliary vector (include/uapi/linux/auxvec.h). */
const AT_PAGESZ = 6n;
const AT_NULL = 0n;
const ENTRY_BYTES = 16;

/**
 * Bytes per base page, from AT_PAGESZ in `<procfs>/self/auxv`: what `getconf PAGESIZE` says,
 * without running it. 4096 on x86 and most arm64, 65536 on ppc64 and some arm64 kernels. It cannot
 * change while the kernel runs; read it once.
 */
export function readPageSize(roots: Roots): Result<number> {
  const path = `${roots.procfs}/self/auxv`;
  try {
    // Binary, so not through readKernelFile.
    return parsePageSize(readFileSync(path), path);
  } catch (error) {
    return failedFrom(error, path);
  }
}

export function parsePageSize(
  auxiliaryVector: Uint8Array,
  subject: string,
  byteOrder: 'BE' | 'LE' = endianness(),
): Result<number> {
  const view = new DataView(
    auxiliaryVector.buffer,
    auxiliaryVector.byteOffset,
    auxiliaryVector.byteLength,
  );
  const little = byteOrder === 'LE';
  for (let offset = 0; offset + ENTRY_BYTES <= view.byteLength; offset += ENTRY_BYTES) {
    const tag = view.getBigUint64(offset, little);
    if (tag === AT_NULL) break;
    if (tag !== AT_PAGESZ) continue;
    const size = Number(view.getBigUint64(offset + 8, little));
    const plausible = size >= 4096 && size <= 1024 * 1024 && Number.isInteger(Math.log2(size));
    if (!plausible) return failed('malformed', subject, `page size ${size} is not a power of two`);
    return found(size);
  }
  return failed('malformed', subject, 'no AT_PAGESZ entry');
}
