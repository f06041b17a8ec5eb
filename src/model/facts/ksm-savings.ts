import type { Host } from '../host.ts';

/** From /sys/kernel/mm/ksm, times the page size. */
export interface KsmSavings {
  /** pages_sharing: mappings beyond the first of each merged page. */
  readonly sharingBytes: number;
  /**
   * ksm_zero_pages: mappings replaced by the kernel's zero page. 0 where the file is absent: such a
   * kernel puts zero pages into the sharing ones or leaves them alone.
   */
  readonly zeroBytes: number;
}

/** Undefined: the kernel has no KSM, or it was not read. */
export function computeKsmSavings({ ksm, pageBytes }: Host): KsmSavings | undefined {
  if (ksm?.pagesSharing === undefined) return undefined;
  return {
    sharingBytes: ksm.pagesSharing * pageBytes,
    zeroBytes: (ksm.zeroPages ?? 0) * pageBytes,
  };
}
