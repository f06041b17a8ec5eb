import type { ConfiguredGuest, Domain } from '../../model/domain.ts';
import type { DomainConfig } from '../../model/domain-config.ts';
import { emptyOwner } from '../../model/guest-owner.ts';
import type { HostFiles } from '../../sources/files/host-files.ts';
import { listKernelDirectory } from '../../sources/kernel/kernel-file.ts';
import type { Roots } from '../../sources/kernel/roots.ts';
import type { CountedQemu } from '../../sources/process/qemu-census.ts';
import { readProcessStat } from '../../sources/process/stat.ts';
import { toValue, type SourceError } from '../../runtime/result.ts';
import type { NetworkLinks } from '../../model/network.ts';
import type { OutcomeLog } from '../../model/outcome-log.ts';
import type { ThinPool } from '../../model/storage.ts';
import { bareDomain } from '../bare-guest.ts';
import { nicsInSight } from '../libvirt/nic-counters.ts';
import type { GuestFacts } from '../process/guest-process-collector.ts';
import { ProcessFacts } from '../process/process-source.ts';
import type { Collection, GuestSource, SourceChoice, Told } from '../source.ts';
import { toContainerConfig } from './container-config.ts';
import { ContainerGroups } from './container-groups.ts';
import { toBoolean, type GuestConf } from './guest-conf.ts';
import { ProxmoxFiles, type PveFiles } from './proxmox-files.ts';
import { MAX_AGE_SECONDS, type PveStatistics, type PveVmStatistics } from './statistics.ts';
import { thinPoolOf } from './storage-conf.ts';
import { toVmConfig } from './vm-config.ts';
import { toVmState } from './vm-state.ts';

/** Part of the time that files may take. */
const FILES_SHARE = 0.5;
/** A host that is no node becomes one by an installation, not between two collections. */
const NO_NODE_TTL_MS = 60_000;

interface Vm {
  readonly vmid: number;
  readonly key: string;
  readonly name: string;
  readonly conf: GuestConf;
  readonly qemu: CountedQemu | undefined;
}

/**
 * VMs and containers of a Proxmox VE node, from files, processes and groups alone: neither its API nor
 * the monitor of a VM is asked, of which there is one and Proxmox VE's own tools need it.
 *
 * The config says what a guest was given; which VMs run their processes say; how full balloons are, what
 * went through disks and whether one is paused pvestatd has asked their QEMUs and written down.
 */
export class ProxmoxSource implements GuestSource {
  readonly name = 'proxmox';
  readonly #roots: Roots;
  readonly #files: ProxmoxFiles;
  readonly #facts: ProcessFacts;
  readonly #containers: ContainerGroups;
  readonly #isNamed: boolean;
  /** As of the last time they could be read. */
  #known: PveFiles | undefined;
  /** In `performance.now()` time. */
  #noNodeUntil = -Infinity;

  constructor(roots: Roots, files: HostFiles, pageBytes: number, { named }: SourceChoice) {
    this.#roots = roots;
    this.#files = new ProxmoxFiles(roots, files);
    this.#facts = new ProcessFacts(roots, pageBytes);
    this.#containers = new ContainerGroups(roots);
    this.#isNamed = named.has('proxmox');
  }

