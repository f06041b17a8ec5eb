import type { Row } from '../common/dashboard.ts';
import { graph, type GraphSpec } from '../common/graph.ts';
import { fromSeries } from '../common/links.ts';
import { capped, of } from '../common/promql.ts';
import type { Tile } from '../common/tile.ts';

function ofHosts(spec: Omit<GraphSpec, 'queries' | 'link' | 'width'>, expr: string): Tile {
  return graph({
    ...spec,
    queries: [{ expr, legend: '{{instance}}' }],
    link: fromSeries('kvm-host', ['instance']),
    width: 6,
  });
}

export const PROMISE: Row = {
  title: 'Promised per capacity',
  tiles: [
    ofHosts(
      {
        title: 'vCPUs per CPU',
        description:
          'vCPUs of running guests per CPU they share; pinned CPUs and their vCPUs are left out. ' +
          'Good: below the limits of the policy (4 and 10 unless changed).',
        unit: 'none',
        limit: 'cpu.promised_ratio',
      },
      of('instance:kvm_cpu_promised_per_capacity:ratio'),
    ),
    ofHosts(
      {
        title: 'Memory promised per capacity',
        description:
          'Memory guests have now per memory the host can give after its reserve. Good: below ' +
          '100 %; above it the host lives on guests that do not use what they have.',
        unit: 'percentunit',
        limit: 'memory.promised_ratio',
      },
      of('instance:kvm_memory_promised_per_capacity:ratio'),
    ),
    ofHosts(
      {
        title: 'Storage promised per size',
        description:
          'Worst-case size of all images per size of their filesystem; the worst filesystem of ' +
          'each host. Good: below 100 %; above it not every guest can fill its disks.',
        unit: 'percentunit',
        limit: 'storage.promised_ratio',
      },
      `max by (cluster, job, instance) (${of('instance:kvm_filesystem_promised_per_size:max')})`,
    ),
    ofHosts(
      {
        title: 'Bandwidth promised per uplink',
        description:
          'Bandwidth guests may use per bandwidth of their uplink; the worst uplink and direction ' +
          'of each host. Good: below the limit of the policy (20:1 unless changed).',
        unit: 'none',
        limit: 'network.promised_ratio',
      },
      `max by (cluster, job, instance) (${of('instance:kvm_uplink_promised_per_speed:max')})`,
    ),
  ],
};

export const EXPOSURE: Row = {
  title: 'Exposure: what happens when everybody asks at once',
  tiles: [
    ofHosts(
      {
        title: 'Memory exposure per supply',
        description:
          'What guests may still claim, and un-merging would cost, per available memory and free ' +
          'swap. Good: below 100 %; above it a run on the bank ends with the OOM killer.',
        unit: 'percentunit',
        limit: 'memory.exposure_per_supply_ratio',
      },
      capped(of('instance:kvm_memory_exposure_per_supply:ratio')),
    ),
    ofHosts(
      {
        title: 'Storage exposure per free space',
        description:
          'What images may still grow per space available; the worst filesystem of each host. ' +
          'Good: below 100 %; above it guests can be paused by a full disk.',
        unit: 'percentunit',
        limit: 'storage.claimable_per_avail_ratio',
      },
      `max by (cluster, job, instance) (${capped(of('instance:kvm_storage_claimable_per_avail:max'))})`,
    ),
    ofHosts(
      {
        title: 'Storage shortfall',
        description:
          'Bytes that would be missing if every image grew to its worst case, all filesystems ' +
          'together. Good: 0.',
        unit: 'bytes',
      },
      of('kvm_storage_shortfall_bytes'),
    ),
    ofHosts(
      {
        title: 'vCPUs per CPU after a boot storm',
        description:
          'vCPUs per CPU if every guest with autostart ran besides those that run now. Good: not ' +
          'far above the promise of today, and below the limit.',
        unit: 'none',
        limit: 'cpu.start_all_ratio',
      },
      of('instance:kvm_cpu_start_all_per_capacity:ratio'),
    ),
  ],
};

export const PRESSURE: Row = {
  title: 'Pressure: who waits today',
  tiles: [
    ofHosts(
      {
        title: 'vCPUs waiting for a CPU',
        description:
          'Share of time vCPUs waited for a CPU, all vCPUs of a host. Good: below 5 %; from 10 % ' +
          'guests feel slow.',
        unit: 'percentunit',
        limit: 'cpu.delay_ratio',
      },
      of('instance:kvm_domain_vcpu_delay:ratio'),
    ),
    ofHosts(
      {
        title: 'Host stalled on memory',
        description:
          'Share of time in which all tasks of a host stalled on memory (PSI memory full). ' +
          'Good: near 0.',
        unit: 'percentunit',
        limit: 'memory.pressure_ratio',
      },
      of('instance:kvm_host_memory_pressure_stalled:ratio'),
    ),
    ofHosts(
      {
        title: 'Tasks waiting for I/O',
        description:
          'Share of time in which some task of a host waited for I/O (PSI io some). Good: well ' +
          'below the limit, and not rising.',
        unit: 'percentunit',
        limit: 'storage.pressure_ratio',
      },
      of('instance:kvm_host_io_pressure_waiting:ratio'),
    ),
    ofHosts(
      {
        title: 'Swap both ways',
        description:
          'The weaker of swap-in and swap-out: memory that goes out only to come back. Good: 0; ' +
          'one direction alone does no harm.',
        unit: 'Bps',
        limit: 'memory.swap_bytes_per_second',
      },
      of('instance:kvm_host_swap_storm_bytes:rate5m'),
    ),
  ],
};
