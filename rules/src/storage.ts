import { atLeast, ascending, names, namesOrNone, only, top, value } from './annotations.ts';
import { beyond, limit, type LimitSeverity } from './limit.ts';
import {
  indented,
  promql,
  prose,
  type AlertDefinition,
  type RecordingRule,
  type Subject,
} from './rule.ts';

const HOST = { uid: 'kvm-storage', variables: ['cluster', 'job', 'instance'] } as const;
const FILESYSTEM = {
  uid: 'kvm-storage',
  variables: ['cluster', 'job', 'instance', 'mountpoint'],
} as const;
const GUEST = { uid: 'kvm-guest', variables: ['cluster', 'job', 'instance', 'domain'] } as const;

const MAY_GROW = top('sum by (domain) (kvm_domain_storage_claimable_bytes{@})', 'bytes');
const MAY_GROW_THERE = top(
  'sum by (domain) (kvm_domain_storage_claimable_bytes{@,mountpoint=$mountpoint})',
  'bytes',
);
const WRITERS = top('instance_domain:kvm_domain_disk_write_bytes:rate5m{@}', 'bytes per second');

/** Those of the guests that stand still because a write failed. @param guests a query of guests. */
function pausedOf(guests: string): string {
  return namesOrNone(
    `${guests} and on (domain) kvm_domain_state{@,state="paused",reason="ioerror"}`,
  );
}

/** Filesystems with nothing left for images that want some. */
const FULL = promql`
  (
    # Less than the smallest thing an image grows by, a cluster of 64 KiB.
    kvm_filesystem_avail_bytes < 65536
    or
    # Clusters of 2 MiB, several of them at once, want more: a guest that got none stands still.
    (kvm_filesystem_avail_bytes < 16777216)
    and on (cluster, job, instance, mountpoint) (
      (kvm_domain_storage_claimable_bytes > 0)
      and on (cluster, job, instance, domain)
      kvm_domain_state{state="paused",reason="ioerror"} == 1
    )
  )
  # Preallocated images have what they need. On a network filesystem there are images of other hosts
  # too, which this host cannot know.
  and on (cluster, job, instance, mountpoint) (
    kvm_filesystem_claimable_bytes > 0
    or
    kvm_filesystem_info{network="yes"} == 1
  )
`;

/** Thin pools that take no more writes, each once. */
const BROKEN = promql`
  kvm_thin_pool_state{state=~"ro|out-of-data-space|failed"} == 1
  or on (cluster, job, instance, vg, pool)
  kvm_thin_pool_needs_check == 1
  or on (cluster, job, instance, vg, pool)
  # The kernel says so only with the next write.
  kvm_thin_pool_data_used_bytes / kvm_thin_pool_size_bytes >= 1
  or on (cluster, job, instance, vg, pool)
  kvm_thin_pool_metadata_used_bytes / kvm_thin_pool_metadata_size_bytes >= 1
`;

/**
 * Guests with disks where another page says that nothing can be written. Only what is scraped is read,
 * so that cause and guest are of the same moment.
 */
const STOPPED_BY_STORAGE = [
  promql`
    # Wants to grow on a filesystem that has nothing for it, or that nobody can write to. Whoever has
    # made room is given the five minutes to resume it for which the page of the filesystem stays.
    (kvm_domain_storage_claimable_bytes > 0)
    and on (cluster, job, instance, mountpoint) (
      min_over_time(kvm_filesystem_avail_bytes[5m]) < 16777216
      or
      kvm_filesystem_readonly == 1
    )
    or
    # What does not answer does not tell who has disks on it either.
    last_over_time(kvm_domain_storage_promised_bytes[1d])
    and on (cluster, job, instance, mountpoint)
    kvm_filesystem_responsive == 0
    or
    # QEMU writes to no image it found damaged.
    kvm_domain_disk_image_info
    and on (cluster, job, instance, path)
    kvm_image_corrupt == 1
    or
    kvm_domain_thin_promised_bytes
    and on (cluster, job, instance, vg, pool) (
  `,
  indented(BROKEN),
  ')',
].join('\n');

