import { graph } from './graph.ts';
import { of } from './promql.ts';
import type { Tile } from './tile.ts';

/** Stands where memory is told of: Host and Memory. */
export function memoryPressure(width: number): Tile {
  return graph({
    title: 'Memory pressure',
    description:
      'Share of time some task waited for memory, and in which all stood still (PSI). Good: ' +
      'near 0.',
    unit: 'percentunit',
    queries: [
      {
        expr: of('instance:kvm_host_memory_pressure_waiting:ratio'),
        legend: 'some wait',
      },
      {
        expr: of('instance:kvm_host_memory_pressure_stalled:ratio'),
        legend: 'all stalled',
      },
    ],
    limit: 'memory.pressure_ratio',
    width,
  });
}

/** Stands where storage is told of: Host and Storage. */
export function ioPressure(width: number): Tile {
  return graph({
    title: 'I/O pressure',
    description: 'Share of time some task waited for I/O (PSI). Good: below the limit.',
    unit: 'percentunit',
    queries: [{ expr: of('instance:kvm_host_io_pressure_waiting:ratio'), legend: '{{instance}}' }],
    limit: 'storage.pressure_ratio',
    width,
  });
}
