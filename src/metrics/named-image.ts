import { labelText } from '../exposition/labels.ts';
import type { Storage } from '../snapshot/storage.ts';
import type { ImageFile } from '../sources/image-file.ts';

/** One image of this host, however many disks, paths and chains lead to it. */
export interface NamedImage {
  /**
   * Its path with all symbolic links followed, of several hard links the first; of device-mapper
   * devices the one in /dev/mapper, since /dev/dm-<n> changes at the next boot.
   */
  readonly path: string;
  /** `{path="…"}` */
  readonly labels: string;
  /** Undefined where something is known to be there but could not be read. */
  readonly image: ImageFile | undefined;
}

export interface NamedImages {
  readonly all: readonly NamedImage[];
  /** `ImageFile.identity` to path, for disks to be joined with their images. */
  readonly pathOf: ReadonlyMap<string, string>;
}

/** Every image of every chain once, by its path. */
export function namedImages(storage: Storage | undefined): NamedImages {
  const files = new Map<string, ImageFile>();
  const unreadable = new Set<string>();
  for (const { source } of storage?.disks ?? []) {
    if (source.kind === 'remote') continue;
    const { images, end } = source.chain;
    if (end.kind === 'unreadable') unreadable.add(end.path);
    for (const { image } of images) {
      const known = files.get(image.identity);
      // The smallest path, so that the order of guests does not decide.
      if (known === undefined || toPath(image) < toPath(known)) files.set(image.identity, image);
    }
  }
  const byPath = new Map<string, ImageFile | undefined>();
  for (const path of unreadable) byPath.set(path, undefined);
  for (const file of files.values()) byPath.set(toPath(file), file);
  return {
    all: [...byPath].map(([path, image]) => ({
      path,
      labels: labelText(['path'], [path]),
      image,
    })),
    pathOf: new Map([...files].map(([identity, file]) => [identity, toPath(file)])),
  };
}

function toPath({ blockDevice, resolvedPath }: ImageFile): string {
  const name = blockDevice?.deviceMapperName;
  return name === undefined ? resolvedPath : `/dev/mapper/${name}`;
}
