import { gauge, type Metric } from '../metric.ts';

/** Open files of the whole host: a full table fails whatever opens a disk, a tap or a socket. */
export const hostFileHandleMetrics: readonly Metric[] = [
  gauge(
    'kvm_host_file_handles_allocated',
    'Open files of all processes (/proc/sys/fs/file-nr).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.fileHandles?.allocated);
    },
  ),
  gauge(
    'kvm_host_file_handles_limit',
    'Most files that processes without root rights can have open at once (/proc/sys/fs/file-max).',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.host.fileHandles?.limit);
    },
  ),
];
