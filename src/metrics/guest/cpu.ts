import { promisedVcpus } from '../../overcommit/memory/assess-promise.ts';
import type { Domain, KvmVcpu } from '../../model/domain.ts';
import { listVcpuTimes } from '../../model/facts/vcpu-times.ts';
import { nanosecondsToSeconds } from '../../runtime/kernel-time.ts';

import { domainCounter, domainGauge, type Metric, type Sample } from '../metric.ts';
import type { DomainView } from '../../view/view.ts';
import type { ThreadRole } from '../../model/process.ts';

/**
 * CPU time of guests, and the time they waited for a CPU. From /proc, because it never blocks and
 * tells the threads apart; from libvirt only where the QEMU process is out of reach.
 */
export const domainCpuMetrics: readonly Metric[] = [
  domainGauge(
    'kvm_domain_vcpus',
    'vCPUs a guest has now (<vcpu current> of its XML).',
    {
      note: 'Without XML its vCPU threads, or what libvirt says (vcpu.<n>).',
    },
    ({ domain, labels }, sample) => {
      sample(labels.only, currentVcpus(domain));
    },
  ),
  domainGauge(
    'kvm_domain_vcpus_maximum',
    'vCPUs a guest can have after hot-plug (<vcpu> of its XML).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.config?.vcpu.maximum);
    },
  ),
  domainCounter(
    'kvm_domain_cpu_seconds_total',
    'CPU time of all threads of the QEMU process, by mode (/proc/<pid>/stat utime, stime).',
    {
      note: 'user contains the time inside the guest.',
      labels: ['mode'],
    },
    ({ domain, labels }, sample) => {
      const { process, libvirtCpu } = domain;
      const user = process?.stat.userSeconds ?? seconds(libvirtCpu?.userNanoseconds);
      const system = process?.stat.systemSeconds ?? seconds(libvirtCpu?.systemNanoseconds);
      sample(labels.one('mode', 'user'), user);
      sample(labels.one('mode', 'system'), system);
    },
  ),
  domainCounter(
    'kvm_domain_vcpu_seconds_total',
    'Time a vCPU ran on a CPU (/proc/<pid>/task/<tid>/schedstat field 1).',
    {
      note: 'libvirt vcpu.<n>.time where /proc is out of reach.',
      labels: ['vcpu'],
    },
    (view, sample) => {
      perVcpu(view, sample, 'runNanoseconds');
    },
  ),
  domainCounter(
    'kvm_domain_vcpu_delay_seconds_total',
    'Time a vCPU was ready to run but waited for a CPU, which the guest sees as steal ' +
      '(schedstat field 2).',
    {
      note:
        'libvirt vcpu.<n>.delay where /proc is out of reach. On kernels up to 6.12 at least, ' +
        'time throttled by a CPU quota counts here too.',
      labels: ['vcpu'],
    },
    (view, sample) => {
      perVcpu(view, sample, 'delayNanoseconds');
    },
  ),
  domainCounter(
    'kvm_domain_vcpu_wait_seconds_total',
    "Wait time of a vCPU as libvirt reports it (vcpu.<n>.wait, the scheduler's wait_sum).",
    {
      note:
        'Only where /proc is out of reach, and 0 unless kernel.sched_schedstats=1; use ' +
        'kvm_domain_vcpu_delay_seconds_total instead.',
      labels: ['vcpu'],
    },
    ({ domain, labels }, sample) => {
      for (const vcpu of domain.libvirtCpu?.vcpus ?? []) {
        sample(labels.vcpu(vcpu.index), seconds(vcpu.waitNanoseconds));
      }
    },
  ),
  domainCounter(
    'kvm_domain_vcpu_timeslices_total',
    'Times a vCPU thread was put on a CPU (schedstat field 3).',
    { labels: ['vcpu'] },
    ({ domain, labels }, sample) => {
      for (const thread of domain.process?.threads ?? []) {
        if (thread.role.kind === 'vcpu') {
          sample(labels.vcpu(thread.role.index), thread.schedule?.timeslices);
        }
      }
    },
  ),
  domainCounter(
    'kvm_domain_thread_seconds_total',
    'Time the QEMU threads of a guest other than vCPUs ran, by what they are for (schedstat ' +
      'field 1).',
    { labels: ['thread'] },
    (view, sample) => {
      perThreadRole(view, sample, 'runNanoseconds');
    },
  ),
  domainCounter(
    'kvm_domain_thread_delay_seconds_total',
    'Time the QEMU threads of a guest other than vCPUs waited for a CPU, by what they are ' +
      'for (schedstat field 2).',
    {
      note: 'A starved emulator or vhost thread slows the guest without steal.',
      labels: ['thread'],
    },
    (view, sample) => {
      perThreadRole(view, sample, 'delayNanoseconds');
    },
  ),
  domainGauge(
    'kvm_domain_threads',
    'Threads of the QEMU process (/proc/<pid>/stat).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.stat.threads);
    },
  ),
  domainCounter(
    'kvm_domain_context_switches_total',
    'Context switches of the main thread of QEMU, by kind (/proc/<pid>/status).',
    { labels: ['kind'] },
    ({ domain, labels }, sample) => {
      const status = domain.process?.status;
      sample(labels.one('kind', 'voluntary'), status?.voluntaryContextSwitches);
      sample(labels.one('kind', 'involuntary'), status?.involuntaryContextSwitches);
    },
  ),
  domainCounter(
    'kvm_domain_halt_poll_seconds_total',
    'Time KVM polled for work on behalf of idle vCPUs, by outcome (libvirt cpu.haltpoll.*).',
    {
      note: 'Needs libvirt 7.6 and Linux 5.8. As old as the balloon statistics.',
      labels: ['outcome'],
    },
    ({ domain: { kvm }, labels }, sample) => {
      sample(labels.one('outcome', 'success'), seconds(kvm?.haltPollSuccessNanoseconds));
      sample(labels.one('outcome', 'fail'), seconds(kvm?.haltPollFailNanoseconds));
    },
  ),
  ofKvm('exits', 'exits.sum', 'Exits of a vCPU from the guest to KVM', ({ exits }) => exits),
  ofKvm(
    'directed_yields_attempted',
    'directed_yield_attempted.sum',
    'Times a waiting vCPU asked KVM to run the one it waits for, a sign of vCPUs that lose ' +
      'their CPU while they hold a lock',
    ({ directedYieldsAttempted }) => directedYieldsAttempted,
  ),
  ofKvm(
    'directed_yields_successful',
    'directed_yield_successful.sum',
    'Times KVM ran the vCPU that a waiting one had asked for',
    ({ directedYieldsSuccessful }) => directedYieldsSuccessful,
  ),
  ofKvm(
    'preemptions',
    'preemption_reported.sum and preemption_other.sum',
    'Times a vCPU lost its CPU while it was running',
    ({ preemptions }) => preemptions,
  ),
];

