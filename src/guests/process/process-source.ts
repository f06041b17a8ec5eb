import type { Domain } from '../../model/domain.ts';
import type { DomainConfig } from '../../model/domain-config.ts';
import type { HostFiles } from '../../sources/files/host-files.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import { processKey, type CountedQemu } from '../../sources/process/qemu-census.ts';
import { bareDomain } from '../bare-guest.ts';
import { nicsInSight } from '../libvirt/nic-counters.ts';
import type { Collection, GuestSource, Told } from '../source.ts';
import { aloneInGroup } from './alone-in-group.ts';
import { GuestProcessCollector, type GuestFacts } from './guest-process-collector.ts';
import { NamelessVcpus } from './nameless-vcpus.ts';
import { toProcessConfig } from './process-config.ts';
import { QemuConfigFiles } from './qemu-config-files.ts';

/**
 * Reads the processes of guests outside libvirt: what /proc and their cgroups say, by the key each is
 * given under. Keep one instance per source.
 */
export class ProcessFacts {
  readonly #collector: GuestProcessCollector;
  readonly #vcpus: NamelessVcpus;

  constructor(roots: Roots, pageBytes: number) {
    this.#collector = new GuestProcessCollector(roots, pageBytes, aloneInGroup(roots));
    this.#vcpus = new NamelessVcpus(roots);
  }

  /** Guests not reached before the deadline are missing. Never rejects. */
  async read(
    qemus: ReadonlyMap<string, CountedQemu>,
    { log, deadline }: Pick<Collection, 'log' | 'deadline'>,
  ): Promise<ReadonlyMap<string, GuestFacts>> {
    const processes = new Map(
      [...qemus].map(([key, qemu]) => {
        const { pid, startTimeTicks, stat, memoryFiles, commandLine } = qemu;
        const { name } = commandLine;
        return [key, { uuid: key, name, pid, startTimeTicks, stat, memoryFiles }];
      }),
    );
    const facts = await this.#collector.collect(processes, log, deadline, () => undefined);
    const keys = new Set([...qemus.values()].map(processKey));
    this.#vcpus.retain(keys);
    return new Map(
      [...facts].map(([key, { process, cgroup }]) => {
        const qemu = qemus.get(key);
        const named =
          process === undefined || qemu === undefined
            ? process
            : this.#vcpus.name(processKey(qemu), process);
        return [key, { process: named, cgroup }];
      }),
    );
  }
}

/** Part of the time that files may take. */
const FILES_SHARE = 0.3;

/**
 * QEMUs that no manager known here runs: started by hand or by a script, units of systemd, Incus and
 * LXD, Ganeti, pods of KubeVirt. All that is known of them is what the kernel says of their process and
 * group, and what their command line, or a file it names, says of their size. Nobody can be asked whether one is paused.
 */
export class ProcessSource implements GuestSource {
  readonly name = 'process';
  readonly #facts: ProcessFacts;
  readonly #configFiles: QemuConfigFiles;

  constructor(roots: Roots, pageBytes: number, files: HostFiles) {
    this.#facts = new ProcessFacts(roots, pageBytes);
    this.#configFiles = new QemuConfigFiles(roots, files);
  }

  async collect(collection: Collection): Promise<Told> {
    const { selects, log, deadline } = collection;
    const patience = deadline.share(FILES_SHARE);
    const qemus = await this.#configFiles.complete(collection.qemus, log, patience);
    const names = toNames(qemus);
    const selected = new Map(
      qemus.flatMap((qemu) =>
        selects(names.get(qemu.pid) ?? '') ? [[processKey(qemu), qemu] as const] : [],
      ),
    );
    const facts = await this.#facts.read(selected, collection);
    const network = log.wants('nic') ? await collection.network : undefined;
    const guests = [...selected].map(([key, qemu]): Domain => {
      const name = names.get(qemu.pid) ?? key;
      const config = withPlugged(toProcessConfig(qemu, name), facts.get(key));
      return bareDomain({
        name,
        uuid: key,
        source: 'process',
        active: true,
        config,
        nics: network === undefined ? undefined : nicsInSight(config, network),
        ...facts.get(key),
      });
    });
    return {
      up: true,
      configured: [],
      guests,
      claimed: new Set(qemus.map(({ pid }) => pid)),
    };
  }
}

/** vCPUs that were plugged in since the start have threads like the others. */
function withPlugged(config: DomainConfig, facts: GuestFacts | undefined): DomainConfig {
  const { current, maximum } = config.vcpu;
  const threads = facts?.process?.threads?.filter(({ role }) => role.kind === 'vcpu').length ?? 0;
  if (current === undefined || threads <= current) return config;
  const vcpu = { ...config.vcpu, current: threads, maximum: Math.max(threads, maximum ?? 0) };
  return { ...config, vcpu };
}

/** By pid. Names are what the guests were given; where two have one, the pid tells them apart. */
function toNames(qemus: readonly CountedQemu[]): ReadonlyMap<number, string> {
  const wanted = qemus.map((qemu) => ({ pid: qemu.pid, name: wantedName(qemu) }));
  const counts = Map.groupBy(wanted, ({ name }) => name);
  return new Map(
    wanted.map(({ pid, name }) => [
      pid,
      (counts.get(name)?.length ?? 0) > 1 ? `${name} (${pid})` : name,
    ]),
  );
}

const UNIT = /^(.+)\.(?:service|scope)$/;

function wantedName({ commandLine, group, pid }: CountedQemu): string {
  const leaf = group.slice(group.lastIndexOf('/') + 1);
  return commandLine.name ?? UNIT.exec(leaf)?.[1] ?? `qemu-${pid}`;
}
