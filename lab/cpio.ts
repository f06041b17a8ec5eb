/** One member of an initramfs. Directories and device nodes have no content. */
export type ArchiveEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly executable: boolean;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'device';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
    };

const ALIGNMENT = 4;

/**
 * An uncompressed cpio archive in the "newc" format, which is what the kernel unpacks as initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst): a 110-byte header of hexadecimal
 * fields, the name, the content, each padded to 4 bytes. Every time is 0 and every inode a running
 * number, so equal entries give equal bytes.
 */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = [];
  entries.forEach((entry, index) => {
    parts.push(member(index + 1, entry.path, modeOf(entry), contentOf(entry), deviceOf(entry)));
  });
  parts.push(member(0, 'TRAILER!!!', 0, Buffer.alloc(0), [0, 0]));
  return Buffer.concat(parts);
}

function modeOf(entry: ArchiveEntry): number {
  switch (entry.kind) {
    case 'directory':
      return 0o040755;
    case 'file':
      return entry.executable ? 0o100755 : 0o100644;
    case 'link':
      return 0o120777;
    case 'device':
      return 0o020600;
  }
}

function contentOf(entry: ArchiveEntry): Uint8Array {
  if (entry.kind === 'file') return entry.content;
  if (entry.kind === 'link') return Buffer.from(entry.target);
  return Buffer.alloc(0);
}

function deviceOf(entry: ArchiveEntry): readonly [number, number] {
  return entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0];
}

function member(
  inode: number,
  path: string,
  mode: number,
  content: Uint8Array,
  [major, minor]: readonly [number, number],
): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = [
    inode,
    mode,
    0, // uid
    0, // gid
    1, // links
    0, // time
    content.length,
    0, // device the archive was on
    0,
    major,
    minor,
    name.length,
    0, // checksum, unused in this variant
  ];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([
    padded(Buffer.concat([Buffer.from(header), name])),
    padded(Buffer.from(content)),
  ]);
}

function padded(bytes: Buffer): Buffer {
  const missing = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}
