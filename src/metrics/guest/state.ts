import { areGuestsComplete } from '../../model/guest-source.ts';
import { DOMAIN_STATES } from '../../model/facts/domain-state.ts';
import { domainGauge, domainInfo, gauge, type Metric } from '../metric.ts';
import { tenantText } from '../../view/tenant-text.ts';
import { yesNo } from '../yes-no.ts';

/** Who the guests are and what state they are in. */
export const domainStateMetrics: readonly Metric[] = [
  gauge(
    'kvm_domains',
    'Guests of this host, by state (virDomainState).',
    {
      labels: ['state'],
    },
    (view, sample) => {
      if (view.snapshot.domains === undefined) return;
      if (!areGuestsComplete(view.snapshot.guestSources)) return;
      const counts = new Map<string, number>();
      for (const { domain } of view.domains) {
        counts.set(domain.state, (counts.get(domain.state) ?? 0) + 1);
      }
      // All of them, so that a count that falls to 0 says 0.
      for (const state of DOMAIN_STATES) {
        sample(`{state="${state}"}`, counts.get(state) ?? 0);
      }
    },
  ),
  domainInfo(
    'kvm_domain_info',
    'Identity of a guest; join on domain to get its uuid (libvirt XML).',
    {
      note: 'source is who told of the guest: libvirt, proxmox or process.',
      labels: ['uuid', 'type', 'os_type', 'arch', 'machine', 'persistent', 'autostart', 'source'],
    },
    ({ domain, labels }, sample) => {
      const { config } = domain;
      sample(
        labels.with(
          ['uuid', 'type', 'os_type', 'arch', 'machine', 'persistent', 'autostart', 'source'],
          [
            config?.uuid ?? domain.uuid,
            config?.type ?? '',
            config?.os.type ?? '',
            config?.os.arch ?? '',
            config?.os.machine ?? '',
            yesNo(domain.persistent),
            yesNo(domain.autostart),
            domain.source ?? 'libvirt',
          ],
        ),
        1,
      );
    },
  ),
  domainInfo(
    'kvm_domain_openstack_info',
    'OpenStack Nova identity of a guest (nova metadata of its XML).',
    {
      labels: ['instance_name', 'flavor', 'user_name', 'user_id', 'project_name', 'project_id'],
    },
    ({ domain, labels }, sample) => {
      const nova = domain.config?.nova;
      if (nova === undefined) return;
      sample(
        labels.with(
          ['instance_name', 'flavor', 'user_name', 'user_id', 'project_name', 'project_id'],
          [
            tenantText(nova.instanceName),
            tenantText(nova.flavor),
            tenantText(nova.user?.name),
            tenantText(nova.user?.id),
            tenantText(nova.project?.name),
            tenantText(nova.project?.id),
          ],
        ),
        1,
      );
    },
  ),
  domainGauge(
    'kvm_domain_state',
    'State of a guest and the reason for it: always 1, both are in the labels (state.state, ' +
      'state.reason).',
    {
      note: 'state="paused",reason="ioerror" is a guest stopped by a full or broken disk.',
      labels: ['state', 'reason'],
    },
    ({ domain, labels }, sample) => {
      sample(labels.with(['state', 'reason'], [domain.state, domain.reason]), 1);
    },
  ),
  domainGauge(
    'kvm_domain_monitor_responsive',
    'Whether the QEMU monitor of a guest answers: 1 when it has just answered, 0 when it is ' +
      'known to be stuck.',
    {
      note:
        'Absent when neither is known. Values that come from the monitor are absent unless it ' +
        'is 1.',
    },
    ({ domain, labels }, sample) => {
      if (domain.monitor === 'unasked') return;
      sample(labels.only, domain.monitor === 'responsive' ? 1 : 0);
    },
  ),
  domainGauge(
    'kvm_domain_monitor_unasked',
    'Why the QEMU monitor of a guest was not asked, or not for its disks: always 1, the ' +
      'reason is in the label.',
    {
      note:
        'reason is stopped, frozen or blocked (seen in /proc), occupied (libvirt waits for it), ' +
        'timed_out, storage (its images lie on storage that does not answer) or budget (too ' +
        'many calls are stuck, or no time was left).',
      labels: ['reason'],
    },
    ({ domain, labels }, sample) => {
      if (domain.unaskedReason === undefined) return;
      sample(labels.with(['reason'], [domain.unaskedReason]), 1);
    },
  ),
  domainGauge(
    'kvm_domain_start_time_seconds',
    'Unix time at which the QEMU process of a guest started (/proc/<pid>/stat starttime).',
    {
      note: 'Counters of a guest begin anew when it changes.',
    },
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.startSeconds);
    },
  ),
  domainGauge(
    'kvm_domain_age_seconds',
    'Time since the QEMU process of a guest started, by the clock of the host ' +
      '(/proc/<pid>/stat starttime).',
    {},
    ({ domain, labels, takenAtSeconds }, sample) => {
      const startedAt = domain.process?.startSeconds;
      const age = startedAt === undefined ? undefined : Math.max(0, takenAtSeconds - startedAt);
      sample(labels.only, age);
    },
  ),
];
