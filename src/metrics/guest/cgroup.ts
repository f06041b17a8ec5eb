import { cpusOfQuota, sumOfCpus } from '../../model/facts/cpu-quota.ts';
import { computeSwapLimit } from '../../model/facts/swap-limit.ts';
import { computeThrottling } from '../../model/facts/throttling.ts';

import { domainCounter, domainGauge, type Metric, withNote } from '../metric.ts';
import type { CpuThrottling, GuestCgroupCpu, IoCounters, MemoryLimit } from '../../model/cgroup.ts';
import { PRESSURE_RESOURCES } from '../../model/pressure.ts';

/** The cgroup libvirt makes for each guest: weights, limits, throttling and pressure. */
export const domainCgroupMetrics: readonly Metric[] = [
  domainGauge(
    'kvm_domain_cpu_shares',
    'CPU weight of a guest among its siblings, cgroup v1 (cpu.shares; 1024 by default).',
    {},
    ({ domain, labels }, sample) => {
      const share = domain.cgroup?.cpu?.share;
      if (share?.kind === 'shares') sample(labels.only, share.shares);
    },
  ),
  domainGauge(
    'kvm_domain_cpu_weight',
    'CPU weight of a guest among its siblings, cgroup v2 (cpu.weight; 100 by default).',
    { note: '0 for a guest that runs only where nobody else wants to (cpu.idle).' },
    ({ domain, labels }, sample) => {
      const share = domain.cgroup?.cpu?.share;
      if (share?.kind === 'idle') sample(labels.only, 0);
      if (share?.kind === 'weight') sample(labels.only, share.weight);
    },
  ),
  domainGauge(
    'kvm_domain_cpu_quota_cpus',
    'Most CPUs the vCPUs of a guest may use by quota (cpu.max, or cpu.cfs_quota_us, of its ' +
      'cgroup).',
    {
      note:
        'The quota of the guest or the sum of those of its vCPUs, whichever is less. Absent ' +
        'without a quota.',
    },
    ({ domain, labels }, sample) => {
      sample(labels.only, quotaCpus(domain.cgroup?.cpu));
    },
  ),
  throttled(
    'kvm_domain_cpu_periods_total',
    'Quota periods in which a guest wanted to run (cpu.stat nr_periods of its cgroup).',
    ({ periods }) => periods,
  ),
  throttled(
    'kvm_domain_cpu_throttled_periods_total',
    'Quota periods in which a guest used up its CPU quota and had to stop (cpu.stat ' +
      'nr_throttled of its cgroup).',
    ({ throttledPeriods }) => throttledPeriods,
  ),
  throttled(
    'kvm_domain_cpu_throttled_seconds_total',
    'Time a guest was stopped for having used up its CPU quota, summed over CPUs (cpu.stat ' +
      'throttled_usec, or throttled_time, of its cgroup).',
    ({ throttledSeconds }) => throttledSeconds,
  ),
  domainCounter(
    'kvm_domain_cgroup_cpu_seconds_total',
    'CPU time of all tasks in the cgroup of a guest (cpu.stat usage_usec, or cpuacct.usage).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.cgroup?.cpu?.usageSeconds);
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_memory_bytes',
    'Memory charged to the cgroup of a guest, including page cache of its disks ' +
      '(memory.current, or memory.usage_in_bytes).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.cgroup?.memory?.usage.currentBytes);
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_memory_peak_bytes',
    'Most memory that was ever charged to the cgroup of a guest (memory.peak, or ' +
      'memory.max_usage_in_bytes).',
    { note: 'Since the guest started; with cgroup v2 from Linux 5.19 on.' },
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.cgroup?.memory?.usage.peakBytes);
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_memory_limit_bytes',
    'Memory limit of a guest, above which the kernel reclaims from it and then kills it ' +
      '(memory.max, or memory.limit_in_bytes).',
    {
      note: '<hard_limit> in libvirt. Absent without a limit.',
    },
    ({ domain, labels }, sample) => {
      sample(labels.only, limited(domain.cgroup?.memory?.limits.maxBytes));
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_memory_high_bytes',
    'Memory above which a guest is slowed down and reclaimed from (memory.high, cgroup v2).',
    { note: 'Absent without a limit.' },
    ({ domain, labels }, sample) => {
      sample(labels.only, limited(domain.cgroup?.memory?.limits.highBytes));
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_swap_bytes',
    'Swap charged to the cgroup of a guest, including its shared memory (memory.swap.current).',
    {
      note: 'On cgroup v1 memory.memsw usage less memory usage.',
    },
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.cgroup?.memory?.usage.swapBytes);
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_zswap_bytes',
    'RAM a guest takes in the zswap pool after compression (memory.zswap.current, cgroup v2).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.cgroup?.memory?.usage.zswapBytes);
    },
  ),
  domainGauge(
    'kvm_domain_cgroup_swap_limit_bytes',
    'Most swap a guest may use (memory.swap.max).',
    {
      note: 'On cgroup v1 the memory.memsw limit less the memory limit. Absent without a limit.',
    },
    ({ domain, labels }, sample) => {
      sample(labels.only, computeSwapLimit(domain.cgroup?.memory?.limits));
    },
  ),
  domainCounter(
    'kvm_domain_cgroup_memory_events_total',
    'Times a guest hit its memory limits, by event (memory.events of its cgroup).',
    {
      note:
        'event is high (slowed down), max (reclaimed from), oom (no memory could be had) or ' +
        'oom_kill (processes killed); cgroup v1 has max and oom_kill only.',
      labels: ['event'],
    },
    ({ domain, labels }, sample) => {
      const events = domain.cgroup?.memory?.events;
      sample(labels.one('event', 'high'), events?.high);
      sample(labels.one('event', 'max'), events?.max);
      sample(labels.one('event', 'oom'), events?.oom);
      sample(labels.one('event', 'oom_kill'), events?.oomKill);
    },
  ),
  domainCounter(
    'kvm_domain_pressure_waiting_seconds_total',
    'Time in which at least one task of a guest waited for a resource (PSI some, ' +
      '<resource>.pressure of its cgroup v2).',
    {
      labels: ['resource'],
    },
    ({ domain, labels }, sample) => {
      for (const resource of PRESSURE_RESOURCES) {
        sample(labels.one('resource', resource), domain.cgroup?.pressure[resource]?.someSeconds);
      }
    },
  ),
  domainCounter(
    'kvm_domain_pressure_stalled_seconds_total',
    'Time in which all tasks of a guest stalled on a resource (PSI full, ' +
      '<resource>.pressure of its cgroup v2).',
    {
      labels: ['resource'],
    },
    ({ domain, labels }, sample) => {
      for (const resource of PRESSURE_RESOURCES) {
        sample(labels.one('resource', resource), domain.cgroup?.pressure[resource]?.fullSeconds);
      }
    },
  ),
  withNote(
    deviceIo(
      'kvm_domain_cgroup_io_read_bytes_total',
      'Bytes a guest read from a block device of the host (rbytes of io.stat of its cgroup, ' +
        'or blkio.throttle.io_service_bytes).',
      ({ readBytes }) => readBytes,
    ),
    'Traffic of the device, where kvm_domain_disk_read_bytes_total counts requests of the ' +
      'guest; also there while QEMU hangs. LVM and RAID devices and the disks below them ' +
      'count each, so do not add devices up. Network storage has none.',
  ),
  withNote(
    deviceIo(
      'kvm_domain_cgroup_io_written_bytes_total',
      'Bytes a guest wrote to a block device of the host (wbytes of io.stat of its cgroup, or ' +
        'blkio.throttle.io_service_bytes).',
      ({ writtenBytes }) => writtenBytes,
    ),
    'Counted like kvm_domain_cgroup_io_read_bytes_total. What goes through the page cache ' +
      'counts when it is written back; on cgroup v1, or a filesystem that does not record ' +
      'whose it is (ext4, XFS and Btrfs do), it never counts.',
  ),
  withNote(
    deviceIo(
      'kvm_domain_cgroup_io_reads_total',
      'Reads by a guest from a block device of the host (rios of io.stat of its cgroup, or ' +
        'blkio.throttle.io_serviced).',
      ({ reads }) => reads,
    ),
    'Counted like kvm_domain_cgroup_io_read_bytes_total.',
  ),
  withNote(
    deviceIo(
      'kvm_domain_cgroup_io_writes_total',
      'Writes by a guest to a block device of the host (wios of io.stat of its cgroup, or ' +
        'blkio.throttle.io_serviced).',
      ({ writes }) => writes,
    ),
    'Counted like kvm_domain_cgroup_io_written_bytes_total.',
  ),
];

