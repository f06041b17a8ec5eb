import { counter, type Metric } from '../metric.ts';
import { PRESSURE_RESOURCES } from '../../model/pressure.ts';

/** Pressure stall information of the whole host. */
export const hostPressureMetrics: readonly Metric[] = [
  counter(
    'kvm_host_pressure_waiting_seconds_total',
    'Time in which at least one task of the host waited for a resource (PSI some, ' +
      '/proc/pressure/<resource>).',
    {
      labels: ['resource'],
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
    },
    ({ snapshot }, sample) => {
      for (const resource of PRESSURE_RESOURCES) {
        sample(`{resource="${resource}"}`, snapshot.host.pressure?.get(resource)?.fullSeconds);
      }
    },
  ),
];
