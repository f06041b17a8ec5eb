import { labelText } from '../../exposition/labels.ts';
import { counter, gauge, info, type Metric } from '../metric.ts';
import { yesNo } from '../yes-no.ts';
import type { View } from '../../view/view.ts';

const HOST_INFO_LABELS = ['hostname', 'cpu_model', 'cpu_vendor', 'kernel', 'os'] as const;
const KVM_MODULE_LABELS = [
  'vendor',
  'second_level_paging',
  'accessed_dirty_bits',
  'nested',
  'tdp_mmu',
] as const;

/** CPUs of the host, what they are busy with, and how KVM is set up. */
export const hostCpuMetrics: readonly Metric[] = [
  gauge(
    'kvm_host_online_cpus',
    'Online logical CPUs (/sys/devices/system/cpu/online).',
    {
      note: 'On POWER8 with the threads KVM wakes for guests.',
    },
    ({ snapshot }, sample) => {
      const topology = snapshot.host.cpuTopology;
      sample('', topology && topology.online.length * topology.threadsPerCpu);
    },
  ),
  gauge(
    'kvm_host_offline_cpus',
    'Logical CPUs that are switched off (/sys/devices/system/cpu/offline).',
    { note: 'On POWER8 without the threads KVM wakes for guests.' },
    ({ snapshot }, sample) => {
      const topology = snapshot.host.cpuTopology;
      if (topology === undefined) return;
      const { offline, online, threadsPerCpu } = topology;
      sample('', offline.length - online.length * (threadsPerCpu - 1));
    },
  ),
  gauge(
    'kvm_host_isolated_cpus',
    'CPUs isolated with isolcpus=, where vCPUs without a pin never run ' +
      '(/sys/devices/system/cpu/isolated).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTopology?.isolated.length);
    },
  ),
  gauge(
    'kvm_host_cores',
    'Physical cores with at least one online thread (topology/thread_siblings_list of each CPU).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTopology?.coreCount);
    },
  ),
  gauge(
    'kvm_host_sockets',
    'CPU packages (topology/physical_package_id of each CPU).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTopology?.packageCount);
    },
  ),
  counter(
    'kvm_host_cpu_seconds_total',
    'CPU time of the host by mode, summed over CPUs (/proc/stat).',
    {
      note:
        'Unlike there, user does not contain guest and nice does not contain guest_nice, so ' +
        'that the modes add up. steal is what the host itself lost to a hypervisor below it.',
      labels: ['mode'],
    },
    (view, sample) => {
      const time = view.snapshot.host.cpuTime?.total;
      if (time === undefined) return;
      sample('{mode="user"}', without(view, 'user', time.userSeconds, time.guestSeconds));
      sample('{mode="nice"}', without(view, 'nice', time.niceSeconds, time.guestNiceSeconds));
      sample('{mode="system"}', time.systemSeconds);
      sample('{mode="idle"}', rising(view, 'idle', time.idleSeconds));
      sample('{mode="iowait"}', rising(view, 'iowait', time.ioWaitSeconds));
      sample('{mode="irq"}', time.irqSeconds);
      sample('{mode="softirq"}', time.softIrqSeconds);
      sample('{mode="steal"}', time.stealSeconds);
      sample('{mode="guest"}', time.guestSeconds);
      sample('{mode="guest_nice"}', time.guestNiceSeconds);
    },
  ),
  gauge(
    'kvm_host_load1',
    'Load average over one minute: tasks that run, wait for a CPU or wait for a disk ' +
      '(/proc/loadavg).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.load?.oneMinute);
    },
  ),
  gauge(
    'kvm_host_load5',
    'Load average over five minutes (/proc/loadavg).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.load?.fiveMinutes);
    },
  ),
  gauge(
    'kvm_host_load15',
    'Load average over fifteen minutes (/proc/loadavg).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.load?.fifteenMinutes);
    },
  ),
  gauge(
    'kvm_host_tasks_running',
    'Tasks that run or wait for a CPU now (/proc/stat procs_running).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTime?.runningTasks);
    },
  ),
  gauge(
    'kvm_host_tasks_blocked',
    'Tasks that wait for I/O now (/proc/stat procs_blocked).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTime?.blockedTasks);
    },
  ),
  counter(
    'kvm_host_context_switches_total',
    'Context switches of all CPUs (/proc/stat ctxt).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTime?.contextSwitches);
    },
  ),
  gauge(
    'kvm_host_boot_time_seconds',
    'Unix time at which the host was booted (/proc/stat btime).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.cpuTime?.bootTimeSeconds);
    },
  ),
  info(
    'kvm_host_info',
    'Hostname, CPU, kernel and operating system of the host, read in the background.',
    { labels: HOST_INFO_LABELS },
    ({ snapshot }, sample) => {
      const { inventory } = snapshot.host;
      if (inventory === undefined) return;
      const { hostname, cpuModel, cpuVendor, kernel, osName, osRelease } = inventory;
      const os = `${osName} ${osRelease}`.trim();
      sample(labelText(HOST_INFO_LABELS, [hostname, cpuModel, cpuVendor, kernel, os]), 1);
    },
  ),
  counter(
    'kvm_host_softnet_drops_total',
    'Packets dropped because the queue of a CPU was full (/proc/net/softnet_stat column 2).',
    {
      note:
        'Of all CPUs together; net.core.netdev_max_backlog is the length of the queue. Does not rise ' +
        'for a while after a CPU went offline.',
    },
    (view, sample) => {
      const { softnetDrops, cpuTime } = view.snapshot.host;
      if (softnetDrops === undefined) return;
      const epoch = cpuTime?.bootTimeSeconds ?? 0;
      sample('', view.rising.of('kvm_host_softnet_drops_total', epoch, softnetDrops));
    },
  ),
  info(
    'kvm_host_kvm_module_info',
    'How KVM is set up on the host (/sys/module/kvm*/parameters).',
    {
      note:
        'second_level_paging is EPT or NPT. accessed_dirty_bits="no" (Intel) makes it expensive ' +
        'to find out which guest memory is cold. Empty where the module does not say.',
      labels: KVM_MODULE_LABELS,
    },
    ({ snapshot }, sample) => {
      const { kvmModule } = snapshot.host;
      if (kvmModule === undefined) return;
      const values = [
        kvmModule.vendor ?? '',
        yesNo(kvmModule.secondLevelPaging),
        yesNo(kvmModule.accessedDirtyBits),
        yesNo(kvmModule.nested),
        yesNo(kvmModule.tdpMmu),
      ];
      sample(labelText(KVM_MODULE_LABELS, values), 1);
    },
  ),
  gauge(
    'kvm_host_halt_poll_seconds',
    'How long an idle vCPU keeps its CPU and polls before it sleeps ' +
      '(/sys/module/kvm/parameters/halt_poll_ns).',
    { note: 'On a host with more vCPUs than CPUs this time is taken from other guests.' },
    ({ snapshot }, sample) => {
      sample('', snapshot.host.kvmModule?.haltPollSeconds);
    },
  ),
];

/**
 * The kernel's own idle and iowait may step back: it corrects estimates, and counts a CPU that goes
 * offline another way (proc_stat(5); get_idle_time in fs/proc/stat.c).
 */
function rising(view: View, mode: string, seconds: number): number {
  const epoch = view.snapshot.host.cpuTime?.bootTimeSeconds ?? 0;
  return view.rising.of(`kvm_host_cpu_seconds_total ${mode}`, epoch, seconds);
}

/** In ticks, since the difference of two seconds has digits that the kernel never gave. */
function without(view: View, mode: string, seconds: number, guestSeconds: number): number {
  const difference = Math.max(0, Math.round(seconds * 100) - Math.round(guestSeconds * 100)) / 100;
  return rising(view, mode, difference);
}
