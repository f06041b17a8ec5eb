/**
 * Directories into which a name may lead that nobody vouches for: one from the header of an image,
 * which whoever made the image wrote. All canonical paths.
 */
export class AllowedPlaces {
  readonly #directories: ReadonlySet<string>;
  readonly #above = new Set<string>();

  constructor(directories: Iterable<string>) {
    this.#directories = new Set(directories);
    for (const directory of this.#directories) {
      for (let path = directory; path !== '/';) {
        path = toParent(path);
        this.#above.add(path);
      }
    }
  }

  /** Within one of the directories. */
  holds(path: string): boolean {
    for (let at = path; ; at = toParent(at)) {
      if (this.#directories.has(at)) return true;
      if (at === '/') return false;
    }
  }

  /** Within one of the directories or on the way to it. */
  mayTouch(path: string): boolean {
    return this.#above.has(path) || this.holds(path);
  }
}

/** Directories that somebody named who may, and where each really is. */
export type NamedDirectories = ReadonlyMap<string, string>;

/**
 * The same file as `path` names, from the real place of the directory that allows it: of several
 * the innermost. Undefined where no directory does.
 *
 * `..` behind the directory stays, to be walked as the kernel walks it; where it leads out, the
 * walk ends. A `..` before that is taken out as text, which a link can make wrong; then the file is
 * not found.
 */
export function placedIn(path: string, directories: NamedDirectories): string | undefined {
  return fromDirectory(path, directories) ?? fromDirectory(normalized(path), directories);
}

function fromDirectory(path: string, directories: NamedDirectories): string | undefined {
  for (let at = path; at !== '/'; at = toParent(at)) {
    const canonical = directories.get(at);
    if (canonical !== undefined) return `${canonical}${path.slice(at.length)}`;
  }
  return undefined;
}

/** The directory a path names a file in; undefined where that is the root, which allows nothing. */
export function findDirectory(path: string): string | undefined {
  const directory = toParent(normalized(path));
  return directory === '/' ? undefined : directory;
}

/** Without `.`, `..` and repeated slashes, links not followed. */
export function normalized(path: string): string {
  const kept: string[] = [];
  for (const component of path.split('/')) {
    if (component === '..') kept.pop();
    else if (component !== '' && component !== '.') kept.push(component);
  }
  return `/${kept.join('/')}`;
}

function toParent(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
