/**
 * Every limit a policy can set, with its built-in value and where that value comes from. This is
 * the whole list of thresholds in the project: the exporter publishes them as `kvm_policy_*` and
 * the alert rules read them from there.
 *
 * "Chosen" in a source means that no published limit was found and says what the value rests on.
 */
export type LimitUnit =
  /** One quantity per another of the same unit; may exceed 1. */
  | 'ratio'
  /** A ratio which is part of a whole, from 0 to 1. */
  | 'share'
  | 'seconds'
  | 'bytes'
  | 'bytes_per_second'
  | 'per_second'
  /** How many; a whole number. */
  | 'count';

export const RESOURCES = ['cpu', 'memory', 'storage', 'network', 'exporter'] as const;
export type Resource = (typeof RESOURCES)[number];

export interface LimitDeclaration {
  readonly resource: Resource;
  /** Unique within the resource; ends in the unit where that reads well. */
  readonly name: string;
  readonly unit: LimitUnit;
  /** Which side of the limit is the bad one. */
  readonly bad: 'above' | 'below';
  /** The warning limit and the critical limit; undefined: no alert at this severity. */
  readonly warning: number | undefined;
  readonly critical: number | undefined;
  /** What is compared with the limit. */
  readonly meaning: string;
  /** Where the built-in values come from. */
  readonly source: string;
}

const PAGE = 4096;
const HOUR = 3600;

const CPU = {
  'cpu.promised_ratio': {
    resource: 'cpu',
    name: 'promised_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 4,
    critical: 10,
    meaning: 'vCPUs of running guests per CPU they may share.',
    source:
      'warning: OpenStack Nova initial_cpu_allocation_ratio 4.0; critical: Red Hat, ' +
      'Overcommitting virtualized CPUs: more than 10 per core is not recommended',
  },
  'cpu.start_all_ratio': {
    resource: 'cpu',
    name: 'start_all_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 4,
    critical: 10,
    meaning: 'vCPUs per CPU if all guests with autostart and all running guests ran at once.',
    source: 'as promised_ratio: what is promised does not shrink when a guest is switched off',
  },
  'cpu.guest_size_ratio': {
    resource: 'cpu',
    name: 'guest_size_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'vCPUs of one guest per CPU it may run on.',
    source:
      'Red Hat, Overcommitting virtualized CPUs: no guest with more vCPUs than the host cores',
  },
  'cpu.delay_ratio': {
    resource: 'cpu',
    name: 'delay_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.05,
    critical: 0.1,
    meaning: 'Share of time a vCPU was ready to run but waited for a CPU (steal, ready time).',
    source:
      'warning: OpenShift Virtualization, querying metrics, 5 %; critical: VMware ready time ' +
      'practice (KB 2002181), 10 % per vCPU',
  },
  'cpu.pressure_ratio': {
    resource: 'cpu',
    name: 'pressure_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.5,
    critical: 0.8,
    meaning: 'Share of time at least one task of the host waited for a CPU (PSI cpu some).',
    source: 'chosen: a task waits for half of the time, and for most of it',
  },
  'cpu.load_ratio': {
    resource: 'cpu',
    name: 'load_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 2,
    critical: undefined,
    meaning: 'One-minute load average per online CPU.',
    source: 'node-mixin NodeSystemSaturation: 2 per core',
  },
  'cpu.steal_ratio': {
    resource: 'cpu',
    name: 'steal_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.1,
    critical: undefined,
    meaning: 'Share of CPU time the host, as a guest itself, lost to its own hypervisor.',
    source: 'awesome-prometheus-alerts HostCpuStealNoisyNeighbor: 10 %',
  },
  'cpu.throttled_ratio': {
    resource: 'cpu',
    name: 'throttled_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.25,
    critical: undefined,
    meaning: 'Share of quota periods in which a guest used up its CPU quota.',
    source: 'kubernetes-mixin CPUThrottlingHigh: 25 %',
  },
  'cpu.unfair_share_ratio': {
    resource: 'cpu',
    name: 'unfair_share_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.5,
    critical: undefined,
    meaning:
      'CPU time a delayed guest got per its guarantee, or per what it wanted if that is less.',
    source: 'chosen: less than half of what the weights promise',
  },
} as const satisfies Readonly<Record<string, LimitDeclaration>>;