const recording: readonly RecordingRule[] = [
  {
    record: 'instance_mountpoint:kvm_filesystem_promised_per_size:ratio',
    expr: promql`
      kvm_filesystem_promised_bytes
      /
      (kvm_filesystem_size_bytes > 0)
    `,
  },
  {
    record: 'instance_mountpoint:kvm_filesystem_claimable_per_avail:ratio',
    expr: promql`
      # No guard: with nothing left, any growth is infinitely exposed, and must not vanish. No growth
      # is not exposed at all, whatever is left: 0 by 0 is NaN here and nothing in MetricsQL.
      (kvm_filesystem_claimable_bytes > 0)
      /
      kvm_filesystem_avail_bytes
      or
      (kvm_filesystem_claimable_bytes == 0)
      /
      (kvm_filesystem_size_bytes > 0)
    `,
  },
  {
    record: 'instance_mountpoint:kvm_filesystem_avail:ratio',
    expr: promql`
      kvm_filesystem_avail_bytes
      /
      (kvm_filesystem_size_bytes > 0)
    `,
  },
  {
    record: 'instance_mountpoint:kvm_filesystem_files_free:ratio',
    expr: promql`
      kvm_filesystem_files_free
      /
      (kvm_filesystem_files > 0)
    `,
  },
  {
    record: 'instance_mountpoint:kvm_filesystem_full_seconds:deriv6h',
    expr: promql`
      # Seconds until nothing is left at the pace of the last hours; no series while it does not shrink.
      # One large file is a step and no pace: it shrank in the last half hour, and in the one before.
      (kvm_filesystem_avail_bytes > 0)
      /
      -(deriv(kvm_filesystem_avail_bytes[6h]) < 0)
      and on (cluster, job, instance, mountpoint)
      kvm_filesystem_avail_bytes < last_over_time(kvm_filesystem_avail_bytes[10m] offset 30m)
      and on (cluster, job, instance, mountpoint)
      last_over_time(kvm_filesystem_avail_bytes[10m] offset 30m)
        < last_over_time(kvm_filesystem_avail_bytes[10m] offset 1h)
    `,
  },
  {
    record: 'instance_mountpoint:kvm_filesystem_full_seconds:deriv10m',
    expr: promql`
      # A step is no slope: it shrank in the last minute and in the one before, or, where scrapes are far
      # apart, in the last two and the two before.
      (kvm_filesystem_avail_bytes > 0)
      /
      -(deriv(kvm_filesystem_avail_bytes[10m]) < 0)
      and on (cluster, job, instance, mountpoint) (
        kvm_filesystem_avail_bytes < last_over_time(kvm_filesystem_avail_bytes[10m] offset 1m)
        and on (cluster, job, instance, mountpoint)
        last_over_time(kvm_filesystem_avail_bytes[10m] offset 1m)
          < last_over_time(kvm_filesystem_avail_bytes[10m] offset 2m)
        or
        kvm_filesystem_avail_bytes < last_over_time(kvm_filesystem_avail_bytes[10m] offset 2m)
        and on (cluster, job, instance, mountpoint)
        last_over_time(kvm_filesystem_avail_bytes[10m] offset 2m)
          < last_over_time(kvm_filesystem_avail_bytes[10m] offset 4m)
      )
    `,
  },
  {
    record: 'instance_mountpoint:kvm_filesystem_full_seconds:deriv3d',
    expr: promql`
      # At the pace of days, in which nightly jobs come and go; again no step.
      (kvm_filesystem_avail_bytes > 0)
      /
      -(deriv(kvm_filesystem_avail_bytes[3d]) < 0)
      and on (cluster, job, instance, mountpoint)
      kvm_filesystem_avail_bytes < last_over_time(kvm_filesystem_avail_bytes[1h] offset 1d)
      and on (cluster, job, instance, mountpoint)
      last_over_time(kvm_filesystem_avail_bytes[1h] offset 1d)
        < last_over_time(kvm_filesystem_avail_bytes[1h] offset 2d)
    `,
  },
  {
    record: 'instance_path:kvm_image_allocated_per_worst_case:ratio',
    expr: promql`
      # Internal snapshots may pin as much again, so an image with some proves nothing.
      kvm_image_allocated_bytes
      /
      (kvm_image_worst_case_bytes > 0)
      unless on (cluster, job, instance, path) kvm_image_snapshots > 0
    `,
  },
  {
    record: 'instance_pool:kvm_thin_pool_data_used:ratio',
    expr: promql`
      kvm_thin_pool_data_used_bytes
      /
      (kvm_thin_pool_size_bytes > 0)
    `,
  },
  {
    record: 'instance_pool:kvm_thin_pool_metadata_used:ratio',
    expr: promql`
      kvm_thin_pool_metadata_used_bytes
      /
      (kvm_thin_pool_metadata_size_bytes > 0)
    `,
  },
  {
    record: 'instance_pool:kvm_thin_pool_claimable_per_avail:ratio',
    expr: promql`
      # Free space of the volume group is not counted: extending takes somebody, or a threshold.
      kvm_thin_pool_claimable_bytes
      /
      (kvm_thin_pool_size_bytes - kvm_thin_pool_data_used_bytes)
    `,
  },
  {
    record: 'instance_pool:kvm_pool_allocated:ratio',
    expr: promql`
      kvm_pool_allocated_bytes
      /
      (kvm_pool_capacity_bytes > 0)
    `,
  },
  {
    record: 'instance_pool:kvm_pool_allocated_that_grows:ratio',
    expr: promql`
      # A volume group that is cut up is as it should be; so is a directory whose images cannot grow by
      # more than their filesystem has left, which has alerts of its own. What else fills a cluster of
      # many hosts is not known here.
      instance_pool:kvm_pool_allocated:ratio
      and on (cluster, job, instance, pool)
      kvm_pool_info{type=~"rbd|sheepdog|gluster|zfs|vstorage"}
      or
      (
        instance_pool:kvm_pool_allocated:ratio
        unless on (cluster, job, instance, pool)
        kvm_pool_info{type=~"logical|disk|iscsi|iscsi-direct|scsi|mpath"}
        and on (cluster, job, instance)
        kvm_storage_shortfall_bytes > 0
      )
    `,
  },
  {
    record: 'instance_domain:kvm_domain_disk_write_bytes:rate5m',
    expr: 'sum without (device) (rate(kvm_domain_disk_written_bytes_total[5m]))',
  },
  {
    record: 'instance_domain:kvm_domain_disk_read_bytes:rate5m',
    expr: 'sum without (device) (rate(kvm_domain_disk_read_bytes_total[5m]))',
  },
  {
    record: 'instance_domain_device:kvm_domain_disk_write_seconds_per_request:rate5m',
    expr: promql`
      rate(kvm_domain_disk_write_seconds_total[5m])
      /
      (rate(kvm_domain_disk_write_requests_total[5m]) > 0)
    `,
  },
  {
    record: 'instance_domain:kvm_domain_disk_write_bytes:topk_rate5m',
    expr: 'topk by (cluster, job, instance) (5, instance_domain:kvm_domain_disk_write_bytes:rate5m)',
  },
  {
    record: 'instance:kvm_domains_paused_on_io_error:count',
    expr: promql`
      count without (domain, state, reason) (
        kvm_domain_state{state="paused",reason="ioerror"} == 1
      )
      or
      # None of the known guests is a measured 0; no known guests is not.
      count without (domain, state, reason) (kvm_domain_state) * 0
    `,
  },
];

