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

const CPU: readonly Omit<LimitDeclaration, 'resource'>[] = [
  {
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
  {
    name: 'start_all_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 4,
    critical: 10,
    meaning: 'vCPUs per CPU if every guest that starts with the host, or runs, ran at once.',
    source: 'as promised_ratio: the promise does not shrink because a guest is switched off',
  },
  {
    name: 'guest_size_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'vCPUs of one guest per CPU it may run on.',
    source:
      'Red Hat, Overcommitting virtualized CPUs: no guest with more vCPUs than the host cores',
  },
  {
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
  {
    name: 'pressure_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.5,
    critical: 0.8,
    meaning: 'Share of time some task of the host waited for a CPU (PSI cpu some).',
    source: 'chosen: for half, and for most of the time, somebody waits',
  },
  {
    name: 'load_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 2,
    critical: undefined,
    meaning: 'One-minute load average per online CPU.',
    source: 'node-mixin NodeSystemSaturation: 2 per core',
  },
  {
    name: 'steal_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.1,
    critical: undefined,
    meaning: 'Share of CPU time this host lost to its own hypervisor, when it is a guest itself.',
    source: 'awesome-prometheus-alerts HostCpuStealNoisyNeighbor: 10 %',
  },
  {
    name: 'throttled_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.25,
    critical: undefined,
    meaning: 'Share of scheduling periods in which a guest ran into its CPU quota.',
    source: 'kubernetes-mixin CPUThrottlingHigh: 25 %',
  },
  {
    name: 'noisy_neighbour_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.25,
    critical: undefined,
    meaning: "One guest's share of the host's CPU time while other guests exceed delay_ratio.",
    source: 'chosen: a quarter of the host; on a host of more than four guests no fair share',
  },
  {
    name: 'unfair_share_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.5,
    critical: undefined,
    meaning: 'CPU time a delayed guest got per CPU time its weight entitles it to.',
    source: 'chosen: less than half of what the weights promise',
  },
];

const MEMORY: readonly Omit<LimitDeclaration, 'resource'>[] = [
  {
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
  {
    name: 'start_all_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 1.5,
    meaning: 'The same if every guest that starts with the host, or runs, ran at once.',
    source: 'as promised_ratio: the promise does not shrink because a guest is switched off',
  },
  {
    name: 'exposure_per_supply_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 1.5,
    meaning:
      'What guests may still claim, and un-merging would cost, per available memory and free swap.',
    source: 'warning: by definition, above 1 the claim cannot be met; critical: chosen',
  },
  {
    name: 'ksm_unmerge_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 0.5,
    critical: 1,
    meaning:
      'Memory needed at once if all merged pages were written, per available memory and swap.',
    source:
      'critical: by definition, and the kernel warns that un-merging may wake the OOM killer ' +
      '(admin-guide/mm/ksm); warning: chosen, half of that',
  },
  {
    name: 'ksm_collapse_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 0.1,
    critical: undefined,
    meaning:
      'Memory merging no longer saves but did within the last ten minutes, per available memory ' +
      'and swap.',
    source: 'chosen: a tenth of what is left, gone in one go, does not happen many times',
  },
  {
    name: 'available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.2,
    critical: 0.05,
    meaning: 'MemAvailable per MemTotal of the host.',
    source: 'MOM balloon.rules pressure_threshold 20 % and pressure_critical 5 %; ksmtuned 20 %',
  },
  {
    name: 'pressure_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.1,
    critical: 0.6,
    meaning: 'Share of time all tasks of the host stood still for memory (PSI memory full).',
    source: 'critical: systemd-oomd DefaultMemoryPressureLimit 60 %; warning: chosen',
  },
  {
    name: 'swap_bytes_per_second',
    unit: 'bytes_per_second',
    bad: 'above',
    warning: 200 * PAGE,
    critical: 200 * PAGE,
    meaning:
      'Swap traffic of the host, which must be exceeded in both directions at once; critical ' +
      'only together with memory pressure.',
    source: 'OpenShift wasp-agent NodeHighSwapActivity: 200 pages per second in and out',
  },
  {
    name: 'swap_used_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.8,
    critical: 0.9,
    meaning: 'Used swap per swap.',
    source:
      'warning: awesome-prometheus-alerts HostSwapIsFillingUp 80 %; critical: systemd-oomd ' +
      'SwapUsedLimit 90 %',
  },
  {
    name: 'swap_cover_ratio',
    unit: 'ratio',
    bad: 'below',
    warning: 1,
    critical: undefined,
    meaning: 'Swap per memory promised beyond what the host has.',
    source: 'OpenShift wasp-agent: swap = RAM * (over-commit - 1); Red Hat: swap for all guests',
  },
  {
    name: 'guest_swapped_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.1,
    critical: undefined,
    meaning: "Share of one guest's memory which the host has swapped out.",
    source: 'chosen: a tenth is more than a guest leaves cold by itself',
  },
  {
    name: 'major_faults_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 500,
    critical: undefined,
    meaning: 'Page faults of the host that had to wait for a disk.',
    source: 'node-mixin NodeMemoryMajorPagesFaults: 500 per second',
  },
  {
    name: 'allocation_stalls_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'Allocations which had to free memory themselves first (vmstat allocstall_*).',
    source: 'chosen: an idle reserve gives none; kswapd should free pages before anybody asks',
  },
  {
    name: 'oom_kills',
    unit: 'count',
    bad: 'above',
    warning: undefined,
    critical: 0,
    meaning: 'Processes killed by the OOM killer of the host in the last minutes.',
    source: 'by definition: the largest process is a guest',
  },
  {
    name: 'guest_available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.2,
    critical: 0.05,
    meaning:
      'Memory usable without swapping inside a guest per memory it has (balloon statistics).',
    source: 'warning: MOM min_guest_free_percent 20 %; critical: MOM pressure_critical 5 %',
  },
  {
    name: 'guest_swap_bytes_per_second',
    unit: 'bytes_per_second',
    bad: 'above',
    warning: 200 * PAGE,
    critical: undefined,
    meaning: 'Swap traffic inside one guest, exceeded in both directions (balloon statistics).',
    source: 'as swap_bytes_per_second: the guest is a host to its own processes',
  },
  {
    name: 'guest_major_faults_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 500,
    critical: undefined,
    meaning: 'Major faults inside one guest (balloon statistics).',
    source: 'as major_faults_per_second',
  },
  {
    name: 'balloon_lag_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 0.05,
    critical: undefined,
    meaning: 'Distance between what a guest has and what it was told to have, per the latter.',
    source: 'MOM max_balloon_change_percent 5 %: more than one step behind',
  },
  {
    name: 'balloon_stats_age_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 3,
    critical: undefined,
    meaning: 'Age of the balloon statistics of a running guest per statistics period.',
    source: 'chosen: three answers missed',
  },
  {
    name: 'ksm_items_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 64,
    critical: undefined,
    meaning: 'Pages of a guest KSM keeps records of per page it has merged.',
    source: 'Linux admin-guide/mm/ksm: above 64 the records cost more than merging saves',
  },
  {
    name: 'ksmd_cpu_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.7,
    critical: undefined,
    meaning: 'CPU time of ksmd per second.',
    source: 'Linux KSM advisor_max_cpu 70 %',
  },
  {
    name: 'thp_splits_per_second',
    unit: 'per_second',
    bad: 'above',
    warning: 10,
    critical: undefined,
    meaning: 'Huge pages split while KSM merges or balloons move (vmstat thp_split_page).',
    source: 'chosen: 20 MiB of huge pages lost per second',
  },
];

const STORAGE: readonly Omit<LimitDeclaration, 'resource'>[] = [
  {
    name: 'promised_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: 2,
    meaning: 'Worst-case size of all images on a filesystem per its size.',
    source: 'warning: OpenStack Nova initial_disk_allocation_ratio 1.0; critical: chosen',
  },
  {
    name: 'claimable_per_avail_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'What images on a filesystem may still grow per space available on it.',
    source: 'by definition: above 1 not every guest can fill its disk',
  },
  {
    name: 'available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.05,
    critical: 0.03,
    meaning: 'Available per size of a filesystem that holds images.',
    source: 'node-mixin NodeFilesystemAlmostOutOfSpace: 5 % and 3 %',
  },
  {
    name: 'inodes_available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.05,
    critical: undefined,
    meaning: 'Free inodes per inodes of a filesystem that holds images.',
    source: 'node-mixin NodeFilesystemAlmostOutOfFiles: 5 %',
  },
  {
    name: 'fill_seconds',
    unit: 'seconds',
    bad: 'below',
    warning: 24 * HOUR,
    critical: 4 * HOUR,
    meaning: 'Time until a filesystem is full if it goes on like in the last hours.',
    source: 'node-mixin NodeFilesystemSpaceFillingUp: 24 h and 4 h',
  },
  {
    name: 'fill_available_ratio',
    unit: 'share',
    bad: 'below',
    warning: 0.4,
    critical: 0.2,
    meaning: 'Available per size below which fill_seconds counts at all.',
    source: 'node-mixin NodeFilesystemSpaceFillingUp: 40 % and 20 %',
  },
  {
    name: 'imminent_seconds',
    unit: 'seconds',
    bad: 'below',
    warning: undefined,
    critical: 900,
    meaning: 'Time until a filesystem is full if it goes on like in the last minutes.',
    source: 'chosen: a quarter of an hour to free or add space before guests are paused',
  },
  {
    name: 'qcow2_size_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1.05,
    critical: undefined,
    meaning: 'Allocated per worst-case size of a qcow2 image without internal snapshots.',
    source: 'chosen: qemu-img measure needs no more than 1; the rest is leaked clusters',
  },
  {
    name: 'thin_data_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.7,
    critical: 0.9,
    meaning: 'Used data blocks of a thin pool per all.',
    source: 'warning: lvmthin(7) thin_pool_autoextend_threshold example 70; critical: chosen',
  },
  {
    name: 'thin_metadata_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.7,
    critical: undefined,
    meaning: 'Used metadata blocks of a thin pool per all.',
    source: 'as thin_data_ratio; a full metadata device needs a repair',
  },
  {
    name: 'pool_used_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.85,
    critical: 0.95,
    meaning: 'Allocated per capacity of a libvirt storage pool.',
    source: 'Ceph mon_osd_nearfull_ratio .85 and mon_osd_full_ratio .95',
  },
  {
    name: 'pressure_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.5,
    critical: undefined,
    meaning: 'Share of time some task of the host waited for I/O (PSI io some).',
    source: 'chosen: for half of the time somebody waits',
  },
];

const NETWORK: readonly Omit<LimitDeclaration, 'resource'>[] = [
  {
    name: 'promised_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 20,
    critical: undefined,
    meaning: 'Bandwidth promised to guests per bandwidth of their uplink.',
    source: 'Cisco campus design rule of thumb: 20:1 between access ports and their uplink',
  },
  {
    name: 'guaranteed_ratio',
    unit: 'ratio',
    bad: 'above',
    warning: 1,
    critical: undefined,
    meaning: 'Guaranteed bandwidth (floor) of guests per bandwidth of their uplink.',
    source: 'by definition: a guarantee above 1 cannot be kept',
  },
  {
    name: 'utilisation_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.8,
    critical: 0.95,
    meaning: 'Traffic of an uplink in its busier direction per its bandwidth.',
    source:
      'warning: awesome-prometheus-alerts HostNetworkInterfaceSaturated 80 %; critical: chosen',
  },
  {
    name: 'drop_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.01,
    critical: undefined,
    meaning: "Packets dropped per packets at a running guest's interface.",
    source: 'node-mixin NodeNetworkReceiveErrs: 1 %; a drop loses the packet just as an error does',
  },
  {
    name: 'error_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.01,
    critical: undefined,
    meaning: 'Packets with errors per packets of an uplink.',
    source: 'node-mixin NodeNetworkReceiveErrs and NodeNetworkTransmitErrs: 1 %',
  },
  {
    name: 'unfair_share_ratio',
    unit: 'share',
    bad: 'above',
    warning: 0.5,
    critical: undefined,
    meaning: "One guest's share of the traffic of an uplink that exceeds utilisation_ratio.",
    source: 'chosen: more than all other guests together',
  },
];

const EXPORTER: readonly Omit<LimitDeclaration, 'resource'>[] = [
  {
    name: 'scrape_seconds',
    unit: 'seconds',
    bad: 'above',
    warning: 5,
    critical: undefined,
    meaning: 'Time a scrape takes.',
    source: "chosen: half of Prometheus' default scrape_timeout of 10 s",
  },
];

export const LIMITS: readonly LimitDeclaration[] = [
  ...CPU.map((limit) => ({ resource: 'cpu' as const, ...limit })),
  ...MEMORY.map((limit) => ({ resource: 'memory' as const, ...limit })),
  ...STORAGE.map((limit) => ({ resource: 'storage' as const, ...limit })),
  ...NETWORK.map((limit) => ({ resource: 'network' as const, ...limit })),
  ...EXPORTER.map((limit) => ({ resource: 'exporter' as const, ...limit })),
];