const MEMORY = {
  'memory.promised_ratio': {
    resource: 'memory',
    name: 'promised_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 1.5,
    meaning: 'Memory promised to running guests per memory the host can give.',
    source:
      'warning: OpenStack Nova initial_ram_allocation_ratio 1.0; critical: Red Hat ' +
      'Virtualization server over-commit 150 % (200 % for desktops)',
  },
  'memory.minimum_ratio': {
    resource: 'memory',
    name: 'minimum_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'Memory running guests cannot be shrunk below per memory the host can give.',
    source: 'by definition: above 1 no balloon can make room for all of them',
  },
  'memory.start_all_ratio': {
    resource: 'memory',
    name: 'start_all_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 1.5,
    meaning:
      'Memory promised, per memory the host can give, if all guests with autostart and all ' +
      'running guests ran at once.',
    source: 'as promised_ratio: what is promised does not shrink when a guest is switched off',
  },
  'memory.exposure_per_supply_ratio': {
    resource: 'memory',
    name: 'exposure_per_supply_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 1.5,
    meaning:
      'Worst-case memory demand (all claims and un-merging all KSM pages) per available ' +
      'memory and free swap.',
    source: 'warning: by definition, above 1 the worst case cannot be met; critical: chosen',
  },
  'memory.ksm_unmerge_ratio': {
    resource: 'memory',
    name: 'ksm_unmerge_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 0.5,
    critical: 1,
    meaning: 'Memory needed to un-merge all KSM pages at once per available memory and free swap.',
    source:
      'critical: by definition, and the kernel warns that un-merging may wake the OOM killer ' +
      '(admin-guide/mm/ksm); warning: chosen, half of that',
  },
  'memory.ksm_collapse_ratio': {
    resource: 'memory',
    name: 'ksm_collapse_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 0.1,
    critical: undefined,
    meaning:
      'Memory that merging saved within the last ten minutes and no longer does, per ' +
      'available memory and free swap.',
    source: 'chosen: a tenth of what is left, lost at once, is not lost many times',
  },
  'memory.available_ratio': {
    resource: 'memory',
    name: 'available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.2,
    critical: 0.05,
    meaning:
      'Available memory per memory of the host, huge page pools taken off both (MemAvailable per MemTotal).',
    source: 'MOM balloon.rules pressure_threshold 20 % and pressure_critical 5 %; ksmtuned 20 %',
  },
  'memory.pressure_ratio': {
    resource: 'memory',
    name: 'pressure_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.1,
    critical: 0.6,
    meaning: 'Share of time all tasks of the host stalled on memory (PSI memory full).',
    source: 'critical: systemd-oomd DefaultMemoryPressureLimit 60 %; warning: chosen',
  },
  'memory.swap_bytes_per_second': {
    resource: 'memory',
    name: 'swap_bytes_per_second',
    unit: 'bytes_per_second',
    bad: 'above',
    warning: 200 * PAGE,
    critical: 200 * PAGE,
    meaning:
      'Swap traffic of the host, in both directions at once and for critical together with ' +
      'memory pressure.',
    source: 'OpenShift wasp-agent NodeHighSwapActivity: 200 pages per second in and out',
  },
  'memory.swap_used_ratio': {
    resource: 'memory',
    name: 'swap_used_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.8,
    critical: 0.9,
    meaning: 'Used share of swap.',
    source:
      'warning: awesome-prometheus-alerts HostSwapIsFillingUp 80 %; critical: systemd-oomd ' +
      'SwapUsedLimit 90 %',
  },
  'memory.swap_cover_ratio': {
    resource: 'memory',
    name: 'swap_cover_ratio',
    unit: 'ratio',
    bad: 'below',
    warning: 1,
    critical: undefined,
    meaning: 'Swap per memory promised beyond what the host has.',
    source: 'OpenShift wasp-agent: swap = RAM * (over-commit - 1); Red Hat: swap for all guests',
  },
  'memory.guest_swapped_ratio': {
    resource: 'memory',
    name: 'guest_swapped_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.1,
    critical: undefined,
    meaning: 'Share of the memory of a guest that the host has swapped out.',
    source: 'chosen: a tenth is more than the cold memory of an ordinary guest',
  },
  'memory.major_faults_per_second': {
    resource: 'memory',
    name: 'major_faults_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 500,
    critical: undefined,
    meaning: 'Page faults per second of the host that had to read from a disk.',
    source: 'node-mixin NodeMemoryMajorPagesFaults: 500 per second',
  },
  'memory.allocation_stalls_per_second': {
    resource: 'memory',
    name: 'allocation_stalls_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning:
      'Allocations per second that had to reclaim memory themselves first (vmstat allocstall_*).',
    source: 'chosen: kswapd should reclaim pages before an allocation has to',
  },
  'memory.oom_kills': {
    resource: 'memory',
    name: 'oom_kills',
    unit: 'count',
    bad: 'above',
    warning: undefined,
    critical: 0,
    meaning: 'Processes the OOM killer of the host killed in the last minutes.',
    source: 'by definition: whoever is killed did not end by itself',
  },
  'memory.guest_available_ratio': {
    resource: 'memory',
    name: 'guest_available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.2,
    critical: 0.05,
    meaning: 'Available memory inside a guest per memory it has (balloon statistics).',
    source: 'warning: MOM min_guest_free_percent 20 %; critical: MOM pressure_critical 5 %',
  },
  'memory.guest_swap_bytes_per_second': {
    resource: 'memory',
    name: 'guest_swap_bytes_per_second',
    unit: 'bytes_per_second',
    bad: 'above',
    warning: 200 * PAGE,
    critical: undefined,
    meaning: 'Swap traffic inside a guest, in both directions at once (balloon statistics).',
    source: 'as swap_bytes_per_second: the guest is a host to its own processes',
  },
  'memory.guest_major_faults_per_second': {
    resource: 'memory',
    name: 'guest_major_faults_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 500,
    critical: undefined,
    meaning:
      'Page faults per second inside a guest that had to read from a disk (balloon statistics).',
    source: 'as major_faults_per_second',
  },
  'memory.balloon_lag_ratio': {
    resource: 'memory',
    name: 'balloon_lag_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 0.05,
    critical: undefined,
    meaning: 'Difference between the memory a guest has and its balloon target, per target.',
    source: 'MOM max_balloon_change_percent 5 %: more than one step behind',
  },
  'memory.balloon_stats_age_ratio': {
    resource: 'memory',
    name: 'balloon_stats_age_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 3,
    critical: undefined,
    meaning: 'Age of the balloon statistics of a running guest per period of these statistics.',
    source: 'chosen: three answers missed',
  },
  'memory.ksm_items_ratio': {
    resource: 'memory',
    name: 'ksm_items_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 64,
    critical: undefined,
    meaning: 'Pages of a guest KSM keeps records of per page it has merged.',
    source: 'Linux admin-guide/mm/ksm: above 64 the records cost more than merging saves',
  },
  'memory.ksmd_cpu_ratio': {
    resource: 'memory',
    name: 'ksmd_cpu_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.7,
    critical: undefined,
    meaning: 'Share of one CPU that ksmd takes.',
    source: 'Linux KSM advisor_max_cpu 70 %',
  },
  'memory.thp_splits_per_second': {
    resource: 'memory',
    name: 'thp_splits_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 10,
    critical: undefined,
    meaning:
      'Huge pages split per second while KSM merges or balloons move (vmstat thp_split_page).',
    source: 'chosen: 20 MiB of huge pages lost per second',
  },
} as const satisfies Readonly<Record<string, LimitDeclaration>>;

