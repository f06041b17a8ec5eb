import type { DomainJob } from '../../model/domain.ts';
import { domainGauge, domainInfo, type Metric } from '../metric.ts';

/** Migrations, saves, dumps and backups under way. */
export const domainJobMetrics: readonly Metric[] = [
  domainInfo(
    'kvm_domain_job_info',
    'Job that libvirt runs on a guest, such as a migration or a backup; absent without one ' +
      '(virDomainGetJobInfo).',
    { labels: ['operation'] },
    ({ domain, labels }, sample) => {
      if (domain.job !== undefined) sample(labels.one('operation', domain.job.operation), 1);
    },
  ),
  ofJob('elapsed_seconds', 'Time since the job of a guest started', 'elapsedSeconds'),
  ofJob('remaining_seconds', 'Estimated time until the job of a guest ends', 'remainingSeconds'),
  ofJob(
    'data_size_bytes',
    'Data the job of a guest has to move, memory and disks',
    'dataTotalBytes',
  ),
  ofJob('data_processed_bytes', 'Data the job of a guest has moved', 'dataProcessedBytes'),
  ofJob(
    'data_remaining_bytes',
    'Data the job of a guest still has to move, which rises when the guest writes faster ' +
      'than the job moves',
    'dataRemainingBytes',
  ),
];

function ofJob(
  name: string,
  meaning: string,
  field: Exclude<keyof DomainJob, 'operation'>,
): Metric {
  return domainGauge(
    `kvm_domain_job_${name}`,
    `${meaning} (virDomainGetJobInfo).`,
    {},
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.job?.[field]);
    },
  );
}