function deviceIo(
  name: string,
  help: string,
  counter: (io: IoCounters) => bigint | undefined,
): Metric {
  return domainCounter(name, help, { labels: ['device'] }, ({ domain, labels }, sample) => {
    for (const io of domain.cgroup?.io ?? []) sample(labels.one('device', io.device), counter(io));
  });
}

/** A vCPU is one thread, so one without a quota of its own can use one CPU and no more. */
function quotaCpus(cpu: GuestCgroupCpu | undefined): number | undefined {
  const ofGuest = cpusOfQuota(cpu?.quota);
  const ofVcpus = [...(cpu?.vcpus.values() ?? [])].map(({ quota }) => cpusOfQuota(quota));
  if (ofVcpus.every((one) => one === undefined)) return ofGuest;
  const sum = sumOfCpus(ofVcpus.map((one) => Math.min(1, one ?? 1)));
  return ofGuest === undefined ? sum : Math.min(ofGuest, sum);
}

function throttled(name: string, help: string, part: (one: CpuThrottling) => number): Metric {
  const note = 'The cgroups of the guest, its vCPUs, emulator and iothreads together.';
  return domainCounter(name, help, { note }, ({ domain, labels }, sample) => {
    const sum = computeThrottling(domain.cgroup?.cpu);
    sample(labels.only, sum && part(sum));
  });
}

function limited(limit: MemoryLimit): number | undefined {
  return limit === 'unlimited' ? undefined : limit;
}
