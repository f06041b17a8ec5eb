import type { FilesystemTraits } from '../filesystem.ts';

/**
 * Whether files can share or compress blocks, so that the sum of what they have allocated (st_blocks)
 * can exceed what is used. From the filesystem's type and mount options; `unknown` counts as can.
 */
export function canShareBlocks({ sharedExtents, compression }: FilesystemTraits): boolean {
  return sharedExtents !== 'never' || compression !== 'never';
}
