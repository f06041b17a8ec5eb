import { gauge, type Metric } from '../metric.ts';

/** Where guests were learnt of. */
export const guestSourceMetrics: readonly Metric[] = [
  gauge(
    'kvm_source_up',
    'Whether a source of guests told of all of them; where one did not, sums over guests are absent.',
    {
      note:
        'source is libvirt, proxmox (files of Proxmox VE) or process (QEMUs that no manager runs). ' +
        'Absent for one that this host has nothing of.',
      labels: ['source'],
    },
    ({ snapshot }, sample) => {
      for (const { name, up } of snapshot.guestSources?.states ?? []) {
        sample(`{source="${name}"}`, up ? 1 : 0);
      }
    },
  ),
  gauge(
    'kvm_source_domains',
    'Guests that a source told of.',
    { labels: ['source'] },
    ({ snapshot }, sample) => {
      for (const { name, guests } of snapshot.guestSources?.states ?? []) {
        sample(`{source="${name}"}`, guests);
      }
    },
  ),
  gauge(
    'kvm_user_qemu_processes',
    'QEMU processes of ordinary users, which are no guests of this host and in no promise.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.guestSources?.userQemus?.count);
    },
  ),
  gauge(
    'kvm_user_qemu_memory_resident_bytes',
    'Resident memory of QEMU processes of ordinary users (/proc/<pid>/stat).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.guestSources?.userQemus?.residentBytes);
    },
  ),
  gauge(
    'kvm_proxmox_statistics_timestamp_seconds',
    'Unix time of what pvestatd wrote last (/run/pve/metrics).',
    { note: 'When it is older than 60 s, what comes from it is absent.' },
    ({ snapshot }, sample) => {
      sample('', snapshot.guestSources?.pvestatdAtSeconds);
    },
  ),
];
