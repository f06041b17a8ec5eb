import type { Deadline } from '../../runtime/deadline.ts';
import { toLook, type HostFiles } from '../../sources/files/host-files.ts';
import { readMounts } from '../../sources/files/mounts.ts';
import type { Roots } from '../../sources/kernel/roots.ts';

/** Where libvirt keeps the definitions of its guests (libvirt docs/drvqemu). */
const DIRECTORY = '/etc/libvirt/qemu';
const TTL_MS = 60_000;

/**
 * Whether guests of libvirt are defined on this host. Then a libvirt that does not answer is missed; on a
 * host that has never had one it is not.
 */
export class LibvirtTraces {
  readonly #roots: Roots;
  readonly #files: HostFiles;
  #last: { readonly areThere: boolean; readonly at: number } | undefined;

  constructor(roots: Roots, files: HostFiles) {
    this.#roots = roots;
    this.#files = files;
  }

  /** Never rejects. A directory that is there and cannot be read may hold any guest. */
  async areThere(deadline: Deadline): Promise<boolean> {
    const now = performance.now();
    if (this.#last !== undefined && now - this.#last.at < TTL_MS) return this.#last.areThere;
    const areThere = await this.#look(deadline);
    this.#last = { areThere, at: now };
    return areThere;
  }

  async #look(deadline: Deadline): Promise<boolean> {
    const mounts = readMounts(this.#roots);
    if (!mounts.ok) return true;
    const directory = await this.#files.lookAt(toLook(DIRECTORY, 0), mounts.value, deadline);
    if (!directory.ok) return directory.error.kind !== 'absent';
    const names = await this.#files.list(directory.value, deadline);
    return names.ok ? names.value.some((name) => name.endsWith('.xml')) : true;
  }
}
