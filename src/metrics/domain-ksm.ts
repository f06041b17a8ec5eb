import { domainGauge, type Metric } from './metric.ts';
import { zeroOne } from './yes-no.ts';

/** Samepage merging of each guest. The kernel lets only root see it. */
export const domainKsmMetrics: readonly Metric[] = [
  domainGauge(
    'kvm_domain_ksm_merging_bytes',
    'Memory of a guest in merged pages, whoever else uses them ' +
      '(/proc/<pid>/ksm_merging_pages, times the page size).',
    { note: 'Not what merging saves: that is known for the whole host only.' },
    ({ domain, labels, pageBytes }, sample) => {
      sample(labels.only, times(domain.process?.ksm?.mergingPages, pageBytes));
    },
  ),
  domainGauge(
    'kvm_domain_ksm_zero_bytes',
    "Memory of a guest replaced by the kernel's zero page (/proc/<pid>/ksm_stat ksm_zero_pages, " +
      'times the page size).',
    {},
    ({ domain, labels, pageBytes }, sample) => {
      sample(labels.only, times(domain.process?.ksm?.zeroPages, pageBytes));
    },
  ),
  domainGauge(
    'kvm_domain_ksm_rmap_items',
    'Pages of a guest that KSM keeps a record of (/proc/<pid>/ksm_stat ksm_rmap_items).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.ksm?.rmapItems);
    },
  ),
  domainGauge(
    'kvm_domain_ksm_profit_bytes',
    "Merged memory of a guest minus what KSM's records of it take; negative if merging is " +
      'not worth it (/proc/<pid>/ksm_stat ksm_process_profit).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.process?.ksm?.profitBytes);
    },
  ),
  domainGauge(
    'kvm_domain_ksm_mergeable',
    'Whether KSM may merge any memory of the QEMU process (/proc/<pid>/ksm_stat ksm_mergeable).',
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, zeroOne(domain.process?.ksm?.mergeable));
    },
  ),
];

function times(pages: number | undefined, pageBytes: number): number | undefined {
  return pages === undefined ? undefined : pages * pageBytes;
}
