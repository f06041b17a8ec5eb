import { findDependants } from '../../src/model/collectors.ts';
import { names, only, top, value } from './annotations.ts';
import { beyond } from './limit.ts';
import { promql, prose, type Subject } from './rule.ts';

const FLEET = { uid: 'kvm-fleet', variables: ['cluster', 'job', 'instance'] } as const;
const HOST = { uid: 'kvm-host', variables: ['cluster', 'job', 'instance'] } as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

/** Collectors that can read nothing without libvirt. */
const OF_LIBVIRT = ['domain', 'pool', ...findDependants('domain')].join('|');

/** Guests nobody knows about, because asking them could have cost the others an answer. */
const UNKNOWN = 'kvm_domain_monitor_unasked{@,reason=~"budget|storage"}';

/** Everything without which the other alerts are blind. */
export const exporter: Subject = {
  name: 'exporter',
  recording: [
    {
      record: 'instance:kvm_exporter_seen:bool',
      expr: promql`
        # Which targets are ours: up has no metric name to tell. For as long as Prometheus scrapes them.
        group without (version, nodeversion) (kvm_exporter_build_info)
        or
        (
          last_over_time(instance:kvm_exporter_seen:bool[1d])
          and on (cluster, job, instance) up
        )
      `,
    },
    {
      record: 'instance_domain:kvm_domain_seen:bool',
      expr: promql`
        # Guests as of the last good scrape; those that were moved away before are not among them.
        group without (uuid, type, os_type, arch, machine, persistent, autostart, source) (
          kvm_domain_info
        )
        or
        (
          instance_domain:kvm_domain_seen:bool
          and on (cluster, job, instance) (
            up == 0
            or
            (kvm_libvirt_up == 0 unless on (cluster, job, instance) kvm_libvirt_expected == 0)
          )
        )
      `,
    },
    {
      record: 'instance:kvm_policy_maintenance_end_seconds:timestamp',
      expr: promql`
        # By the clock of Prometheus: what remains is added, so that the clock of the host does not count.
        time() + kvm_policy_maintenance_remaining_seconds
      `,
    },
  ],
  alerts: [
    {
      name: 'KvmHostMaintenance',
      summary: 'A host is being worked on, so its other alerts are muted.',
      description: prose`
        The policy of {{ $labels.instance }} says that it is being worked on until ${value('time')}.
        Until then nothing else about it is told, also while it is down. Guests there:
        ${names('instance_domain:kvm_domain_seen:bool{@}')}. To end it, take maintenance out of the
        policy file and reload the exporter.
      `,
      dashboard: FLEET,
      // No waiting: it mutes what comes next.
      at: { info: {} },
      expr: () => promql`
        # Outlives the host's being down.
        last_over_time(instance:kvm_policy_maintenance_end_seconds:timestamp[1d]) > time()
      `,
    },
    {
      name: 'KvmWatchdog',
      summary: 'Alerting works; this alert always fires.',
      description: prose`
        This alert fires for as long as Prometheus evaluates the rules and reaches Alertmanager. Send it
        to something that raises an alarm when it ends. Hosts watched now:
        ${'{{ with query "count(kvm_exporter_build_info)" }}{{ . | first | value | humanize }}{{ else }}none{{ end }}'}.
      `,
      dashboard: { uid: 'kvm-fleet', variables: [] },
      at: { info: {} },
      expr: () => 'vector(1)',
    },
    {
      name: 'KvmExporterDown',
      // The only sign of a host that is gone together with all its guests.
      summary: 'A host does not answer, or only its exporter does not.',
      description: prose`
        Nothing is known of {{ $labels.instance }} any more. If the host is gone, these guests are
        too: ${names('instance_domain:kvm_domain_seen:bool{@}')}. Look at the host, then at its exporter.
      `,
      dashboard: FLEET,
      at: { critical: { for: '5m' } },
      expr: () => promql`
        (up == 0)
        and on (cluster, job, instance)
        instance:kvm_exporter_seen:bool
      `,
    },
    {
      name: 'KvmExporterAbsent',
      summary: 'No host reports anything.',
      description: prose`
        Prometheus has no series of any exporter
        {{ with query "count(last_over_time(kvm_exporter_build_info[1d]))" }}and had
        {{ . | first | value | humanize }} of them within a day{{ else }}and had none within a
        day{{ end }}: discovery or the network is broken, and no other alert of this pack can fire.
      `,
      dashboard: { uid: 'kvm-fleet', variables: [] },
      at: { critical: { for: '15m' } },
      expr: () => 'absent(kvm_exporter_build_info)',
    },
    {
      name: 'KvmExporterSlow',
      summary: 'A scrape of an exporter takes too long.',
      description: prose`
        Scraping {{ $labels.instance }} takes ${value('seconds')}. Slowest parts:
        ${top('kvm_scrape_collector_duration_seconds{@}', 'seconds', { label: 'collector' })}.
      `,
      dashboard: HOST,
      at: { warning: { for: '10m' } },
      expr: () => promql`
        scrape_duration_seconds
        ${beyond('exporter.scrape_seconds', 'warning')}
      `,
    },
    {
      name: 'KvmExporterPartial',
      summary: 'An exporter cannot read a part of its host.',
      description: prose`
        Collector {{ $labels.collector }} on {{ $labels.instance }} fails: alerts that need it are
        silent. Failing there: ${names('kvm_scrape_collector_success{@} == 0', 'collector')}. The
        exporter's log says why.
      `,
      dashboard: HOST,
      at: { warning: { for: '15m' } },
      expr: () => promql`
        (kvm_scrape_collector_success == 0)
        unless on (cluster, job, instance, collector)
        # Libvirt that is away is one alert, not one of each collector that begins with it.
        (
          kvm_scrape_collector_success{collector=~"${OF_LIBVIRT}"} == 0
          and on (cluster, job, instance)
          (kvm_libvirt_up == 0 unless on (cluster, job, instance) kvm_libvirt_expected == 0)
        )
      `,
    },
    {
      name: 'KvmLibvirtDown',
      summary: 'The libvirt daemon of a host cannot be reached.',
      description: prose`
        The exporter on {{ $labels.instance }} cannot talk to libvirt. Guests run on, but nobody can
        start, stop, move or pause them: ${names('instance_domain:kvm_domain_seen:bool{@}')}. Start the
        daemon again.
      `,
      dashboard: HOST,
      at: { critical: { for: '2m' } },
      expr: () => promql`
        # The highest of two minutes: a daemon that stops when idle is woken by the next scrape.
        max_over_time(kvm_libvirt_up[2m]) == 0
        unless on (cluster, job, instance)
        # Nobody misses one where guests come from elsewhere.
        kvm_libvirt_expected == 0
      `,
    },
    {
      name: 'KvmPolicyReloadFailed',
      summary: 'The policy file of an exporter is broken.',
      description: prose`
        {{ $labels.instance }} could not read its policy file and keeps the policy it had.
        Loaded last: ${top('kvm_policy_last_reload_success_timestamp_seconds{@}', 'time', { label: 'instance' })}.
      `,
      dashboard: HOST,
      at: { warning: { for: '5m' } },
      expr: () => 'kvm_policy_last_reload_successful == 0',
    },
    {
      name: 'KvmGuestMonitorUnresponsive',
      summary: 'The QEMU process of a guest does not answer.',
      description: prose`
        QEMU of {{ $labels.domain }} on {{ $labels.instance }} does not answer its monitor: the guest
        cannot be moved, paused or shut down, and its balloon and disk figures are missing. Known not
        to answer there: ${only('count(kvm_domain_monitor_responsive{@} == 0)', 'number', '0')}
        (${names('kvm_domain_monitor_responsive{@} == 0')}). Could not be asked, so not known:
        ${only(`count(${UNKNOWN})`, 'number', '0')}.
      `,
      dashboard: GUEST,
      at: { warning: { for: '5m' }, critical: { for: '5m' } },
      expr: (severity) =>
        severity === 'critical'
          ? promql`
              (kvm_domain_monitor_responsive == 0)
              # A filesystem that does not answer is one page, and names those that hang on it.
              unless on (cluster, job, instance, domain) (
                last_over_time(kvm_domain_storage_promised_bytes[1d])
                and on (cluster, job, instance, mountpoint)
                kvm_filesystem_responsive == 0
              )
              # Not even an idle guest uses less than half a percent of a CPU; helper threads of QEMU do.
              and on (cluster, job, instance, domain)
              round(instance_domain:kvm_domain_cpu_seconds:rate5m, 0.01) == 0
            `
          : 'kvm_domain_monitor_responsive == 0',
    },
    {
      name: 'KvmMonitorBudgetExhausted',
      // Thirty guests that hang would else look like the three that were asked.
      summary: 'So many calls to libvirt hang that guests are not asked any more.',
      description: prose`
        ${value('number')} guests on {{ $labels.instance }} could not be asked for their disk and
        balloon figures: ${only('kvm_exporter_libvirt_stuck_calls{@}', 'number', 'unknown')} calls of
        its libvirt hang, and more would take the last of its workers from everybody. Any of these
        guests may hang too: ${names('kvm_domain_monitor_unasked{@,reason="budget"}')}. Known to
        hang: ${names('kvm_domain_monitor_responsive{@} == 0')}.
      `,
      dashboard: HOST,
      at: { warning: { for: '5m' } },
      expr: () => promql`
        count without (domain, reason) (kvm_domain_monitor_unasked{reason="budget"})
      `,
    },
  ],
};