const STORAGE = {
  'storage.promised_ratio': {
    resource: 'storage',
    name: 'promised_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 2,
    meaning: 'Worst-case size of all images on a filesystem per its size.',
    source: 'warning: OpenStack Nova initial_disk_allocation_ratio 1.0; critical: chosen',
  },
  'storage.claimable_per_avail_ratio': {
    resource: 'storage',
    name: 'claimable_per_avail_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'Space the images on a filesystem can still allocate per space available on it.',
    source: 'by definition: above 1 not every guest can fill its disk',
  },
  'storage.available_ratio': {
    resource: 'storage',
    name: 'available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.05,
    critical: 0.03,
    meaning: 'Available share of a filesystem that holds images.',
    source: 'node-mixin NodeFilesystemAlmostOutOfSpace: 5 % and 3 %',
  },
  'storage.inodes_available_ratio': {
    resource: 'storage',
    name: 'inodes_available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.05,
    critical: undefined,
    meaning: 'Free share of the inodes of a filesystem that holds images.',
    source: 'node-mixin NodeFilesystemAlmostOutOfFiles: 5 %',
  },
  'storage.fill_seconds': {
    resource: 'storage',
    name: 'fill_seconds',
    unit: 'seconds',
    bad: 'below',
    warning: 24 * HOUR,
    critical: 4 * HOUR,
    meaning: 'Time until a filesystem is full at the growth of the last hours.',
    source: 'node-mixin NodeFilesystemSpaceFillingUp: 24 h and 4 h',
  },
  'storage.fill_available_ratio': {
    resource: 'storage',
    name: 'fill_available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.4,
    critical: 0.2,
    meaning: 'Available share of a filesystem, without which fill_seconds does not fire.',
    source: 'node-mixin NodeFilesystemSpaceFillingUp: 40 % and 20 %',
  },
  'storage.imminent_seconds': {
    resource: 'storage',
    name: 'imminent_seconds',
    unit: 'seconds',
    bad: 'below',
    warning: undefined,
    critical: 900,
    meaning: 'Time until a filesystem is full at the growth of the last minutes.',
    source: 'chosen: a quarter of an hour to free or add space before guests are paused',
  },
  'storage.qcow2_size_ratio': {
    resource: 'storage',
    name: 'qcow2_size_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1.05,
    critical: undefined,
    meaning: 'Allocated per worst-case size of a qcow2 image without internal snapshots.',
    source: 'chosen: qemu-img measure needs no more than 1; the rest is leaked clusters',
  },
  'storage.thin_data_ratio': {
    resource: 'storage',
    name: 'thin_data_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.7,
    critical: 0.9,
    meaning: 'Used share of the data blocks of a thin pool.',
    source: 'warning: lvmthin(7) thin_pool_autoextend_threshold example 70; critical: chosen',
  },
  'storage.thin_metadata_ratio': {
    resource: 'storage',
    name: 'thin_metadata_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.7,
    critical: undefined,
    meaning: 'Used share of the metadata blocks of a thin pool.',
    source: 'as thin_data_ratio; a full metadata device needs a repair',
  },
  'storage.pool_used_ratio': {
    resource: 'storage',
    name: 'pool_used_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.85,
    critical: 0.95,
    meaning: 'Used share of the capacity of a libvirt storage pool.',
    source: 'Ceph mon_osd_nearfull_ratio .85 and mon_osd_full_ratio .95',
  },
  'storage.pressure_ratio': {
    resource: 'storage',
    name: 'pressure_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.5,
    critical: undefined,
    meaning: 'Share of time at least one task of the host waited for I/O (PSI io some).',
    source: 'chosen: a task waits for half of the time',
  },
} as const satisfies Readonly<Record<string, LimitDeclaration>>;

