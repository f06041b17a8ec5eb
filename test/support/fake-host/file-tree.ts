import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

/** Writes files and links into one directory; a directory is made when something is put into it. */
export class FileTree {
  readonly root: string;
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  write(path: string, content: string | Uint8Array): void {
    writeFileSync(this.#place(path), content);
  }

  /** Several files of one directory, by name. */
  writeAll(directory: string, files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      this.write(`${directory}/${name}`, content);
    }
  }

  /** A file whose reader finds the old content or the new one, nothing between. */
  replace(path: string, content: string): void {
    const place = this.#place(path);
    writeFileSync(`${place}.new`, content);
    renameSync(`${place}.new`, place);
  }

  /** Takes a file or directory over from another tree, whole. */
  take(from: FileTree, path: string): void {
    renameSync(`${from.root}/${path}`, this.#place(path));
    from.#forget(path);
  }

  /** Removes a file, a link or a directory. */
  remove(path: string): void {
    rmSync(`${this.root}/${path}`, { recursive: true, force: true });
    this.#forget(path);
  }

  link(path: string, target: string): void {
    symlinkSync(target, this.#place(path));
  }

  #forget(path: string): void {
    for (const directory of this.#made) {
      if (directory === path || directory.startsWith(`${path}/`)) this.#made.delete(directory);
    }
  }

  #place(path: string): string {
    const directory = path.slice(0, path.lastIndexOf('/'));
    if (!this.#made.has(directory)) {
      mkdirSync(`${this.root}/${directory}`, { recursive: true });
      this.#made.add(directory);
    }
    return `${this.root}/${path}`;
  }
}
