/** From the snapshot to the inputs of cpu.ts. */

import type { Policy } from '../../config/policy.ts';
import type { Domain } from '../../model/domain.ts';

import { parseCpuList } from '../../model/facts/cpu-list.ts';

import type { CpuBandwidth } from '../../model/domain-config.ts';
import { toValue } from '../../runtime/result.ts';
import { promisedVcpus } from '../memory/assess-promise.ts';
import { cpusOfBandwidth, cpusOfQuota } from '../../model/facts/cpu-quota.ts';

import type { GuestCgroupCpu } from '../../model/cgroup.ts';
import type { CpuTopology } from '../../model/host-cpu.ts';
import type { CpuGuest, CpuHost, CpuWeight } from './model.ts';

export function toCpuHost(topology: CpuTopology, policy: Policy): CpuHost {
  const coreOf = new Map<number, string>();
  const nodeOf = new Map<number, number>();
  for (const { cpu, siblings, node } of topology.cpus) {
    coreOf.set(cpu, siblings.join(','));
    if (node !== undefined) nodeOf.set(cpu, node);
  }
  return {
    onlineCpus: new Set(topology.online),
    isolatedCpus: new Set(topology.isolated),
    coreOf,
    nodeOf,
    reservedCpus: Math.max(policy.reserves.cpus, outsideOfSets(topology, policy)),
    threadsPerCpu: topology.threadsPerCpu,
  };
}

/** Online CPUs that are in no set for guests, where there are such sets. */
function outsideOfSets({ online }: CpuTopology, { cpuSets }: Policy): number {
  if (cpuSets === undefined) return 0;
  const forGuests = new Set([...(cpuSets.shared ?? []), ...(cpuSets.dedicated ?? [])]);
  return online.filter((cpu) => !forGuests.has(cpu)).length;
}

/** One running guest; undefined where nothing tells how many vCPUs it has. */
export function toCpuGuest(domain: Domain): CpuGuest | undefined {
  const vcpus = promisedVcpus(domain);
  if (vcpus === undefined) return undefined;
  const { config, cgroup } = domain;
  // One set object for all vCPUs without a pin of their own: cpu.ts works each out once.
  const common = setOrUndefined(config?.vcpu.cpus ?? placedByNumad(domain));
  const pins = new Map(
    config?.cputune.vcpuPins.map(({ vcpu, cpus }) => [vcpu, setOrUndefined(cpus)]),
  );
  return {
    name: domain.name,
    vcpus: vcpus.map(({ id, online }) => ({ online, allowedCpus: pins.get(id) ?? common })),
    // Without a pin of their own emulator threads follow <vcpu cpuset> (qemuProcessSetupPid).
    emulatorCpus: setOrUndefined(config?.cputune.emulatorPin) ?? common,
    memoryNodes: boundNodes(domain),
    weight: toWeight(cgroup?.cpu),
    quotaCpusPerVcpu: cpusOfBandwidth(config?.cputune.vcpu),
    quotaCpus: guestQuota(cgroup?.cpu, config?.cputune.global),
  };
}

/**
 * `<vcpu placement='auto'>`: numad chose the CPUs when the guest started. The XML does not say
 * which; the leader thread, if not pinned itself, has them.
 */
function placedByNumad({ config, process }: Domain): readonly number[] | undefined {
  const allowed = process?.status?.allowedCpus;
  if (config?.vcpu.placement !== 'auto' || config.cputune.emulatorPin !== undefined) {
    return undefined;
  }
  return allowed === undefined ? undefined : toValue(parseCpuList(allowed, 'Cpus_allowed_list'));
}

/** `restrictive` binds as `strict` does, by cpuset.mems (libvirt docs/formatdomain.rst). */
function boundNodes({ config }: Domain): ReadonlySet<number> | undefined {
  const policy = config?.numa.memory;
  if (policy?.mode !== 'strict' && policy?.mode !== 'restrictive') return undefined;
  return setOrUndefined(policy.hostNodes);
}

/** The XML's shares are no use here: it does not say of which cgroup version they are. */
function toWeight(cgroup: GuestCgroupCpu | undefined): CpuWeight | undefined {
  const share = cgroup?.share;
  if (share === undefined || share.kind === 'idle') return share;
  return share.kind === 'weight'
    ? { kind: 'v2 weight', value: share.weight }
    : { kind: 'v1 shares', value: share.shares };
}

/** What is in force, from the cgroup; else what the XML asks for. */
function guestQuota(
  cgroup: GuestCgroupCpu | undefined,
  declared: CpuBandwidth | undefined,
): number | undefined {
  const quota = cgroup?.quota;
  return quota === undefined ? cpusOfBandwidth(declared) : cpusOfQuota(quota);
}

/** An empty list of CPUs is no restriction. */
function setOrUndefined(numbers: readonly number[] | undefined): ReadonlySet<number> | undefined {
  return numbers === undefined || numbers.length === 0 ? undefined : new Set(numbers);
}