function ofKvm(
  name: string,
  field: string,
  meaning: string,
  valueOf: (vcpu: KvmVcpu) => bigint | undefined,
): Metric {
  return domainCounter(
    `kvm_domain_vcpu_${name}_total`,
    `${meaning} (libvirt vcpu.<n>.${field}).`,
    {
      note: 'Needs libvirt 8.9, QEMU 7.1 and Linux 5.14. As old as the balloon statistics.',
      labels: ['vcpu'],
    },
    ({ domain, labels }, sample) => {
      for (const vcpu of domain.kvm?.vcpus ?? []) sample(labels.vcpu(vcpu.index), valueOf(vcpu));
    },
  );
}

/** As the arithmetic counts them; the plain figure first, since most guests have it. */
function currentVcpus(domain: Domain): number | undefined {
  return (
    domain.config?.vcpu.current ?? promisedVcpus(domain)?.filter(({ online }) => online).length
  );
}

function perVcpu(
  { domain, labels }: DomainView,
  sample: Sample,
  field: 'runNanoseconds' | 'delayNanoseconds',
): void {
  for (const vcpu of listVcpuTimes(domain)) {
    sample(labels.vcpu(vcpu.index), seconds(vcpu[field]));
  }
}

function perThreadRole(
  { domain, labels }: DomainView,
  sample: Sample,
  field: 'runNanoseconds' | 'delayNanoseconds',
): void {
  const sums = new Map<string, bigint>();
  for (const thread of domain.process?.threads ?? []) {
    const name = threadLabel(thread.role);
    const value = thread.schedule?.[field];
    if (name === undefined || value === undefined) continue;
    sums.set(name, (sums.get(name) ?? 0n) + value);
  }
  for (const [name, sum] of sums) sample(labels.one('thread', name), nanosecondsToSeconds(sum));
}

/**
 * Helper threads (`worker`, `vnc_worker` …) come and go, so their sum is no counter: they are left
 * out. Their time is in kvm_domain_cpu_seconds_total.
 */
function threadLabel(role: ThreadRole): string | undefined {
  switch (role.kind) {
    case 'iothread':
      return `iothread${role.id}`;
    case 'emulator':
    case 'monitor':
    case 'vhost':
    case 'all-vcpus':
      return role.kind;
    case 'vcpu':
    case 'other':
      return undefined;
  }
}

function seconds(nanoseconds: bigint | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanosecondsToSeconds(nanoseconds);
}
