import { BY_HOST, of } from '../common/promql.ts';
import type { Unit } from '../common/units.ts';

/** What is left to promise of one resource, one series for each host. */
export interface Resource {
  readonly name: string;
  readonly unit: Unit;
  /** Until the limit of that severity; the fullest uplink, the emptiest filesystem of each host. */
  readonly headroom: (severity: 'warning' | 'critical') => string;
  /** What a day of growth is measured on, without anything around it. */
  readonly recorded: string;
}

export const CPU: Resource = {
  name: 'vCPUs',
  unit: 'short',
  recorded: 'instance:kvm_cpu_headroom:vcpus',
  headroom: (severity) =>
    `max ${BY_HOST} (${of('instance:kvm_cpu_headroom:vcpus', `severity="${severity}"`)})`,
};

export const MEMORY: Resource = {
  name: 'Memory',
  unit: 'bytes',
  recorded: 'instance:kvm_memory_headroom:bytes',
  headroom: (severity) =>
    `max ${BY_HOST} (${of('instance:kvm_memory_headroom:bytes', `severity="${severity}"`)})`,
};

/** A guest needs its space on one filesystem: that with most of it. */
export const STORAGE: Resource = {
  name: 'Storage',
  unit: 'bytes',
  recorded: 'instance_mountpoint:kvm_storage_headroom:bytes',
  headroom: (severity) =>
    `max ${BY_HOST} (${of('instance_mountpoint:kvm_storage_headroom:bytes', `severity="${severity}"`)})`,
};

export const NETWORK: Resource = {
  name: 'Network',
  unit: 'Bps',
  recorded: 'instance_device:kvm_network_headroom_bytes_per_second:min',
  headroom: (severity) =>
    `min ${BY_HOST} (${of('instance_device:kvm_network_headroom_bytes_per_second:min', `severity="${severity}"`)})`,
};

export const RESOURCES = [CPU, MEMORY, STORAGE, NETWORK] as const;
