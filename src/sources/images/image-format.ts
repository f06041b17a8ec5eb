import { IMAGE_FORMATS, type ImageFormat } from '../../model/image.ts';

/** As many bytes as {@link probeImageFormat} looks at. */
export const PROBE_BYTES = 512;

interface Magic {
  readonly at: number;
  readonly bytes: Buffer;
  readonly format: ImageFormat;
}

function magic(text: string, format: ImageFormat): Magic {
  return { at: 0, bytes: Buffer.from(text, 'latin1'), format };
}

/** From the *_probe() functions in QEMU's block/ and crypto/ directories. */
const MAGICS: readonly Magic[] = [
  magic('QFI\xfb\0\0\0\x01', 'qcow'),
  magic('QED\0', 'qed'),
  magic('KDMV', 'vmdk'),
  magic('COWD', 'vmdk'),
  magic('vhdxfile', 'vhdx'),
  magic('conectix', 'vpc'),
  // QEMU does not know version 2.
  magic('LUKS\xba\xbe\0\x01', 'luks'),
  { at: 0x40, bytes: Buffer.from([0x7f, 0x10, 0xda, 0xbe]), format: 'vdi' },
];

const CLOOP =
  '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n';

/**
 * The format the first bytes of an image speak for; `raw` when none is recognised. A DMG has no
 * such bytes and goes by its name, to QEMU too.
 *
 * Only for images whose format nobody declared. A guest owns the content of its raw disk and can
 * put any magic there, so a declared `raw` must not be second-guessed: QEMU and libvirt both trust
 * the declaration, and libvirt probes backing files only where the overlay names no format.
 */
export function probeImageFormat(bytes: Buffer, path: string): ImageFormat {
  const start = bytes.subarray(0, PROBE_BYTES);
  for (const one of MAGICS) {
    if (start.subarray(one.at, one.at + one.bytes.length).equals(one.bytes)) return one.format;
  }
  const text = start.toString('latin1');
  if (text.startsWith('QFI\xfb') && start.length >= 8 && start.readUInt32BE(4) >= 2) return 'qcow2';
  if (isParallels(text, start)) return 'parallels';
  if (isBochs(text, start)) return 'bochs';
  if (isVmdkDescriptor(text)) return 'vmdk';
  if (text.startsWith(CLOOP)) return 'cloop';
  if (path.endsWith('.dmg') && path.length > '.dmg'.length) return 'dmg';
  return 'raw';
}

function isParallels(text: string, start: Buffer): boolean {
  return (
    /^(?:WithoutFreeSpace|WithouFreSpacExt)/.test(text) &&
    start.length >= 64 &&
    start.readUInt32LE(16) === 2
  );
}

function isBochs(text: string, start: Buffer): boolean {
  return (
    start.length >= PROBE_BYTES &&
    text.startsWith('Bochs Virtual HD Image\0') &&
    text.startsWith('Redolog\0', 32) &&
    text.startsWith('Growing\0', 48) &&
    [0x10000, 0x20000].includes(start.readUInt32LE(64))
  );
}

/** Comments and blank lines, then the version. */
function isVmdkDescriptor(text: string): boolean {
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.startsWith('#') || /^ +\r?$/.test(line)) continue;
    return /^version=[123]\r?$/.test(line);
  }
  return false;
}

/** The format of a `<driver type='…'/>` or a qcow2 backing format; unknown names are `other`. */
export function declaredImageFormat(name: string): ImageFormat {
  // libvirt calls an ISO image "iso" and a directory "dir"; as bytes on disk the former is raw.
  if (name === 'iso' || name === 'host_device' || name === 'file') return 'raw';
  return IMAGE_FORMATS.find((format) => format === name) ?? 'other';
}