const NETWORK = {
  'network.promised_ratio': {
    resource: 'network',
    name: 'promised_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 20,
    critical: undefined,
    meaning: 'Bandwidth promised to guests per bandwidth of their uplink.',
    source: 'Cisco campus design rule of thumb: 20:1 between access ports and their uplink',
  },
  'network.guaranteed_ratio': {
    resource: 'network',
    name: 'guaranteed_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'Guaranteed bandwidth (floor) of guests per bandwidth of their uplink.',
    source: 'by definition: a guarantee above 1 cannot be kept',
  },
  'network.utilisation_ratio': {
    resource: 'network',
    name: 'utilisation_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.8,
    critical: 0.95,
    meaning: 'Traffic of an uplink in its busier direction per its bandwidth.',
    source:
      'warning: awesome-prometheus-alerts HostNetworkInterfaceSaturated 80 %; critical: chosen',
  },
  'network.drop_ratio': {
    resource: 'network',
    name: 'drop_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.01,
    critical: undefined,
    meaning: 'Share of packets dropped at the interface of a running guest, or at an uplink.',
    source: 'node-mixin NodeNetworkReceiveErrs: 1 %; a drop loses the packet just as an error does',
  },
  'network.error_ratio': {
    resource: 'network',
    name: 'error_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.01,
    critical: undefined,
    meaning: 'Share of packets with errors at an uplink.',
    source: 'node-mixin NodeNetworkReceiveErrs and NodeNetworkTransmitErrs: 1 %',
  },
  'network.unfair_share_ratio': {
    resource: 'network',
    name: 'unfair_share_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.5,
    critical: undefined,
    meaning: 'Share of one guest in the traffic of an uplink that exceeds utilisation_ratio.',
    source: 'chosen: more than all other guests together',
  },
} as const satisfies Readonly<Record<string, LimitDeclaration>>;

const EXPORTER = {
  'exporter.scrape_seconds': {
    resource: 'exporter',
    name: 'scrape_seconds',
    unit: 'seconds',
    bad: 'above',
    warning: 5,
    critical: undefined,
    meaning: 'Time a scrape takes.',
    source: "chosen: half of Prometheus' default scrape_timeout of 10 s",
  },
} as const satisfies Readonly<Record<string, LimitDeclaration>>;

const DECLARED = { ...CPU, ...MEMORY, ...STORAGE, ...NETWORK, ...EXPORTER };

type KeyOf<Declared> = Declared extends {
  readonly resource: infer R extends string;
  readonly name: infer N extends string;
}
  ? `${R}.${N}`
  : never;

/** `resource.name` of a limit: one that is not declared does not compile. */
export type LimitKey = KeyOf<(typeof DECLARED)[keyof typeof DECLARED]>;

export const LIMITS_BY_KEY: Readonly<Record<LimitKey, LimitDeclaration>> = DECLARED;

export const LIMITS: readonly LimitDeclaration[] = Object.values(LIMITS_BY_KEY);
