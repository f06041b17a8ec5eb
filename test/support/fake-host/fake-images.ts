import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs';

import { qcow2HeaderBytes } from '../sources/images/qcow2-header-bytes.ts';
import { baseImage, type FakeGuest } from './fake-guest.ts';

const CAPACITY_BYTES = 40 * 2 ** 30;
const BACKING_NAME_OFFSET = 512n;

/** Makes the images of the guests: sparse, a page of memory each. */
export function writeImages(guests: readonly FakeGuest[], images: string): void {
  mkdirSync(images, { recursive: true });
  writeBaseImage(baseImage(images));
  for (const guest of guests) writeGuestImages(guest);
}

export function writeBaseImage(path: string): void {
  writeSparse(path, CAPACITY_BYTES / 8, header({ size: BigInt(CAPACITY_BYTES) }));
}

export function writeGuestImages({ systemImage, dataImage, baseImage: base }: FakeGuest): void {
  const overlay = header({
    size: BigInt(CAPACITY_BYTES),
    backingOffset: BACKING_NAME_OFFSET,
    backingSize: base.length,
    backingName: base,
  });
  writeSparse(systemImage, CAPACITY_BYTES / 10, overlay);
  writeSparse(dataImage, CAPACITY_BYTES, Buffer.alloc(0));
}

export function removeGuestImages({ systemImage, dataImage }: FakeGuest): void {
  for (const image of [systemImage, dataImage]) rmSync(image, { force: true });
}

/**
 * Every guest has just written to its system disk: the images' times are new, so the exporter has
 * to read each header again.
 */
export function touchSystemImages(guests: readonly FakeGuest[]): void {
  const now = new Date();
  for (const { systemImage } of guests) utimesSync(systemImage, now, now);
}

function header(fields: Parameters<typeof qcow2HeaderBytes>[0]): Buffer {
  const clusterBytes = 65_536;
  // One L1 entry per 512 MiB, as one L2 table of 64 KiB covers.
  const l1Entries = CAPACITY_BYTES / (clusterBytes * (clusterBytes / 8));
  return qcow2HeaderBytes({ ...fields, l1Entries });
}

function writeSparse(path: string, bytes: number, start: Uint8Array): void {
  const file = openSync(path, 'w');
  try {
    writeSync(file, start);
    ftruncateSync(file, bytes);
  } finally {
    closeSync(file);
  }
}
