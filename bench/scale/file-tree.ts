import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';

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

  link(path: string, target: string): void {
    symlinkSync(target, this.#place(path));
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
