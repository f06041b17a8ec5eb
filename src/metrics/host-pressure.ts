import { PRESSURE_RESOURCES } from '../sources/pressure.ts';
import { counter, type Metric } from './metric.ts';

/** Pressure stall information of the whole host. */
export const hostPressureMetrics: readonly Metric[] = [
  counter(
    'kvm_host_pressure_waiting_seconds_total',
    'Time in which at least one task of the host waited for a resource (PSI some, ' +
      '/proc/pressure/<resource>).',
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
    'Time in which all tasks of the host stalled on a resource (PSI full, ' +
      '/proc/pressure/memory and io).',
    {
      note: 'The kernel has no such value for the CPUs of a host.',
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
