import type { Deadline } from '../../runtime/deadline.ts';
import { toValue } from '../../runtime/result.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { HostFiles } from '../../sources/files/host-files.ts';
import { readMounts } from '../../sources/files/mounts.ts';
import { readSmallText, toTextLook } from '../../sources/files/small-text-file.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { withConfigFile, type QemuCommandLine } from '../../sources/process/qemu-command-line.ts';
import { MAX_CONFIG_BYTES, parseQemuConfig } from '../../sources/process/qemu-config-file.ts';
import { processKey, type CountedQemu } from '../../sources/process/qemu-census.ts';

/**
 * What QEMUs were told in files (`-readconfig`), as those of Incus and LXD are. Each file is read once in
 * the life of its process, which has done the same: what is in it later is of the next start. Read by the
 * processes for files that may hang. Keep one instance per exporter.
 */
export class QemuConfigFiles {
  readonly #roots: Roots;
  readonly #files: HostFiles;
  /** By process; undefined: there is no such file any more. */
  readonly #known = new Map<string, QemuCommandLine | undefined>();

  constructor(roots: Roots, files: HostFiles) {
    this.#roots = roots;
    this.#files = files;
  }

  /**
   * The same QEMUs, with what their files say where these could be read. One that is there and cannot be
   * read fails the collector `process`, and is tried again. Never rejects.
   */
  async complete(
    qemus: readonly CountedQemu[],
    log: OutcomeLog,
    deadline: Deadline,
  ): Promise<readonly CountedQemu[]> {
    const reading = qemus.filter(isReadable);
    const keys = new Set(reading.map(processKey));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    const fresh = reading.filter((qemu) => !this.#known.has(processKey(qemu)));
    if (fresh.length > 0) await log.runAsync('process', () => this.#read(fresh, log, deadline));
    return qemus.map((qemu) => {
      const commandLine = this.#known.get(processKey(qemu));
      return commandLine === undefined ? qemu : { ...qemu, commandLine };
    });
  }

  async #read(qemus: readonly CountedQemu[], log: OutcomeLog, deadline: Deadline): Promise<void> {
    const mounts = toValue(readMounts(this.#roots));
    if (mounts === undefined) return;
    const looks = await this.#files.look(
      qemus.map(({ commandLine }) => toTextLook(commandLine.readconfig ?? '')),
      mounts,
      deadline,
    );
    for (const [index, qemu] of qemus.entries()) {
      const look = looks[index];
      if (look === undefined) continue;
      const key = processKey(qemu);
      const { commandLine } = qemu;
      const subject = commandLine.readconfig ?? '';
      const text = look.ok
        ? await readSmallText(this.#files, look.value, subject, MAX_CONFIG_BYTES, deadline)
        : look;
      const words = text.ok ? parseQemuConfig(text.value, subject) : text;
      if (words.ok) this.#known.set(key, withConfigFile(commandLine, words.value));
      else if (words.error.kind === 'absent') this.#known.set(key, undefined);
      else log.fail('process', words.error);
    }
  }
}

/** In a container the name is one of its own files. */
function isReadable({ commandLine, isContained }: CountedQemu): boolean {
  return !isContained && commandLine.readconfig?.startsWith('/') === true;
}
