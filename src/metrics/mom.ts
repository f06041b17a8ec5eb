import { MOM_ZONES, type MomDecision } from '../overcommit/mom.ts';
import { domainGauge, gauge, type Metric, withNote } from './metric.ts';

/**
 * What MOM's default policy would do with this host; nothing of it is applied. variant="mom"
 * measures like MOM, variant="corrected" measures better (src/overcommit/mom.ts).
 */
export const momMetrics: readonly Metric[] = [
  withNote(
    ofVariant(
      'kvm_mom_host_free_ratio',
      'Free share of RAM as MOM computes it (variant mom) or as the kernel estimates it ' +
        '(variant corrected).',
      ({ hostFreeRatio }) => hostFreeRatio,
    ),
    'mom is MemFree, Buffers and Cached; corrected is MemAvailable.',
  ),
  gauge(
    'kvm_mom_zone',
    'Zone MOM would put the host in: 1 for that zone, 0 for the others.',
    {
      note: 'comfortable from 20 % free, pressure below, critical up to 5 %.',
      labels: ['variant', 'zone'],
    },
    ({ assessment }, sample) => {
      for (const { variant, zone } of assessment.mom) {
        for (const one of MOM_ZONES) {
          sample(`{variant="${variant}",zone="${one}"}`, one === zone ? 1 : 0);
        }
      }
    },
  ),
  ofVariant('kvm_mom_ksm_run', 'Whether MOM would run KSM.', ({ ksm }) =>
    ksm === undefined ? undefined : Number(ksm.run),
  ),
  ofVariant(
    'kvm_mom_ksm_pages_to_scan',
    'Pages per batch MOM would let KSM scan; absent while it would not run KSM.',
    ({ ksm }) => (ksm?.run === true ? ksm.pagesToScan : undefined),
  ),
  ofVariant(
    'kvm_mom_ksm_sleep_seconds',
    'Pause between batches MOM would set for KSM; absent while it would not run KSM.',
    ({ ksm }) => (ksm?.run === true ? ksm.sleepMilliseconds / 1000 : undefined),
  ),
  domainGauge(
    'kvm_domain_mom_balloon_target_bytes',
    'Balloon target MOM would set for a guest; absent for guests without balloon statistics.',
    { labels: ['variant'] },
    ({ momTargets, labels }, sample) => {
      for (const { variant, targetBytes } of momTargets) {
        sample(labels.one('variant', variant), targetBytes);
      }
    },
  ),
];

function ofVariant(
  name: string,
  help: string,
  valueOf: (decision: MomDecision) => number | undefined,
): Metric {
  return gauge(name, help, { labels: ['variant'] }, ({ assessment }, sample) => {
    for (const decision of assessment.mom) {
      sample(`{variant="${decision.variant}"}`, valueOf(decision));
    }
  });
}
