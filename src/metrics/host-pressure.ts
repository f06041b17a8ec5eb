import { PRESSURE_RESOURCES } from '../sources/pressure.ts';
import { counter, type Metric } from './metric.ts';

/** Pressure stall information of the whole host. */
export const hostPressureMetrics: readonly Metric[] = [
  counter(
    'kvm_host_pressure_waiting_seconds_total',
    'Time in which at least one task of the host waited for a resource (PSI: some line of ' +
      '/proc/pressure/cpu, memory and io).',
    {
      labels: ['resource'],
      replaces: [
        'node_pressure_cpu_waiting_seconds_total',
        'node_pressure_memory_waiting_seconds_total',
        'node_pressure_io_waiting_seconds_total',
      ],
    },
    ({ snapshot }, sample) => {
      for (const resource of PRESSURE_RESOURCES) {
        sample(`{resource="${resource}"}`, snapshot.host.pressure?.get(resource)?.someSeconds);
      }
    },
  ),
  counter(
    'kvm_host_pressure_stalled_seconds_total',
    'Time in which no task of the host could run because all waited for a resource (PSI: full ' +
      'line of /proc/pressure/memory and io; there is no such thing for the CPUs of a host).',
    {
      labels: ['resource'],
      replaces: [
        'node_pressure_memory_stalled_seconds_total',
        'node_pressure_io_stalled_seconds_total',
      ],
    },
    ({ snapshot }, sample) => {
      for (const resource of PRESSURE_RESOURCES) {
        sample(`{resource="${resource}"}`, snapshot.host.pressure?.get(resource)?.fullSeconds);
      }
    },
  ),
];
