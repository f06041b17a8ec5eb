/** Image formats told apart by their first bytes; `raw` is what is left. QEMU's driver names. */
export const IMAGE_FORMATS = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vmdk',
  'vdi',
  'vhdx',
  'vpc',
  'luks',
  'parallels',
  'dmg',
  'bochs',
  'cloop',
  'other',
] as const;

export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** As many bytes as {@link probeImageFormat} looks at. */
export const PROBE_BYTES = 512;

interface Magic {
  readonly at: number;
  readonly bytes: Buffer;
  readonly format: ImageFormat;
}

/** From the *_probe() functions in QEMU's block/ and crypto/ directories. */
const MAGICS: readonly Magic[] = [
  { at: 0, bytes: Buffer.from('QFI\xfb\0\0\0\x01', 'latin1'), format: 'qcow' },
  { at: 0, bytes: Buffer.from('QFI\xfb', 'latin1'), format: 'qcow2' },
  { at: 0, bytes: Buffer.from('QED\0', 'latin1'), format: 'qed' },
  { at: 0, bytes: Buffer.from('KDMV', 'latin1'), format: 'vmdk' },
  { at: 0, bytes: Buffer.from('COWD', 'latin1'), format: 'vmdk' },
  { at: 0, bytes: Buffer.from('# Disk DescriptorFile', 'latin1'), format: 'vmdk' },
  { at: 0, bytes: Buffer.from('vhdxfile', 'latin1'), format: 'vhdx' },
  { at: 0, bytes: Buffer.from('conectix', 'latin1'), format: 'vpc' },
  { at: 0, bytes: Buffer.from('LUKS\xba\xbe', 'latin1'), format: 'luks' },
  { at: 0, bytes: Buffer.from('WithoutFreeSpace', 'latin1'), format: 'parallels' },
  { at: 0, bytes: Buffer.from('WithouFreSpacExt', 'latin1'), format: 'parallels' },
  { at: 0, bytes: Buffer.from('Bochs Virtual HD Image', 'latin1'), format: 'bochs' },
  { at: 0x40, bytes: Buffer.from([0x7f, 0x10, 0xda, 0xbe]), format: 'vdi' },
];

/**
 * The format the first bytes of an image speak for; `raw` when none is recognised.
 *
 * Only for images whose format nobody declared. A guest owns the content of its raw disk and can
 * put any magic there, so a declared `raw` must not be second-guessed: QEMU and libvirt both trust
 * the declaration, and libvirt probes backing files only where the overlay names no format.
 */
export function probeImageFormat(start: Buffer): ImageFormat {
  for (const { at, bytes, format } of MAGICS) {
    if (
      start.length >= at + bytes.length &&
      start.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0
    ) {
      return format;
    }
  }
  return 'raw';
}

/** The format of a `<driver type='…'/>` or a qcow2 backing format; unknown names are `other`. */
export function declaredImageFormat(name: string): ImageFormat {
  // libvirt calls an ISO image "iso" and a directory "dir"; as bytes on disk the former is raw.
  if (name === 'iso' || name === 'host_device' || name === 'file') return 'raw';
  return IMAGE_FORMATS.find((format) => format === name) ?? 'other';
}
