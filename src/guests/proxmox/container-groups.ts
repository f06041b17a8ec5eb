import { GuestCgroupCpuReader } from '../../sources/cgroup/cpu.ts';
import { readCgroupMounts, type CgroupMounts } from '../../sources/cgroup/cgroup.ts';
import { GuestCgroupMemoryReader } from '../../sources/cgroup/memory.ts';
import { readCgroupPressure } from '../../sources/host/pressure.ts';
import { ownerUid } from '../../sources/kernel/kernel-file.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { toValue } from '../../runtime/result.ts';
import type { GuestCgroupFacts } from '../../model/domain.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { PressureResource } from '../../model/pressure.ts';

interface Readers {
  readonly cpu: GuestCgroupCpuReader | undefined;
  readonly memory: GuestCgroupMemoryReader | undefined;
  readonly unifiedPath: string | undefined;
}

/** The group `lxc/<ctid>` of each running container. Keep one instance per exporter. */
export class ContainerGroups {
  readonly #roots: Roots;
  readonly #known = new Map<number, Readers>();
  #mounts: CgroupMounts | undefined;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** The container runs: a group of root's is there for it. */
  isThere(ctid: number): boolean {
    this.#mounts ??= toValue(readCgroupMounts(this.#roots));
    const { unified, v1 } = this.#mounts ?? {};
    const mounts = [unified, v1?.get('memory'), v1?.get('cpu')];
    const isThere = mounts.some(
      (mount) =>
        mount !== undefined &&
        ownerUid(`${mount.mountPoint}/lxc/${ctid}`) === ownerUid(mount.mountPoint),
    );
    if (!isThere) this.#known.delete(ctid);
    return isThere;
  }

  read(ctid: number, log: OutcomeLog): GuestCgroupFacts | undefined {
    return log.run('cgroup', () => {
      const readers = this.#known.get(ctid) ?? this.#open(ctid);
      this.#known.set(ctid, readers);
      const { cpu, memory, unifiedPath } = readers;
      const pressure = (resource: PressureResource) =>
        unifiedPath === undefined
          ? undefined
          : log.optional('cgroup', readCgroupPressure(unifiedPath, resource));
      return {
        cpu: cpu === undefined ? undefined : log.optional('cgroup', cpu.read(undefined)),
        memory: memory === undefined ? undefined : log.optional('cgroup', memory.read()),
        io: undefined,
        numa: undefined,
        pressure: { cpu: pressure('cpu'), memory: pressure('memory'), io: pressure('io') },
      };
    });
  }

  #open(ctid: number): Readers {
    const { unified, v1 } = this.#mounts ?? {};
    const directory = (controller: 'cpu' | 'cpuacct' | 'memory') => {
      const mount = v1?.get(controller) ?? (controller === 'cpuacct' ? undefined : unified);
      return mount === undefined
        ? undefined
        : {
            version: mount.version,
            path: `${mount.mountPoint}/lxc/${ctid}`,
            nestedPath: undefined,
          };
    };
    const cpu = directory('cpu');
    const memory = directory('memory');
    return {
      cpu: cpu === undefined ? undefined : new GuestCgroupCpuReader(cpu, directory('cpuacct')),
      memory: memory === undefined ? undefined : new GuestCgroupMemoryReader(memory),
      unifiedPath: unified === undefined ? undefined : `${unified.mountPoint}/lxc/${ctid}`,
    };
  }
}
