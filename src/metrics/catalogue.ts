import type { ExpositionWriter } from '../exposition/writer.ts';
import { bootStormMetrics } from './promise/boot-storm.ts';
import { cpuOvercommitMetrics } from './promise/cpu-overcommit.ts';
import { domainCgroupMetrics } from './guest/cgroup.ts';
import { domainCpuMetrics } from './guest/cpu.ts';
import { domainDiskMetrics } from './guest/disk.ts';
import { domainJobMetrics } from './guest/job.ts';
import { domainKsmMetrics } from './guest/ksm.ts';
import { domainMemoryMetrics } from './guest/memory.ts';
import { domainNicMetrics } from './guest/nic.ts';
import { domainOwnerMetrics } from './guest/owner.ts';
import { domainPagingMetrics } from './guest/paging.ts';
import { domainPerfMetrics } from './guest/perf.ts';
import { domainStateMetrics } from './guest/state.ts';
import { exporterMetrics } from './exporter/exporter.ts';
import { filesystemMetrics } from './promise/filesystem.ts';
import { hostCpuMetrics } from './host/cpu.ts';
import { hostFileHandleMetrics } from './host/file-handles.ts';
import { hostKernelThreadMetrics } from './host/kernel-threads.ts';
import { hostMemoryMetrics } from './host/memory.ts';
import { hostNumaMetrics } from './host/numa.ts';
import { hostPagingMetrics } from './host/paging.ts';
import { hostPressureMetrics } from './host/pressure.ts';
import { hostSwapMetrics } from './host/swap.ts';
import { imageMetrics } from './guest/image.ts';
import { ksmMetrics } from './host/ksm.ts';
import { guestSourceMetrics } from './exporter/guest-sources.ts';
import { libvirtMetrics } from './exporter/libvirt.ts';
import { memoryOvercommitMetrics } from './promise/memory-overcommit.ts';
import { forEachInParts } from '../runtime/in-parts.ts';
import type { Metric, Sample } from './metric.ts';
import { momMetrics } from './promise/mom.ts';
import { policyMetrics } from './promise/policy.ts';
import { poolMetrics } from './host/pool.ts';
import { thinPoolMetrics } from './promise/thin-pool.ts';
import { uplinkMetrics } from './promise/uplink.ts';
import type { View } from '../view/view.ts';

/** Families about one subject, as they are written and documented. */
export interface Chapter {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

export const CHAPTERS: readonly Chapter[] = [
  { title: 'Over-commitment of CPU', metrics: cpuOvercommitMetrics },
  { title: 'Over-commitment of memory', metrics: memoryOvercommitMetrics },
  { title: 'Over-commitment of storage: filesystems', metrics: filesystemMetrics },
  { title: 'Over-commitment of storage: thin pools', metrics: thinPoolMetrics },
  { title: 'Over-commitment of network: uplinks', metrics: uplinkMetrics },
  { title: 'Starting all guests at once', metrics: bootStormMetrics },
  { title: 'What MOM would do', metrics: momMetrics },
  { title: 'Policy', metrics: policyMetrics },
  { title: 'Guests: identity and state', metrics: domainStateMetrics },
  { title: 'Guests: whose they are', metrics: domainOwnerMetrics },
  { title: 'Guests: CPU', metrics: domainCpuMetrics },
  { title: 'Guests: memory', metrics: domainMemoryMetrics },
  { title: 'Guests: samepage merging', metrics: domainKsmMetrics },
  { title: 'Guests: cgroup', metrics: domainCgroupMetrics },
  { title: 'Guests: paging and what else their cgroups tell', metrics: domainPagingMetrics },
  { title: 'Guests: disks', metrics: domainDiskMetrics },
  { title: 'Guests: network interfaces', metrics: domainNicMetrics },
  { title: 'Guests: jobs', metrics: domainJobMetrics },
  { title: 'Guests: perf events and memory bandwidth', metrics: domainPerfMetrics },
  { title: 'Images', metrics: imageMetrics },
  { title: 'Storage pools', metrics: poolMetrics },
  { title: 'Host: CPU', metrics: hostCpuMetrics },
  { title: 'Host: pressure', metrics: hostPressureMetrics },
  { title: 'Host: memory', metrics: hostMemoryMetrics },
  { title: 'Host: paging and reclaim', metrics: hostPagingMetrics },
  { title: 'Host: swap', metrics: hostSwapMetrics },
  { title: 'Host: NUMA', metrics: hostNumaMetrics },
  { title: 'Host: kernel threads', metrics: hostKernelThreadMetrics },
  { title: 'Host: file handles', metrics: hostFileHandleMetrics },
  { title: 'Host: samepage merging', metrics: ksmMetrics },
  { title: 'Sources of guests', metrics: guestSourceMetrics },
  { title: 'libvirt', metrics: libvirtMetrics },
  { title: 'Exporter', metrics: exporterMetrics },
];

/** Every family there is, in the order of exposition. */
export const CATALOGUE: readonly Metric[] = CHAPTERS.flatMap(({ metrics }) => metrics);

/**
 * Writes all families of one view; for `render` it stops after each family, and in families about
 * guests after some guests.
 */
export function* writeCatalogue(view: View, writer: ExpositionWriter): Generator<void> {
  const sample: Sample = (labels, value) => {
    writer.sample(labels, value);
  };
  for (const metric of CATALOGUE) {
    writer.family(metric);
    if (metric.scope === 'host') {
      metric.write(view, sample);
      yield;
      continue;
    }
    yield* forEachInParts(view.domains, (domain) => {
      // Guests have names of their own, see toView, and the name is in each of their series.
      writer.startGroup();
      metric.write(domain, sample);
    });
  }
}
