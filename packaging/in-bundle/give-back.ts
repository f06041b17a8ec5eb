import { closeSync, openSync, readSync } from 'node:fs';

/** Once the first scrape is over, and then now and again. */
const AGAIN_MS = 10_000;
const LATER_MS = 600_000;

/** elf(5), of 64 bits and little-endian, which x86-64 and AArch64 are. */
const ELF = { header: 64, fixedAddresses: 2, load: 1, writable: 2 } as const;
/** The largest page of either processor: no page is shared with what lies beside. */
const LARGEST_PAGE = 65_536n;
/** Of madvise(2): the pages are mapped no longer, and come from the file again when they are used. */
const MADV_DONTNEED = 4;

interface Range {
  readonly start: bigint;
  readonly length: bigint;
}

/**
 * Gives back what only the start needed, at once and from time to time: pages of Node's program, of
 * which a scrape uses a third, and what malloc holds free (the parser's, mostly). 40 to 60 MB of 100.
 * The kernel would take the pages back itself, but not before it is short of memory.
 *
 * Only in the single executable, which is started with `--experimental-ffi`; elsewhere, and where a call
 * fails, everything stays as it is: nothing depends on it.
 */
export function giveBackFromNowOn(): void {
  const giveBack = calls();
  if (giveBack === undefined) return;
  giveBack();
  setTimeout(giveBack, AGAIN_MS).unref();
  setInterval(giveBack, LATER_MS).unref();
}

function calls(): (() => void) | undefined {
  try {
    const ffi = withoutWarnings(() => process.getBuiltinModule('node:ffi'));
    const { functions } = ffi.dlopen('libc.so.6', {
      madvise: { arguments: ['uint64', 'uint64', 'int32'], return: 'int32' },
      malloc_trim: { arguments: ['uint64'], return: 'int32' },
    });
    const ranges = unwritableRanges(process.execPath);
    return () => {
      functions.malloc_trim(0n);
      for (const { start, length } of ranges) functions.madvise(start, length, MADV_DONTNEED);
    };
  } catch {
    return undefined;
  }
}

/** For Node's "experimental" at each start: the executable holds the one Node this was written for. */
function withoutWarnings<T>(load: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Where the parts of this program are that nobody can have written to: not even the loader, whose
 * relocations are in the writable part. None where addresses are not fixed when it is linked.
 */
function unwritableRanges(program: string): readonly Range[] {
  const file = openSync(program, 'r');
  try {
    const read = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      if (readSync(file, bytes, 0, length, at) < length) throw new Error('cut short');
      return bytes;
    };
    const header = read(0, ELF.header);
    if (header.readUInt16LE(16) !== ELF.fixedAddresses) return [];
    const entrySize = header.readUInt16LE(54);
    const count = header.readUInt16LE(56);
    const table = read(Number(header.readBigUInt64LE(32)), entrySize * count);
    const entries = Array.from({ length: count }, (_, index) =>
      table.subarray(index * entrySize, (index + 1) * entrySize),
    );
    return entries
      .filter((entry) => entry.readUInt32LE(0) === ELF.load)
      .filter((entry) => (entry.readUInt32LE(4) & ELF.writable) === 0)
      .map((entry) => wholePages(entry.readBigUInt64LE(16), entry.readBigUInt64LE(40)))
      .filter(({ length }) => length > 0n);
  } finally {
    closeSync(file);
  }
}

function wholePages(from: bigint, size: bigint): Range {
  const start = ((from + LARGEST_PAGE - 1n) / LARGEST_PAGE) * LARGEST_PAGE;
  const end = ((from + size) / LARGEST_PAGE) * LARGEST_PAGE;
  return { start, length: end - start };
}
