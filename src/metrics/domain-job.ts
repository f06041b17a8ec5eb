import type { DomainJob } from '../snapshot/domain.ts';
import { domainGauge, domainInfo, type Metric } from './metric.ts';

/** Migrations, saves, dumps and backups under way. */
export const domainJobMetrics: readonly Metric[] = [
  domainInfo(
    'kvm_domain_job_info',
    'Job that libvirt runs on a guest, such as a migration or a backup; absent without one ' +
      '(virDomainGetJobInfo).',
    { labels: ['operation'], replaces: ['libvirt_domain_job_info_type'] },
    ({ domain, labels }, sample) => {
      if (domain.job !== undefined) sample(labels.one('operation', domain.job.operation), 1);
    },
  ),
  ofJob('elapsed_seconds', 'Time since the job of a guest started', 'elapsedSeconds', [
    'libvirt_domain_job_info_time_elapsed_seconds',
  ]),
  ofJob('remaining_seconds', 'Estimated time until the job of a guest ends', 'remainingSeconds', [
    'libvirt_domain_job_info_time_remaining_seconds',
  ]),
  ofJob(
    'data_size_bytes',
    'Data the job of a guest has to move, memory and disks',
    'dataTotalBytes',
    [
      'libvirt_domain_job_info_data_total_bytes',
      'libvirt_domain_job_info_memory_total_bytes',
      'libvirt_domain_job_info_file_total_bytes',
      'kubevirt_vmi_migration_data_bytes_total',
    ],
  ),
  ofJob('data_processed_bytes', 'Data the job of a guest has moved', 'dataProcessedBytes', [
    'libvirt_domain_job_info_data_processed_bytes',
    'libvirt_domain_job_info_memory_processed_bytes',
    'libvirt_domain_job_info_file_processed_bytes',
    'kubevirt_vmi_migration_data_processed_bytes',
  ]),
  ofJob(
    'data_remaining_bytes',
    'Data the job of a guest still has to move, which rises when the guest writes faster ' +
      'than the job moves',
    'dataRemainingBytes',
    [
      'libvirt_domain_job_info_data_remaining_bytes',
      'libvirt_domain_job_info_memory_remaining_bytes',
      'libvirt_domain_job_info_file_remaining_bytes',
      'kubevirt_vmi_migration_data_remaining_bytes',
    ],
  ),
];

function ofJob(
  name: string,
  meaning: string,
  field: Exclude<keyof DomainJob, 'operation'>,
  replaces: readonly string[],
): Metric {
  return domainGauge(
    `kvm_domain_job_${name}`,
    `${meaning} (virDomainGetJobInfo).`,
    { replaces },
    ({ domain, labels }, sample) => {
      sample(labels.only, domain.job?.[field]);
    },
  );
}
