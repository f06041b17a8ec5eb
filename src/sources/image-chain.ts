import type { ImageFile, ImageRequest } from './image-file.ts';
import type { SourceError } from './reading.ts';

/** A disk as the domain XML describes it. */
export interface DiskSource {
  /** First the disk's own image, then whatever <backingStore> elements follow, outermost first. */
  readonly declared: readonly [ImageRequest, ...ImageRequest[]];
  /** The XML ended the chain with an empty <backingStore/>: headers are not asked further. */
  readonly declaredToTheEnd: boolean;
}

export interface ChainImage {
  /** `data`: the external data file of the qcow2 at the same depth. */
  readonly role: 'leaf' | 'backing' | 'data';
  /** 0 for the leaf. */
  readonly depth: number;
  readonly image: ImageFile;
}

/**
 * Why the chain stops where it does.
 * - `complete`: the last image has no backing file.
 * - `remote`: the next image is not a local path (`nbd:`, `rbd:`, `https:`, opaque `json:`).
 * - `unspecified-format`: the format of an image was not declared and probing found one with a
 *   backing file. libvirt refuses to start such a guest; the name is not followed.
 * - `loop`, `too-deep`: refused.
 * - `unreadable`: the next image could not be looked at (missing, denied, hung mount …).
 * - `bad-header`: the last image's own header is no good.
 */
export type ChainEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'remote'; readonly reference: string; readonly protocol: string }
  | { readonly kind: 'unspecified-format'; readonly reference: string }
  | { readonly kind: 'loop'; readonly path: string }
  | { readonly kind: 'too-deep'; readonly limit: number }
  | { readonly kind: 'unreadable'; readonly path: string; readonly error: SourceError }
  | { readonly kind: 'bad-header'; readonly path: string; readonly error: SourceError };

export interface ImageChain {
  readonly disk: DiskSource;
  /** Leaf first. Empty when the leaf itself could not be looked at. */
  readonly images: readonly ChainImage[];
  readonly end: ChainEnd;
}
