import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Row } from '../common/dashboard.ts';
import { of, THIS_GUEST } from '../common/promql.ts';
import { CRITICAL, GOOD, NEUTRAL, YES_IS_GOOD, worseAbove, worseBelow } from '../common/risk.ts';
import { stat } from '../common/stat.ts';
import { table } from '../common/table.ts';
import { timeline } from '../common/timeline.ts';

/** Series are there only while the guest is in that state, which the row names. */
const IN_STATE: ValueMapping[] = [
  { type: MappingType.ValueToText, options: { '1': { text: ' ' } } },
];

export const NOW: Row = {
  title: 'Now: is it well, and what is it short of',
  tiles: [
    stat({
      title: 'Waits for a CPU',
      description: 'Share of time its worst vCPU waited for a CPU. Good: below 5 %.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_vcpu_delay:ratio', THIS_GUEST),
          legend: 'now',
        },
      ],
      thresholds: worseAbove(0.05, 0.1),
    }),
    stat({
      title: 'CPUs used',
      description:
        'CPU time per second of all threads of its QEMU process, in CPUs. Good: below what it ' +
        'is entitled to, or nobody waits.',
      unit: 'none',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_cpu_seconds:rate5m', THIS_GUEST),
          legend: 'now',
        },
      ],
      thresholds: NEUTRAL,
    }),
    stat({
      title: 'Swapped out',
      description: "Share of the guest's memory in the host's swap. Good: near 0.",
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_swapped:ratio', THIS_GUEST),
          legend: 'now',
        },
      ],
      thresholds: worseAbove(0.1, 0.5),
    }),
    stat({
      title: 'Available inside',
      description:
        'Memory the guest can still use without swapping, per memory it has. Good: above 20 %. ' +
        'Empty without a balloon that reports statistics.',
      unit: 'percentunit',
      queries: [
        {
          expr: of('instance_domain:kvm_domain_guest_memory_available:ratio', THIS_GUEST),
          legend: 'now',
        },
      ],
      thresholds: worseBelow(0.2, 0.05),
    }),
    stat({
      title: 'Images may grow',
      description: 'Space its images may still take. Good: less than its filesystem has left.',
      unit: 'bytes',
      queries: [
        {
          expr: `sum by (cluster, job, instance) (${of('kvm_domain_storage_claimable_bytes', THIS_GUEST)})`,
          legend: 'now',
        },
      ],
      thresholds: NEUTRAL,
    }),
    stat({
      title: 'Monitor answers',
      description: 'Whether its QEMU answers libvirt: 1 for yes. Good: 1.',
      unit: 'bool_yes_no',
      queries: [{ expr: of('kvm_domain_monitor_responsive', THIS_GUEST), legend: 'now' }],
      thresholds: YES_IS_GOOD,
    }),
    timeline({
      title: 'State',
      description:
        'States of the guest and why. Good: running; paused (ioerror) is a full or broken disk.',
      queries: [{ expr: of('kvm_domain_state', THIS_GUEST), legend: '{{state}} ({{reason}})' }],
      mappings: IN_STATE,
      thresholds: NEUTRAL,
      rowColours: [
        { name: '/^running /', colour: GOOD },
        { name: '/^(paused|crashed) /', colour: CRITICAL },
      ],
      width: 24,
      height: 4,
    }),
  ],
};

export const IDENTITY: Row = {
  title: 'What the guest is',
  folded: true,
  tiles: [
    table({
      title: 'What it is',
      description:
        'Identity, size and start of the guest. Counters begin anew at each start. Good: started ' +
        'when you know of it.',
      keys: [
        { label: 'uuid', title: 'UUID' },
        { label: 'machine', title: 'Machine', width: 190 },
        { label: 'persistent', title: 'Persistent' },
        { label: 'autostart', title: 'Autostart' },
      ],
      values: [
        {
          title: 'vCPUs',
          expr: `max by (cluster, job, instance) (${of('kvm_domain_vcpus', THIS_GUEST)})`,
          unit: 'short',
        },
        {
          title: 'Memory at most',
          expr: `max by (cluster, job, instance) (${of('kvm_domain_memory_maximum_bytes', THIS_GUEST)})`,
          unit: 'bytes',
        },
        {
          title: 'Started',
          expr: `max by (cluster, job, instance) (${of('kvm_domain_start_time_seconds', THIS_GUEST)} * 1000)`,
          unit: 'dateTimeFromNow',
        },
      ],
      infos: [
        `max by (cluster, job, instance, uuid, machine, persistent, autostart) (${of('kvm_domain_info', THIS_GUEST)})`,
      ],
      sortBy: 'UUID',
      ascending: true,
      width: 24,
      height: 4,
    }),
    table({
      title: 'What the host may do to its memory',
      description:
        'Whether its memory can be merged, swapped out and ballooned. Good: all three, or not so on ' +
        'purpose.',
      keys: [
        { label: 'backing', title: 'Memory backing' },
        { label: 'mergeable', title: 'Mergeable' },
        { label: 'swappable', title: 'Swappable' },
        { label: 'balloonable', title: 'Balloonable' },
      ],
      values: [],
      infos: [
        `max by (cluster, job, instance, backing, mergeable, swappable, balloonable) (${of('kvm_domain_memory_backing_info', THIS_GUEST)})`,
      ],
      sortBy: 'Memory backing',
      ascending: true,
      width: 12,
      height: 4,
    }),
  ],
};
