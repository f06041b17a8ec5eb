import type { BootDemand } from '../overcommit/boot-storm.ts';
import { gauge, type Metric } from './metric.ts';

/** What guests would demand all at once if the host were rebooted, or all guests were started. */
export const bootStormMetrics: readonly Metric[] = [
  demand('domains', 'Guests', ({ domains }) => domains),
  demand('vcpus', 'vCPUs', ({ vcpus }) => vcpus),
  demand(
    'memory_bytes',
    'Memory with empty balloons, which is what a guest has while it boots, of guests',
    ({ maximumMemoryBytes }) => maximumMemoryBytes,
  ),
  demand(
    'storage_bytes',
    'Growth still ahead of the images of guests',
    ({ claimableStorageBytes }) => claimableStorageBytes,
  ),
  gauge(
    'kvm_boot_storm_domains_not_restarted',
    'Running guests that a reboot of the host would not bring back: no autostart, or transient.',
    {},
    ({ assessment }, sample) => {
      sample('', assessment.bootStorm?.activeWithoutAutostart);
    },
  ),
];

function demand(name: string, what: string, valueOf: (demand: BootDemand) => number): Metric {
  return gauge(
    `kvm_boot_storm_${name}`,
    `${what} to be started, of those with autostart or of all persistent ones: in addition to ` +
      'what runs now (added), or altogether after a reboot (after_reboot).',
    { labels: ['set', 'phase'] },
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
