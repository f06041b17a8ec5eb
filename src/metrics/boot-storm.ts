import type { BootDemand } from '../overcommit/boot-storm.ts';
import { gauge, type Metric } from './metric.ts';

/** What guests would demand all at once if the host were rebooted, or all guests were started. */
export const bootStormMetrics: readonly Metric[] = [
  demand('domains', 'Guests started if all start at once', ({ domains }) => domains),
  demand('vcpus', 'vCPUs of the guests started if all start at once', ({ vcpus }) => vcpus),
  demand(
    'memory_bytes',
    'Memory with empty balloons of the guests started if all start at once',
    ({ maximumMemoryBytes }) => maximumMemoryBytes,
  ),
  demand(
    'storage_bytes',
    'Space still claimable by images of the guests started if all start at once',
    ({ claimableStorageBytes }) => claimableStorageBytes,
  ),
  gauge(
    'kvm_boot_storm_domains_not_restarted',
    'Running guests that a reboot of the host would not start again: without autostart, or ' +
      'transient (libvirt).',
    {},
    ({ assessment }, sample) => {
      sample('', assessment.bootStorm?.activeWithoutAutostart);
    },
  ),
];

function demand(name: string, what: string, valueOf: (demand: BootDemand) => number): Metric {
  return gauge(
    `kvm_boot_storm_${name}`,
    `${what}: on top of those running (added), or after a reboot of the host (after_reboot).`,
    {
      note: 'set is autostart (guests with autostart) or all (all persistent guests).',
      labels: ['set', 'phase'],
    },
    ({ assessment: { bootStorm } }, sample) => {
      if (bootStorm === undefined) return;
      for (const set of ['autostart', 'all'] as const) {
        const { added, afterReboot } = bootStorm[set];
        sample(`{set="${set}",phase="added"}`, valueOf(added));
        sample(`{set="${set}",phase="after_reboot"}`, valueOf(afterReboot));
      }
    },
  );
}