  async collect(collection: Collection): Promise<Told | undefined> {
    const { log, qemus, deadline } = collection;
    const hasScope = qemus.some(({ scope }) => scope?.manager === 'proxmox');
    if (!hasScope && performance.now() < this.#noNodeUntil) return undefined;
    // What hangs there is not to cost the processes their time.
    const patience = deadline.share(FILES_SHARE);
    const reading = await log.runAsync('domain', () => this.#files.read(patience));
    if (reading === undefined) return undefined;
    if (!reading.ok) {
      const isAbsent = reading.error.kind === 'absent';
      const isExpected = this.#isNamed || hasScope || this.#known !== undefined;
      if (isAbsent && !isExpected) {
        this.#noNodeUntil = performance.now() + NO_NODE_TTL_MS;
        return undefined;
      }
      log.fail('domain', reading.error);
    } else {
      this.#known = reading.value;
      for (const fault of reading.value.faults) log.fail('domain', fault);
    }
    const files = this.#known;
    if (files === undefined) {
      return { up: false, configured: [], guests: [], claimed: new Set() };
    }
    return this.#tell(files, reading.ok && reading.value.faults.length === 0, collection);
  }

  async #tell(files: PveFiles, up: boolean, collection: Collection): Promise<Told> {
    const { log, selects, qemus } = collection;
    const byVmid = processesByVmid(qemus);
    const vms = [...files.vms].flatMap(([vmid, conf]): readonly Vm[] => {
      if (toBoolean(conf.values.get('template')) === true) return [];
      const name = `${vmid}/${conf.values.get('name') ?? `vm${vmid}`}`;
      const vm = { vmid, key: `pve:${vmid}`, name, conf, qemu: byVmid.get(vmid) };
      return selects(name) ? [vm] : [];
    });
    const running = new Map(
      vms.flatMap(({ key, qemu }) => (qemu === undefined ? [] : [[key, qemu] as const])),
    );
    const facts = await this.#facts.read(running, collection);
    const network = log.wants('nic') ? await collection.network : undefined;
    const statistics = this.#findStatistics(files, log);
    const guests = vms.map((vm) => {
      const active = vm.qemu !== undefined || this.#isRunning(statistics?.vms.get(vm.vmid));
      return toVm(vm, active, files, statistics, facts.get(vm.key), network, log);
    });
    const hostCpus = files.containers.size === 0 ? undefined : countCpus(this.#roots);
    const containers = [...files.containers].flatMap(([ctid, conf]) => {
      if (toBoolean(conf.values.get('template')) === true) return [];
      const name = `${ctid}/${conf.values.get('hostname') ?? `CT${ctid}`}`;
      return selects(name) ? [this.#toContainer(ctid, name, conf, files, hostCpus, log)] : [];
    });
    const all = [...guests, ...containers];
    return {
      up,
      guests: all,
      configured: all.map(({ name, uuid, config }): ConfiguredGuest => ({
        name,
        uuid,
        config,
        memoryFiles: running.get(uuid)?.memoryFiles ?? [],
      })),
      // Also those that were not selected: they are nobody else's.
      claimed: new Set([...files.vms.keys()].flatMap((vmid) => byVmid.get(vmid)?.pid ?? [])),
      writtenAtSeconds: files.statistics?.atSeconds,
      thinPools: statistics === undefined ? [] : toThinPools(files, statistics),
    };
  }

  /** What pvestatd wrote, unless it is of another time; then pvestatd is named, and no guest. */
  #findStatistics(files: PveFiles, log: OutcomeLog): PveStatistics | undefined {
    const { statistics, statisticsFault } = files;
    const fault = statisticsFault ?? (statistics && findStaleness(statistics));
    if (fault === undefined) return statistics;
    for (const collector of ['balloon', 'block'] as const) {
      if (log.wants(collector)) log.fail(collector, fault);
    }
    return undefined;
  }

  /** As pvestatd has it, of a VM whose process was not found. */
  #isRunning(said: PveVmStatistics | undefined): boolean {
    if (said?.status !== 'running') return false;
    return said.pid === undefined || !isProcessGone(this.#roots, said.pid);
  }

  #toContainer(
    ctid: number,
    name: string,
    conf: GuestConf,
    files: PveFiles,
    hostCpus: number | undefined,
    log: OutcomeLog,
  ): Domain {
    const active = this.#containers.isThere(ctid);
    return bareDomain({
      name,
      uuid: `pve:${ctid}`,
      source: 'proxmox',
      active,
      ...toVmState(active, undefined, conf.values.get('lock')),
      persistent: true,
      autostart: startsItself(ctid, conf, files),
      config: {
        ...toContainerConfig(ctid, name, conf, files.storages, hostCpus),
        ...toOwnership(ctid, conf, files),
      },
      cgroup: active ? this.#containers.read(ctid, log) : undefined,
    });
  }
}

/** Why statistics tell of another time; undefined where they do not. */
function findStaleness({ atSeconds }: PveStatistics): SourceError | undefined {
  const ageSeconds = Date.now() / 1000 - atSeconds;
  if (ageSeconds <= MAX_AGE_SECONDS) return undefined;
  return {
    kind: 'timeout',
    subject: '/run/pve/metrics',
    detail: `written ${Math.round(ageSeconds)} s ago: pvestatd does not run, or hangs; see systemctl status pvestatd`,
  };
}

/**
 * A VM's process says its number itself, in the scope of that number. Where there are no such scopes, as
 * under cgroup v1 without systemd, only what root started is believed (see QemuCensus).
 */
function processesByVmid(qemus: readonly CountedQemu[]): ReadonlyMap<number, CountedQemu> {
  const processes = new Map<number, CountedQemu>();
  for (const qemu of qemus) {
    const { scope, commandLine } = qemu;
    if (commandLine.vmid === undefined) continue;
    const isScoped = scope?.manager === 'proxmox';
    if (isScoped && scope.vmid !== commandLine.vmid) continue;
    const known = processes.get(commandLine.vmid);
    if (known?.scope === undefined || isScoped) processes.set(commandLine.vmid, qemu);
  }
  return processes;
}

/** One for each pool, though several storages may lie in it. */
function toThinPools({ storages }: PveFiles, statistics: PveStatistics): readonly ThinPool[] {
  const pools = new Map<string, ThinPool>();
  for (const storage of storages.values()) {
    const measured = statistics.storages.get(storage.id);
    const pool = thinPoolOf(storage);
    if (measured === undefined || pool === undefined) continue;
    const [vgName, name = ''] = pool.split('/');
    pools.set(pool, {
      vgName,
      name,
      sizeBytes: measured.totalBytes,
      dataUsedBytes: measured.usedBytes,
      metadataSizeBytes: undefined,
      metadataUsedBytes: undefined,
      state: 'unknown',
      needsCheck: undefined,
      queueWhenFull: undefined,
      monitored: undefined,
      vgFreeBytes: undefined,
    });
  }
  return [...pools.values()];
}

/** Above this, a VM that runs and of which pvestatd has nothing did not answer it. */
const YOUNG_SECONDS = 60;

function toVm(
  { vmid, key, name, conf }: Vm,
  active: boolean,
  files: PveFiles,
  statistics: PveStatistics | undefined,
  facts: GuestFacts | undefined,
  network: NetworkLinks | undefined,
  log: OutcomeLog,
): Domain {
  const said = statistics?.vms.get(vmid);
  const now = active && said?.status === 'running' ? said : undefined;
  const config = {
    ...toVmConfig(vmid, name, conf, files.storages),
    ...toOwnership(vmid, conf, files),
  };
  const startSeconds = facts?.process?.startSeconds;
  const isOld =
    statistics !== undefined &&
    startSeconds !== undefined &&
    statistics.atSeconds - startSeconds > YOUNG_SECONDS;
  const hasAnswered = now?.balloon !== undefined || now?.disks !== undefined;
  const monitor = hasAnswered
    ? 'responsive'
    : now !== undefined && isOld
      ? 'unresponsive'
      : 'unasked';
  return bareDomain({
    name,
    uuid: key,
    source: 'proxmox',
    active,
    ...toVmState(active, now, conf.values.get('lock')),
    persistent: true,
    autostart: startsItself(vmid, conf, files),
    config,
    monitor,
    balloon: log.wants('balloon') ? now?.balloon : undefined,
    disks: log.wants('block') ? now?.disks : undefined,
    nics: !active || network === undefined ? undefined : nicsInSight(config, network),
    ...facts,
  });
}

/**
 * The process with this number has ended. Of processes that are hidden from this one (`hidepid` of /proc)
 * nothing can be said: then the first process of the host, root's as a VM's is, is hidden as well.
 */
function isProcessGone(roots: Roots, pid: number): boolean {
  const reading = readProcessStat(roots, pid);
  return !reading.ok && reading.error.kind === 'absent' && readProcessStat(roots, 1).ok;
}

/** The pool is the nearest thing to a tenant that Proxmox VE has. */
function toOwnership(
  vmid: number,
  { values }: GuestConf,
  { pools }: PveFiles,
): Pick<DomainConfig, 'owner' | 'metadataLabels'> {
  const tags = (values.get('tags') ?? '').split(/[;,\s]+/).filter((tag) => tag !== '');
  return {
    owner: { ...emptyOwner('proxmox'), tenant: pools.get(vmid), image: values.get('ostype') },
    metadataLabels: tags.length === 0 ? [] : [{ label: 'tags', value: tags.join(';') }],
  };
}

function startsItself(vmid: number, { values }: GuestConf, { startedByHa }: PveFiles): boolean {
  return toBoolean(values.get('onboot')) === true || startedByHa.has(vmid);
}

function countCpus({ sysfs }: Roots): number | undefined {
  const names = toValue(listKernelDirectory(`${sysfs}/devices/system/cpu`));
  const count = names?.filter((name) => /^cpu\d+$/.test(name)).length;
  return count === 0 ? undefined : count;
}