const FULL_AT_THE_PACE_OF_HOURS = prose`
  {{ $labels.mountpoint }} of {{ $labels.instance }} is full in ${value('seconds')} if it goes on
  like in the last hours. Writing most: ${WRITERS}. May still grow most: ${MAY_GROW}.
`;

/** Two alerts with one question; the critical limit is the nearer end. */
function fullWithin(severity: LimitSeverity): string {
  return promql`
    (
      instance_mountpoint:kvm_filesystem_full_seconds:deriv6h
      ${beyond('storage.fill_seconds', severity)}
    )
    and on (cluster, job, instance, mountpoint) (
      instance_mountpoint:kvm_filesystem_avail:ratio
      ${beyond('storage.fill_available_ratio', severity)}
    )
  `;
}

/** Images whose growth is in no sum. */
const AT_LEAST = atLeast('kvm_filesystem_images_unknown{@,mountpoint=$mountpoint} > 0');

const filesystemAlerts: readonly AlertDefinition[] = [
  {
    name: 'KvmFilesystemOverPromised',
    summary: 'Images may grow larger than their filesystem.',
    description: prose`
      Images on {{ $labels.mountpoint }} of {{ $labels.instance }} may grow to
      ${AT_LEAST}${value('percent')} of its size. May still grow most: ${MAY_GROW}. Move images, or watch it closely.
    `,
    dashboard: FILESYSTEM,
    at: { warning: { for: '30m' } },
    expr: () => promql`
      instance_mountpoint:kvm_filesystem_promised_per_size:ratio
      ${beyond('storage.promised_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmStorageRunOnTheBank',
    summary: 'Images may grow by more than a filesystem has left.',
    description: prose`
      Images on {{ $labels.mountpoint }} of {{ $labels.instance }} may grow by
      ${AT_LEAST}${only('kvm_filesystem_claimable_bytes{@,mountpoint=$mountpoint}', 'bytes', 'unknown')} and
      ${only('kvm_filesystem_avail_bytes{@,mountpoint=$mountpoint}', 'bytes', 'unknown')} are left there.
      May still grow most: ${MAY_GROW}. If they do, guests are paused: move an image or add space.
    `,
    dashboard: FILESYSTEM,
    at: { warning: { for: '30m' } },
    expr: () => promql`
      instance_mountpoint:kvm_filesystem_claimable_per_avail:ratio
      ${beyond('storage.claimable_per_avail_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmFilesystemFillingUp',
    summary: 'A filesystem with images fills up.',
    description: FULL_AT_THE_PACE_OF_HOURS,
    dashboard: FILESYSTEM,
    at: { warning: { for: '1h' } },
    expr: () => fullWithin('warning'),
  },
  {
    name: 'KvmFilesystemFullWithinDays',
    summary: 'A filesystem with images is full within a week.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} is full in ${value('seconds')} if it goes on
      like in the last days; then guests that write to new blocks are paused. May still grow most:
      ${MAY_GROW_THERE}. Order space, or move an image.
    `,
    dashboard: FILESYSTEM,
    at: { warning: { for: '6h' } },
    expr: () => promql`
      (
        instance_mountpoint:kvm_filesystem_full_seconds:deriv3d
        # Seven times the limit of a ticket that cannot wait, which is a day.
        < on (cluster, job, instance) group_left ()
        7 * ${limit('storage.fill_seconds', 'warning')}
      )
      and on (cluster, job, instance, mountpoint) (
        instance_mountpoint:kvm_filesystem_avail:ratio
        ${beyond('storage.fill_available_ratio', 'warning')}
      )
    `,
  },
  {
    name: 'KvmFilesystemFullWithinHours',
    summary: 'A filesystem with images is full within hours.',
    description: FULL_AT_THE_PACE_OF_HOURS,
    dashboard: FILESYSTEM,
    // Not critical: nothing is lost yet, and there is time to act.
    at: { warning: { for: '15m' } },
    expr: () => fullWithin('critical'),
  },
  {
    name: 'KvmFilesystemFullImminent',
    summary: 'A filesystem with images is full within minutes.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} is full in ${value('seconds')}; guests that
      write to it are paused then. Writing most: ${WRITERS}. Pause the fastest writer now and make
      room.
    `,
    dashboard: FILESYSTEM,
    // The only prediction that pages: guests stand still before anybody reads a ticket.
    // No waiting: it has shrunk for two minutes already.
    at: { critical: { keepFiringFor: '5m' } },
    expr: () => promql`
      (
        instance_mountpoint:kvm_filesystem_full_seconds:deriv10m
        ${beyond('storage.imminent_seconds', 'critical')}
      )
      # A burst into a filesystem with plenty of room is a copy, not an accident.
      and on (cluster, job, instance, mountpoint) (
        instance_mountpoint:kvm_filesystem_avail:ratio
        ${beyond('storage.fill_available_ratio', 'warning')}
      )
    `,
  },
  {
    name: 'KvmFilesystemFull',
    summary: 'A filesystem with images is full.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} has ${value('bytes')} left: each guest that
      writes to a new block there is paused, or gets an error. Paused:
      ${pausedOf('(kvm_domain_storage_claimable_bytes{@,mountpoint=$mountpoint} > 0)')}. May still grow
      most: ${MAY_GROW_THERE}. Writing most: ${WRITERS}. Make room, then resume them.
    `,
    dashboard: FILESYSTEM,
    // Nothing heals this, and it lasts as long as the filesystem is full.
    at: { warning: { for: '1m' }, critical: { for: '1m', keepFiringFor: '5m' } },
    expr: (severity) => (severity === 'critical' ? FULL : 'kvm_filesystem_avail_bytes < 65536'),
  },
  {
    name: 'KvmFilesystemAlmostFull',
    summary: 'A filesystem with images that may still grow is almost full.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} has ${value('percent')} left and images on it
      may outgrow that. May still grow most: ${MAY_GROW}. Writing most: ${WRITERS}.
    `,
    dashboard: FILESYSTEM,
    at: { warning: { for: '30m' } },
    expr: () => promql`
      (
        instance_mountpoint:kvm_filesystem_avail:ratio
        ${beyond('storage.available_ratio', 'warning')}
      )
      and on (cluster, job, instance, mountpoint) (
        # Preallocated images fill a filesystem without any danger. On a network filesystem there are
        # images of other hosts too, which this host cannot know.
        kvm_filesystem_claimable_bytes > kvm_filesystem_avail_bytes
        or
        kvm_filesystem_info{network="yes"} == 1
      )
    `,
  },
  {
    name: 'KvmFilesystemInodesLow',
    summary: 'A filesystem with images is running out of inodes.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} has ${value('percent')} of its inodes left:
      no new image, snapshot or state file can be made without one. Snapshots of these would need
      one: ${names('kvm_domain_storage_claimable_bytes{@,mountpoint=$mountpoint}')}. Delete small files.
    `,
    dashboard: FILESYSTEM,
    at: { warning: { for: '30m' }, critical: { for: '1m' } },
    expr: (severity) =>
      severity === 'critical'
        ? 'instance_mountpoint:kvm_filesystem_files_free:ratio == 0'
        : promql`
            instance_mountpoint:kvm_filesystem_files_free:ratio
            ${beyond('storage.inodes_available_ratio', 'warning')}
          `,
  },
  {
    name: 'KvmFilesystemUnresponsive',
    summary: 'A filesystem with images does not answer.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} does not even tell its size: guests with
      disks on it hang: ${names('last_over_time(kvm_domain_storage_promised_bytes{@,mountpoint=$mountpoint}[1d])')}.
      Paused: ${pausedOf('last_over_time(kvm_domain_storage_promised_bytes{@,mountpoint=$mountpoint}[1d])')}.
      Bring its server or device back.
    `,
    dashboard: FILESYSTEM,
    at: { critical: { for: '2m' } },
    expr: () => 'kvm_filesystem_responsive == 0',
  },
  {
    name: 'KvmFilesystemReadOnly',
    summary: 'A filesystem with images that grow is read-only.',
    description: prose`
      {{ $labels.mountpoint }} of {{ $labels.instance }} is mounted read-only, usually after an I/O
      error: guests with disks on it cannot write. Paused:
      ${pausedOf('(kvm_domain_storage_claimable_bytes{@,mountpoint=$mountpoint} > 0)')}. May want to grow:
      ${MAY_GROW_THERE}. Read the log of the kernel before it is mounted again.
    `,
    dashboard: FILESYSTEM,
    at: { critical: { for: '2m' } },
    expr: () => promql`
      (kvm_filesystem_readonly == 1)
      # A read-only filesystem of templates is meant to be so.
      and on (cluster, job, instance, mountpoint)
      kvm_filesystem_claimable_bytes > 0
    `,
  },
];

const otherAlerts: readonly AlertDefinition[] = [
  {
    name: 'KvmGuestPausedOnIoError',
    summary: 'A guest is paused because a write to its disk failed.',
    description: prose`
      {{ $labels.domain }} on {{ $labels.instance }} stands still: a write failed, and nothing that pages
      by itself is known to be why. Its filesystems and what is left there:
      ${ascending('kvm_filesystem_avail_bytes{@} and on (mountpoint) kvm_domain_storage_promised_bytes{@,domain=$domain}', 'bytes', 'mountpoint')}.
      Find out which disk failed, mend it, then resume it.
    `,
    dashboard: GUEST,
    // No waiting: nothing heals this.
    at: { critical: { keepFiringFor: '2m' } },
    expr: () =>
      [
        '(kvm_domain_state{state="paused",reason="ioerror"} == 1)',
        '# One cause is one page: that of the filesystem, image or pool names the guests it has stopped.',
        'unless on (cluster, job, instance, domain) (',
        indented(STOPPED_BY_STORAGE),
        ')',
      ].join('\n'),
  },
  {
    name: 'KvmImageCorrupt',
    summary: 'A qcow2 image is marked corrupt.',
    description: prose`
      QEMU marked {{ $labels.path }} on {{ $labels.instance }} corrupt and does not write to it any
      more. Guests on that host whose disks use it:
      ${names('kvm_domain_disk_image_info{@,path=$path}')}. Paused:
      ${pausedOf('kvm_domain_disk_image_info{@,path=$path}')}. Shut them down before qemu-img check -r.
    `,
    dashboard: HOST,
    at: { critical: {} },
    expr: () => 'kvm_image_corrupt == 1',
  },
  {
    name: 'KvmImageLeaking',
    summary: 'A qcow2 image takes more space than its guest can ever fill.',
    description: prose`
      {{ $labels.path }} on {{ $labels.instance }} takes ${value('percent')} of its worst case without
      any internal snapshot: clusters have leaked. qemu-img check -r leaks gives them back while the
      guest is off. Guests on that host that may still grow most: ${MAY_GROW}.
    `,
    dashboard: HOST,
    at: { warning: { for: '1h' } },
    expr: () => promql`
      instance_path:kvm_image_allocated_per_worst_case:ratio
      ${beyond('storage.qcow2_size_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmImageUnreadable',
    summary: 'An image of a guest cannot be read, so its promise is not known.',
    description: prose`
      The exporter cannot read {{ $labels.path }} on {{ $labels.instance }}: the sums of its
      filesystem lack it. Guests whose disks use it: ${names('kvm_domain_disk_image_info{@,path=$path}')}.
      Its log says why.
    `,
    dashboard: HOST,
    at: { info: { for: '1h' } },
    expr: () => 'kvm_image_readable == 0',
  },
  {
    name: 'KvmThinPoolDataFull',
    summary: 'The data of a thin pool is almost used up.',
    description: prose`
      ${value('percent')} of thin pool {{ $labels.vg }}/{{ $labels.pool }} on {{ $labels.instance }} is
      used. Once it is full writes wait a minute and then fail, which damages guests' filesystems.
      May still grow most: ${top('sum by (domain) (kvm_domain_thin_claimable_bytes{@})', 'bytes')}.
    `,
    dashboard: HOST,
    at: { warning: { for: '10m' } },
    expr: () => promql`
      instance_pool:kvm_thin_pool_data_used:ratio
      ${beyond('storage.thin_data_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmThinPoolMetadataFull',
    summary: 'The metadata of a thin pool is almost used up.',
    description: prose`
      ${value('percent')} of the metadata of thin pool {{ $labels.vg }}/{{ $labels.pool }} on
      {{ $labels.instance }} is used. Once it is full the pool goes read-only and needs a repair.
      Largest users: ${top('sum by (domain) (kvm_domain_thin_allocated_bytes{@})', 'bytes')}.
    `,
    dashboard: HOST,
    at: { warning: { for: '10m' } },
    expr: () => promql`
      instance_pool:kvm_thin_pool_metadata_used:ratio
      ${beyond('storage.thin_metadata_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmThinPoolBroken',
    summary: 'A thin pool cannot be written to.',
    description: prose`
      Thin pool {{ $labels.vg }}/{{ $labels.pool }} on {{ $labels.instance }} is out of space,
      read-only, failed, or must be checked: writes of these guests wait or fail:
      ${names('kvm_domain_thin_promised_bytes{@,vg=$vg,pool=$pool}')}. Paused:
      ${pausedOf('kvm_domain_thin_promised_bytes{@,vg=$vg,pool=$pool}')}. Extend it, or repair it.
    `,
    dashboard: HOST,
    at: { critical: { for: '1m' } },
    expr: () => BROKEN,
  },
  {
    name: 'KvmThinPoolRunOnTheBank',
    summary: 'Thin volumes may grow by more than their pool has left.',
    description: prose`
      Thin volumes in {{ $labels.vg }}/{{ $labels.pool }} on {{ $labels.instance }} may grow by
      ${only('kvm_thin_pool_claimable_bytes{@,vg=$vg,pool=$pool}', 'bytes', 'unknown')} and
      ${only('kvm_thin_pool_size_bytes{@,vg=$vg,pool=$pool} - kvm_thin_pool_data_used_bytes{@,vg=$vg,pool=$pool}', 'bytes', 'unknown')}
      are left in it. May still grow most:
      ${top('sum by (domain) (kvm_domain_thin_claimable_bytes{@,vg=$vg,pool=$pool})', 'bytes')}. Extend
      it before they do.
    `,
    dashboard: HOST,
    at: { warning: { for: '30m' } },
    expr: () => promql`
      instance_pool:kvm_thin_pool_claimable_per_avail:ratio
      ${beyond('storage.claimable_per_avail_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmThinPoolUnwatched',
    summary: 'A host has thin pools whose state is not read.',
    description: prose`
      LVM thin pools of {{ $labels.instance }} that nobody watches: ${value('number')}. No alert tells
      when one is full. Start its exporter as root with --collector.thinpool. Guests with disks on
      block devices there: ${namesOrNone('kvm_domain_disk_image_info{@,path=~"/dev/.+"}')}.
    `,
    dashboard: HOST,
    at: { info: { for: '1h' } },
    expr: () => 'kvm_thin_pools_unwatched > 0',
  },
  {
    name: 'KvmStoragePoolFull',
    summary: 'A libvirt storage pool is almost full.',
    description: prose`
      ${value('percent')} of storage pool {{ $labels.pool }} on {{ $labels.instance }} is allocated.
      Writing most on that host: ${WRITERS}.
    `,
    dashboard: HOST,
    at: { warning: { for: '30m' } },
    expr: () => promql`
      instance_pool:kvm_pool_allocated_that_grows:ratio
      ${beyond('storage.pool_used_ratio', 'warning')}
    `,
  },
  {
    name: 'KvmStoragePoolDegraded',
    summary: 'A libvirt storage pool is degraded or cannot be reached.',
    description: prose`
      Storage pool {{ $labels.pool }} on {{ $labels.instance }} is {{ $labels.state }}. Guests of that
      host: ${names('kvm_domain_state{@,state="running"}')}.
    `,
    dashboard: HOST,
    at: { warning: { for: '5m' } },
    expr: () => 'kvm_pool_state{state=~"degraded|inaccessible"} == 1',
  },
  {
    name: 'KvmStoragePoolUnresponsive',
    summary: 'Libvirt does not answer when asked about a storage pool.',
    description: prose`
      Storage pool {{ $labels.pool }} on {{ $labels.instance }} is held by an operation that does not
      end, as a rule on a dead mount. Every call about it hangs and takes a worker of libvirt. It was
      at ${names('last_over_time(kvm_pool_info{@,pool=$pool}[1d])', 'path')}. Filesystems with images
      that do not answer there: ${names('kvm_filesystem_responsive{@} == 0', 'mountpoint')}.
    `,
    dashboard: HOST,
    at: { warning: { for: '5m' } },
    expr: () => 'kvm_pool_responsive == 0',
  },
];

/** Images against the space they may still want. */
export const filesystems: Subject = { name: 'filesystem', recording, alerts: filesystemAlerts };

/** Guests stopped by storage, and storage below the filesystems. */
export const images: Subject = { name: 'image', recording: [], alerts: otherAlerts };
