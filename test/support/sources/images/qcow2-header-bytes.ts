/** Fields of a qcow2 header to set; the rest is that of an empty 1 GiB image of QEMU's defaults. */
export interface HeaderFields {
  readonly version?: number;
  readonly backingOffset?: bigint;
  readonly backingSize?: number;
  readonly clusterBits?: number;
  readonly size?: bigint;
  readonly crypt?: number;
  readonly l1Entries?: number;
  readonly l1Offset?: bigint;
  readonly refcountTableClusters?: number;
  readonly snapshots?: number;
  readonly incompatible?: bigint;
  readonly compatible?: bigint;
  readonly autoclear?: bigint;
  readonly refcountOrder?: number;
  readonly headerLength?: number;
  readonly compression?: number;
  /** Extensions after the header, in order; an end marker follows. */
  readonly extensions?: readonly (readonly [type: number, data: Buffer, length?: number])[];
  /** Text put at `backingOffset`. */
  readonly backingName?: string;
}

/** The first 1024 bytes of a qcow2 file, by QEMU docs/interop/qcow2.txt. */
export function qcow2HeaderBytes(fields: HeaderFields = {}): Buffer {
  const version = fields.version ?? 3;
  const headerLength = fields.headerLength ?? (version === 2 ? 72 : 112);
  const bytes = Buffer.alloc(1024);
  bytes.write('QFI\xfb', 0, 'latin1');
  bytes.writeUInt32BE(version, 4);
  bytes.writeBigUInt64BE(fields.backingOffset ?? 0n, 8);
  bytes.writeUInt32BE(fields.backingSize ?? fields.backingName?.length ?? 0, 16);
  bytes.writeUInt32BE(fields.clusterBits ?? 16, 20);
  bytes.writeBigUInt64BE(fields.size ?? 1_073_741_824n, 24);
  bytes.writeUInt32BE(fields.crypt ?? 0, 32);
  bytes.writeUInt32BE(fields.l1Entries ?? 2, 36);
  bytes.writeBigUInt64BE(fields.l1Offset ?? 0x30000n, 40);
  bytes.writeBigUInt64BE(0x10000n, 48);
  bytes.writeUInt32BE(fields.refcountTableClusters ?? 1, 56);
  bytes.writeUInt32BE(fields.snapshots ?? 0, 60);
  if (version !== 2) {
    bytes.writeBigUInt64BE(fields.incompatible ?? 0n, 72);
    bytes.writeBigUInt64BE(fields.compatible ?? 0n, 80);
    bytes.writeBigUInt64BE(fields.autoclear ?? 0n, 88);
    bytes.writeUInt32BE(fields.refcountOrder ?? 4, 96);
    bytes.writeUInt32BE(headerLength, 100);
    bytes.writeUInt8(fields.compression ?? 0, 104);
  }
  let at = Math.min(headerLength, 512);
  for (const [type, data, length] of fields.extensions ?? []) {
    bytes.writeUInt32BE(type, at);
    bytes.writeUInt32BE(length ?? data.length, at + 4);
    data.copy(bytes, at + 8);
    at += 8 + Math.ceil(data.length / 8) * 8;
  }
  bytes.write(fields.backingName ?? '', Number(fields.backingOffset ?? 0n) % bytes.length);
  if (fields.backingName === undefined) bytes.write('QFI\xfb', 0, 'latin1');
  return bytes;
}
