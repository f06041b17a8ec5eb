import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { attempt, run, type CommandResult } from '../../../lab/command.ts';

/** What the .deb depends on, so that dpkg alone can install it. */
const DEPENDENCIES = ['libstdc++6', 'libatomic1', 'systemd-standalone-sysusers'] as const;

/** A small Debian in a folder, as debootstrap makes it, with its own /proc. */
export class DebianRoot implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(suite: string): Promise<DebianRoot> {
    const root = new DebianRoot(await mkdtemp(join(tmpdir(), `root-${suite}-`)));
    const options = ['--mode=root', '--variant=minbase', `--include=${DEPENDENCIES.join()}`];
    try {
      await run('mmdebstrap', [...options, '--quiet', suite, root.directory], {
        timeoutMs: 900_000,
      });
      await run('mount', ['-t', 'proc', 'proc', join(root.directory, 'proc')]);
    } catch (error) {
      await root[Symbol.asyncDispose]();
      throw error;
    }
    return root;
  }

  /** Puts a file into /tmp; its path inside. */
  async put(file: string): Promise<string> {
    await cp(file, join(this.directory, 'tmp', basename(file)));
    return `/tmp/${basename(file)}`;
  }

  run(command: string, ...args: readonly string[]): Promise<string> {
    return run('chroot', [this.directory, command, ...args], { timeoutMs: 300_000 });
  }

  attempt(command: string, ...args: readonly string[]): Promise<CommandResult> {
    return attempt('chroot', [this.directory, command, ...args], { timeoutMs: 300_000 });
  }

  /** Paths below these folders, sorted. */
  async files(...folders: readonly string[]): Promise<readonly string[]> {
    const lists = await Promise.all(
      folders.map(async (folder) => {
        const names = await readdir(join(this.directory, folder), { recursive: true });
        return names.map((name) => join(folder, name));
      }),
    );
    return lists.flat().sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt('umount', [join(this.directory, 'proc')]);
    await rm(this.directory, { recursive: true, force: true });
  }
}
