import { annotationsOf } from './annotations.ts';
import { capacity } from './capacity.ts';
import { cpu, vcpus } from './cpu.ts';
import { exporter } from './exporter.ts';
import { fleet } from './fleet.ts';
import { guestMemory } from './guest-memory.ts';
import { host } from './host.ts';
import { ksm } from './ksm.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { guestPaging } from './guest-paging.ts';
import { memoryMinimum } from './memory-minimum.ts';
import { riskSubjects } from './risk.ts';
import type {
  AlertDefinition,
  AlertGroup,
  AlertRule,
  RecordingGroup,
  Severity,
  Subject,
} from './rule.ts';
import { filesystems, images } from './storage.ts';
import { tenants } from './tenants.ts';

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

/**
 * In the order rules depend on each other. Prometheus evaluates groups side by side, so what one
 * group reads from another is one interval old at most.
 */
export const SUBJECTS: readonly Subject[] = [
  host,
  vcpus,
  cpu,
  memory,
  ksm,
  guestMemory,
  guestPaging,
  memoryMinimum,
  filesystems,
  images,
  network,
  tenants,
  exporter,
  capacity,
  ...riskSubjects,
  fleet,
];

export const RECORDING_GROUPS: readonly RecordingGroup[] = SUBJECTS.filter(
  ({ recording }) => recording.length > 0,
).map(({ name, recording }) => ({ name: `kvm-${name}-recording`, rules: recording }));

/** The one group that looks at more than one host. */
export const FLEET_GROUP = `kvm-${fleet.name}-recording`;

export const ALERT_GROUPS: readonly AlertGroup[] = SUBJECTS.filter(
  ({ alerts }) => alerts.length > 0,
).map(({ name, alerts }) => ({ name: `kvm-${name}-alerts`, rules: alerts.flatMap(rulesOf) }));

/** One rule per severity, under the same name: Alertmanager mutes the warning by the critical one. */
function rulesOf(alert: AlertDefinition): readonly AlertRule[] {
  return SEVERITIES.flatMap((severity) => {
    const timing = alert.at[severity];
    if (timing === undefined) return [];
    return [
      {
        alert: alert.name,
        expr: alert.expr(severity),
        ...timing,
        labels: { severity },
        annotations: annotationsOf(alert),
      },
    ];
  });
}
