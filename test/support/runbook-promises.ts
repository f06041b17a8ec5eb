/**
 * What the shell commands of each runbook's diagnosis print, as its text says: written by hand from the
 * text, and compared with what they print on a host with real guests (`test/lab/runbooks.test.ts`).
 */

/** In what a step is followed, where it needs something to be wrong. */
export type Trouble =
  /** Its filesystem is full, and QEMU has paused the guest. */
  | 'paused'
  /** Its QEMU is stopped, and somebody waits for an answer of its monitor. */
  | 'stopped'
  /** Its image is marked corrupt. */
  | 'corrupt'
  /** The uplink has no cable. */
  | 'no cable'
  /** Nobody listens where the exporter should. */
  | 'refused'
  /** The filesystem does not answer any more. */
  | 'dead';

/** Commands that cannot succeed on the host of the tests, and why. */
export const NOT_ON_THIS_HOST: readonly { readonly command: RegExp; readonly reason: string }[] = [
  { command: /^(?:systemctl|journalctl) /, reason: 'needs systemd as process 1' },
  { command: /^amtool /, reason: 'asks an Alertmanager: test/integration/rules/amtool.test.ts' },
];

export interface Shown {
  /** Of the text of the step, as it stands there. */
  readonly says: string;
  /** What all commands of the step together print then. */
  readonly prints: RegExp | ((printed: string) => boolean);
  readonly trouble?: Trouble;
  /** What the kernel logs in that case: real lines, which `dmesg` prints instead of its own. */
  readonly kernel?: string;
}

function shows(
  says: string,
  prints: Shown['prints'],
  given: Pick<Shown, 'trouble' | 'kernel'> = {},
): Shown {
  return { says, prints, ...given };
}

/** Numbers at the start of lines that match, from the largest down. */
function descending(line: RegExp): (printed: string) => boolean {
  return (printed) => {
    const numbers = [...printed.matchAll(line)].map(([, number]) => Number(number));
    return numbers.length > 1 && numbers.every((one, index) => one <= (numbers[index - 1] ?? one));
  };
}

/** Sizes as `sort -h` knows them, from the smallest up, the whole last. */
const SIZES_UP = (printed: string): boolean => {
  const factor: Readonly<Record<string, number>> = { K: 1, M: 1024, G: 1024 ** 2 };
  const sizes = [...printed.matchAll(/^([\d.]+)([KMG]?)\t/gm)].map(
    ([, number, unit = '']) => Number(number) * (factor[unit] ?? 0.001),
  );
  return sizes.length > 1 && sizes.every((one, index) => one >= (sizes[index - 1] ?? one));
};

const DF = /^Filesystem +Size +Used +Avail +Use% +Mounted on$/m;
const DU = SIZES_UP;
/** A file, and not directories alone. */
const FILES = /^[\d.]+[KMG]\t\S+\.qcow2$/m;
/** The test has one. */
const DELETED = /^tail .* 0 +\d+ \S+\/gone \(deleted\)$/m;
const MEMORY_OF_GUEST = shows(
  '`usable` is what it can still use, `available` is its whole memory, both in KiB',
  (printed) => {
    const kib = (name: string): number =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(printed)?.[1]);
    // A guest of 128 MiB.
    return (
      kib('usable') < kib('available') && kib('available') < 131_072 && kib('available') > 65_536
    );
  },
);
const LAST_UPDATE = /^\d{10}\n[^]*^last_update \d{10}$/m;
/** A process of that name. */
const MANAGERS = /^ *\d+ vdsmd \d+$/m;
const PINNING = /^ VCPU +CPU Affinity\n-+\n +0 +[\d,-]+$/m;
const POOLS = new RegExp(
  '^ Name +State +Autostart +Persistent +Capacity +Allocation +Available\\n-+\\n' +
    '[^]*^ runbook-pool +running ',
  'm',
);
const DISKS = /^ Type +Device +Target +Source\n-+\n file +disk +vda +\/\S+\.qcow2$/m;
const LINK = /<[A-Z,_-]*\bUP\b[A-Z,_-]*>/;
const VOLUMES = /^ +VG +LV .*\n[^]*^ +kvmtest\d+ +pool +twi/m;
const VG_FREE = /^ +VG +VSize +VFree *\n +kvmtest\d+ +60\.00m +28\.00m *$/m;
const AUTOEXTEND = /^\s*thin_pool_autoextend_threshold=100\n\s*thin_pool_autoextend_percent=\d+$/m;
const NIC_LIMITS = /^inbound\.average: 1024\n[^]*^outbound\.average: 0$/m;
const STATE_D = (printed: string): boolean => /^(?:D +\d+ .*\n)*$/.test(printed);
const SWAPPED = descending(/^(\d+) \S+ \/proc\/\d+\/status$/gm);
const SWAP_AREAS = /^NAME +TYPE +SIZE +USED +PRIO$/m;

export const SHOWN: Readonly<Record<string, readonly Shown[]>> = {
  'KvmAllocationStalls 5': [
    shows(
      'see how early kswapd starts',
      /^vm\.min_free_kbytes = \d+\nvm\.watermark_scale_factor = \d+$/m,
    ),
    shows(
      'how hard the kernel tries for huge pages (the word in brackets)',
      /^(?:[a-z+]+ )*\[[a-z+]+\]/m,
    ),
  ],
  'KvmBalloonLag 3': [shows('`last_update` (Unix time) is recent', LAST_UPDATE), MEMORY_OF_GUEST],
  'KvmBalloonLag 4': [
    shows(
      '`currentMemory` (what it was told)',
      /^<currentMemory unit="KiB">\d+<\/currentMemory>$/m,
    ),
    shows('`memory` (its maximum)', /^<memory unit="KiB">\d+<\/memory>$/m),
    shows('a `memballoon` of model virtio', /^<memballoon model="virtio"/m),
  ],
  'KvmBalloonSplitsHugePages 3': [shows('which manager moves them', MANAGERS)],
  'KvmBalloonSplitsHugePages 4': [
    shows(
      '`current` below `maximum` (KiB)',
      /^ +balloon\.current=\d+\n +balloon\.maximum=131072$/m,
    ),
  ],
  'KvmBalloonSqueezesGuest 2': [MEMORY_OF_GUEST, shows('`swap_in` that grows', /^swap_in \d+$/m)],
  'KvmBalloonSqueezesGuest 5': [shows('a manager', MANAGERS)],
  'KvmBalloonStatsMissing 3': [
    shows('A `stats` element with a `period`', /<stats period="\d+"\/>/),
  ],
  'KvmBalloonStatsMissing 4': [shows('what it reports', /^actual \d+$/m)],
  'KvmBalloonStatsStale 4': [shows('`last_update` (Unix time) must move', LAST_UPDATE)],
  'KvmBalloonStatsStale 5': [
    shows(
      'the period and the model of the balloon',
      /<memballoon model="virtio"[^]*<stats period="2"\/>/,
    ),
  ],
  'KvmBalloonWithoutGain 2': [
    shows(
      '`VmLck`, `VmPin` or `HugetlbPages`',
      /^VmLck:\s+\d+ kB\nVmPin:\s+\d+ kB\nVmRSS:\s+\d+ kB\nHugetlbPages:\s+\d+ kB$/m,
    ),
  ],
  'KvmBalloonWithoutGain 3': [
    shows('`memoryBacking`', /^<memoryBacking>/m),
    shows(
      '`currentMemory` below `memory`',
      /^<memory unit="KiB">\d+<\/memory>\n<currentMemory unit="KiB">/m,
    ),
  ],
  'KvmBootStormCpu 3': [
    shows('List the guests that are off and start with the host', /^ - +runbook-off +shut off$/m),
  ],
  'KvmBootStormCpu 4': [
    shows(
      'how guests are started',
      /^(?:\S+:)?(?:ON_BOOT|START_DELAY|PARALLEL_SHUTDOWN)=|^not set$/m,
    ),
  ],
  'KvmBootStormMemory 4': [
    shows('List the guests that start with the host', /^ - +runbook-off +shut off$/m),
  ],
  'KvmBootStormMemory 5': [
    shows('`Max memory` is what it boots with', /^Max memory: +131072 KiB$/m),
  ],
  'KvmCpuOverPromised 5': [
    shows(
      'fewer CPUs are online than the host has',
      /^CPU\(s\): +\d+\nOn-line CPU\(s\) list: +[\d,-]+$/m,
    ),
  ],
  'KvmCpuSetOverPromised 4': [
    shows(
      'the pinning of every running guest',
      /^runbook-guest\n VCPU +CPU Affinity\n-+\n +0 +[\d,-]+$/m,
    ),
  ],
  'KvmCpuSetOverPromised 5': [
    shows('which node and core', /^CPU NODE CORE ONLINE\n +0 +(?:\d+|-) +\d+ +yes$/m),
  ],
  'KvmExporterAbsent 3': [shows('`lastError` of each target', /^ +1 "lastError":""$/m)],
  'KvmExporterAbsent 4': [shows('whether its configuration was loaded', /SUCCESS: /)],
  'KvmExporterAbsent 5': [shows('ask one exporter directly', /^kvm_exporter_build_info\{.*\} 1$/m)],
  'KvmExporterDown 2': [
    shows('ask the exporter directly', /\S/),
    shows(
      '"Couldn\'t connect to server" after 0 or a few ms',
      /after \d ms: Couldn't connect to server/,
      { trouble: 'refused' },
    ),
  ],
  'KvmExporterDown 4': [shows('its guests run', /^ \d+ +runbook-guest +running$/m)],
  'KvmExporterPartial 4': [
    shows('this collector alone', /^kvm_scrape_collector_success\{collector="domain"\} 1$/m),
  ],
  'KvmExporterPartial 6': [
    shows(
      'its rights with what it has to read: "permission denied" on /proc of QEMU, on images or on the socket',
      /^[sl]\S+ .*libvirt-sock-ro/m,
    ),
    shows('its user', /^root +\d+ .*dist\/main\.js/m),
  ],
  'KvmExporterSlow 5': [shows('Time one scrape', /^\d+\.\d+ s, \d+ bytes$/m)],
  'KvmExporterSlow 6': [
    shows('whether libvirt is slow', /^Domain: 'runbook-guest'\n +state\.state=1[^]*^real\s+\d+m/m),
  ],
  'KvmFilesystemAlmostFull 5': [
    shows('find what is no image', DF),
    shows('find what is no image', DU),
    shows('files that are deleted but still open', DELETED),
  ],
  'KvmFilesystemFillingUp 4': [
    shows('large directories', DU),
    shows('find the rest', DF),
    shows('deleted but still open', DELETED),
  ],
  'KvmFilesystemFillingUp 5': [shows('the files of the guest', DISKS)],
  'KvmFilesystemFull 3': [
    shows('what takes the space: files', FILES),
    shows('what takes the space', DF),
    shows('files that are deleted but still open', DELETED),
  ],
  'KvmFilesystemFullImminent 3': [
    shows(
      'something on the host',
      /^COMMAND +PID +(?:TID +\S+ +)?USER +FD +TYPE[^]*^qemu-syst\S* +\d+/m,
    ),
  ],
  'KvmFilesystemFullImminent 4': [shows('the disk of the writer by name', DISKS)],
  'KvmFilesystemFullWithinDays 4': [
    shows('large directories', DU),
    shows('find the rest', DF),
    shows('deleted but still open', DELETED),
  ],
  'KvmFilesystemFullWithinDays 5': [shows('the files of the guest', DISKS)],
  'KvmFilesystemFullWithinHours 4': [
    shows('large directories', DU),
    shows('find the rest', DF),
    shows('deleted but still open', DELETED),
  ],
  'KvmFilesystemFullWithinHours 5': [shows('the files of the guest', DISKS)],
  'KvmFilesystemInodesLow 3': [
    shows('compare with `df`', /^Filesystem +Inodes +IUsed +IFree +IUse% +Mounted on$/m),
    shows('the directories with most files', /^\d+\t\S+$/m),
  ],
  'KvmFilesystemOverPromised 4': [
    shows('what else lies there', DF),
    shows('what else lies there', FILES),
  ],
  'KvmFilesystemOverPromised 5': [shows('which files belong to a guest', DISKS)],
  'KvmFilesystemReadOnly 2': [
    shows(
      'I/O errors of the device (`blk_update_request`, `I/O error`)',
      /blk_update_request: I\/O error/,
      {
        kernel:
          '[  712.511512] blk_update_request: I/O error, dev vdb, sector 34816 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 0',
      },
    ),
    shows('errors in the filesystem', /EXT4-fs error/, {
      kernel:
        '[  712.6] EXT4-fs error (device vdb): ext4_journal_check_start:83: comm kworker: Detected aborted journal',
    }),
    shows('somebody remounted it', /^\S+ +\S+ +rw/m),
  ],
  'KvmFilesystemReadOnly 4': [shows('what a guest does on a failed write', /^No errors found$/m)],
  'KvmFilesystemUnresponsive 2': [
    shows('where it comes from', /^\d+ \d+ .* - ext4 \/dev\/loop\d+ /m),
  ],
  'KvmFilesystemUnresponsive 3': [
    shows('Ask it with a time limit', /^Block size: \d+/m),
    shows('`Killed` confirms it', /Killed/, { trouble: 'dead' }),
  ],
  'KvmFilesystemUnresponsive 4': [shows('which processes hang in the kernel (state D)', STATE_D)],
  'KvmFilesystemUnresponsive 5': [
    shows('what the kernel says about server', /nfs: server nas not responding/, {
      kernel: '[ 1043.2] nfs: server nas not responding, still trying',
    }),
  ],
  'KvmGuestCpuStarved 5': [
    shows('its pinning', PINNING),
    shows('its weight (`cpu_shares`)', /^cpu_shares +: \d+$/m),
  ],
  'KvmGuestCpuStarved 6': [
    shows(
      'the second number of its vCPU threads rise: nanoseconds it waited, by thread',
      /^\/proc\/\d+\/task\/\d+\/schedstat:\d+ \d+ \d+$/m,
    ),
  ],
  'KvmGuestCpuThrottled 3': [
    shows(
      '`vcpu_quota` per vCPU, `global_quota` for the guest, in microseconds per period',
      /^vcpu_quota +: 90000$/m,
    ),
    shows('-1 or 17592186044415 is none', /^global_quota +: (?:-1|17592186044415)$/m),
  ],
  'KvmGuestCpuThrottled 4': [
    shows('in its XML', /<cputune>[^]*<quota>90000<\/quota>[^]*<\/cputune>/),
  ],
  'KvmGuestCrashed 2': [shows('the state and its reason', /^running \(booted\)$/m)],
  'KvmGuestCrashed 3': [
    shows(
      'the end of QEMU\'s log: an assertion, "terminating on signal" and who sent it',
      /terminating on signal 15 from pid \d+ \(\S+\)/,
    ),
  ],
  'KvmGuestCrashed 4': [
    shows('"Out of memory: Killed process"', /Out of memory: Killed process/, {
      kernel:
        '[20.1] Out of memory: Killed process 4711 (qemu-system-x86) total-vm:9000000kB, anon-rss:8000000kB',
    }),
    shows('a segmentation fault of qemu-system', /segfault at/, {
      kernel:
        '[21.1] qemu-system-x86[4711]: segfault at 10 ip 000055d6 sp 00007ffc error 4 in qemu-system-x86_64',
    }),
  ],
  'KvmGuestCrashed 5': [shows('`on_crash` preserve', /<on_crash>\w+<\/on_crash>/)],
  'KvmGuestLargerThanHost 4': [shows('where each of its vCPUs may run', PINNING)],
  'KvmGuestLargerThanHost 5': [shows('how many CPUs are online', /^[\d,-]+$/m)],
  'KvmGuestMemoryLimited 3': [
    shows('where the limit comes from', /^hard_limit +: (?:unlimited|\d+)$/m),
  ],
  'KvmGuestMonitorUnresponsive 4': [
    shows('ask libvirt about the monitor', /^ok$/m),
    shows('"occupied" with a time is a command without an answer', /^occupied \([\d.]+s\)$/m, {
      trouble: 'stopped',
    }),
  ],
  'KvmGuestMonitorUnresponsive 5': [
    shows('the state of each of its threads', /^ *TID +STAT +%CPU +WCHAN +COMMAND\n *\d+ [SRD]/m),
    shows('T is stopped by a signal', /^ *\d+ T/m, { trouble: 'stopped' }),
  ],
  'KvmGuestMonitorUnresponsive 6': [
    shows('where in the kernel it is', descending(/^ *(\d+) \[<0>\]/gm)),
  ],
  'KvmGuestMonitorUnresponsive 7': [shows("the end of QEMU's log", /qemu-system-x86_64/)],
  'KvmGuestNicDrops 4': [
    shows('see limit', /^inbound\.average: 1024$/m),
    shows(
      'counters of the NIC',
      /^ +RX: +bytes +packets +errors +dropped[^]*^ +TX: +bytes +packets +errors +dropped/m,
    ),
  ],
  'KvmGuestNicDrops 5': [shows('`dropped` of the classes and filters of the tap', /dropped \d+/)],
  'KvmGuestOutOfMemory 2': [
    MEMORY_OF_GUEST,
    shows('An old `last_update` (Unix time)', /^last_update \d{10}$/m),
  ],
  'KvmGuestPausedOnIoError 1': [
    shows('see that it is so', /^paused \(I\/O error\)$/m, { trouble: 'paused' }),
    shows('which disk failed: `no space`', /^vda: no space$/m, { trouble: 'paused' }),
    shows('`unspecified error` for everything else', /^No errors found$/m),
  ],
  'KvmGuestPausedOnIoError 2': [
    shows('the images behind its disks', DISKS),
    shows('`disk size` against `virtual size`', /^virtual size: 16 MiB[^]*^disk size: \d+ KiB$/m),
  ],
  'KvmGuestPausedOnIoError 3': [
    shows('then their inodes', /^Filesystem +Inodes +IUsed +IFree +IUse% +Mounted on$/m),
  ],
  'KvmGuestPausedOnIoError 4': [
    shows('`Data%` of the thin pool', VOLUMES),
    shows('`Data%` of the thin pool', / Data% /),
  ],
  'KvmGuestPausedOnIoError 5': [
    shows('what the kernel says about the device', /I\/O error, dev vdb/, {
      kernel:
        '[  712.511512] I/O error, dev vdb, sector 34816 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 2',
    }),
  ],
  'KvmGuestSwappedByHost 3': [
    shows('`VmSwap` against `RssAnon`', /^RssAnon:\s+\d+ kB\n[^]*^VmSwap:\s+\d+ kB$/m),
  ],
  'KvmGuestSwappedByHost 4': [
    shows('`hard_limit` other than unlimited', /^hard_limit +: unlimited$/m),
  ],
  'KvmGuestSwappedByHost 5': [shows('how readily the host swaps', /^vm\.swappiness = \d+$/m)],
  'KvmGuestThrashing 3': [
    shows(
      '`swap_in`, `swap_out` and `major_fault`',
      /^swap_in \d+\nswap_out \d+\nmajor_fault \d+$/m,
    ),
    MEMORY_OF_GUEST,
  ],
  'KvmGuestThrashing 5': [
    shows('has memory to give', /^<memory unit="KiB">\d+<\/memory>\n<currentMemory/m),
  ],
  'KvmHostCpuPressure 4': [
    shows(
      'compare `avg10` with `avg300`',
      /^some avg10=[\d.]+ avg60=[\d.]+ avg300=[\d.]+ total=\d+$/m,
    ),
  ],
  'KvmHostCpuPressure 5': [
    shows('what wants to run right now, by thread', /^STAT +%CPU +COMMAND +COMMAND$/m),
  ],
  'KvmHostCpuSaturated 4': [
    shows(
      'the processes with most CPU time. `qemu-syst+` is a guest',
      /^ +PID USER +PR +NI +VIRT +RES +SHR +S +%CPU +%MEM +TIME\+ +COMMAND[^]*qemu-syst\+/m,
    ),
  ],
  'KvmHostCpuSaturated 5': [
    shows(
      '`r` are tasks that want a CPU, `b` wait for a disk',
      /^ r +b +swpd[^]*(?:^ *\d+ +\d+ .*\n){3}/m,
    ),
  ],
  'KvmHostCpuStarved 5': [
    shows('what runs besides guests', (printed) => !printed.includes('qemu-system')),
    shows('most CPU time first', descending(/^ *([\d.]+) +\d+ \S/gm)),
  ],
  'KvmHostCpuStarved 6': [
    shows('the guests that compete', /^ \d+ +runbook-guest +running$/m),
    shows('where they may run', /^On-line CPU\(s\) list: +[\d,-]+$/m),
  ],
  'KvmHostCpuSteal 3': [shows('`st`, the share lost', / st *(?:gu *)?\n(?:.*\n){5}/)],
  'KvmHostCpuSteal 4': [
    shows('the number of CPUs', /^CPU\(s\): +\d+$/m),
    shows('the hypervisor below', /^(?:Hypervisor vendor|Virtualization type|Model name): +\S/m),
  ],
  'KvmHostIoPressure 5': [
    shows('whether all tasks wait (`full`)', /^full avg10=/m),
    shows('which ones do', /^(?:some|full|D|[ \d])/m),
    shows('the 13th column is the milliseconds it had work to do', /^ +\d+ +\d+ \S+(?: \d+){10,}/m),
  ],
  'KvmHostIoPressure 6': [
    shows(
      'the limits the busiest guest has',
      /^ Target +Source\n-+\n vda [^]*^ +block\.0\.name=vda$/m,
    ),
  ],
  'KvmHostMajorFaults 4': [
    shows('most major faults since they started', descending(/^ *\d+ +(\d+) +\d+ \S/gm)),
  ],
  'KvmHostMemoryCorrupted 3': [
    shows(
      'It names the address, the process',
      /Memory failure: 0x[0-9a-f]+: Sending SIGBUS to qemu-system/,
      {
        kernel:
          '[ 88.1] Memory failure: 0x11b000: Sending SIGBUS to qemu-system-x86:4711 due to hardware memory corruption',
      },
    ),
    shows('whether the page could be recovered', /recovery action for .*: Recovered/, {
      kernel: '[ 88.2] Memory failure: 0x11b000: recovery action for dirty LRU page: Recovered',
    }),
  ],
  'KvmHostMemoryCorrupted 4': [
    shows(
      'where the platform reports it: `ue_count` are errors that could not be corrected, many `ce_count`',
      /^(?:\S*\/mc\d+\/(?:ue|ce)_count:\d+\n)*$/,
    ),
  ],
  'KvmHostMemoryCorrupted 5': [shows('why a guest that is off ended', /^running \(booted\)$/m)],
  'KvmHostMemoryLow 4': [shows('large processes', descending(/^ *\d+ +(\d+) \S/gm))],
  'KvmHostMemoryLow 5': [
    shows(
      '`Shmem` with files in tmpfs, `SUnreclaim` with a leak in the kernel, `HugePages_Free`',
      /^Shmem: +\d+ kB\n[^]*^SUnreclaim: +\d+ kB\n[^]*^HugePages_Free: +\d+$/m,
    ),
  ],
  'KvmHostMemoryPressure 4': [
    shows('the last 10, 60 and 300 seconds', /^full avg10=[\d.]+ avg60=[\d.]+ avg300=[\d.]+/m),
  ],
  'KvmHostMemoryPressure 5': [
    shows(
      'the cgroup with a high `avg10` (percent) is first',
      (printed) => printed === '' || descending(/avg10=([\d.]+) /gm)(printed),
    ),
  ],
  'KvmHostOomKill 2': [
    shows('`CONSTRAINT_NONE` is the host as a whole', /CONSTRAINT_NONE/, {
      kernel:
        '[9.1] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/machine',
    }),
    shows('`CONSTRAINT_MEMCG` a memory limit of one guest', /CONSTRAINT_MEMCG/, {
      kernel:
        '[9.1] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=emulator,mems_allowed=0',
    }),
    shows('`Killed process` names the victim', /Killed process 4711 \(qemu-system-x86\)/, {
      kernel:
        '[9.2] Memory cgroup out of memory: Killed process 4711 (qemu-system-x86) total-vm:9000000kB',
    }),
  ],
  'KvmHostOomKill 3': [
    shows('which guests are off', /^ - +runbook-off +shut off$/m),
    shows('and why', /^running \(booted\)$/m),
  ],
  'KvmHostOomKill 5': [
    shows('For `CONSTRAINT_MEMCG` see the limit of the guest', /^hard_limit +: /m),
  ],
  'KvmHugepagesOverPromised 3': [
    shows('the pools by NUMA node', /^Node 0:\n[^]*^2048KiB: \d+$/m),
    shows('`resv_hugepages` counts as taken', /\/resv_hugepages:\d+$/m),
  ],
  'KvmHugepagesOverPromised 4': [
    shows('what the kernel was told', /\S+\n[^]*^vm\.nr_hugepages = \d+$/m),
    shows('changed the pool since boot', /^vm\.nr_overcommit_hugepages = \d+$/m),
  ],
  'KvmImageCorrupt 2': [
    shows('see the mark: `corrupt: true`', /^ +corrupt: true$/m, { trouble: 'corrupt' }),
    shows('Look for internal snapshots', /^Snapshot list:$/m, { trouble: 'corrupt' }),
    shows('the backing file', /^backing file: \S+/m, { trouble: 'corrupt' }),
  ],
  'KvmImageCorrupt 3': [
    shows(
      '`Preventing invalid write` names the structure',
      /Preventing invalid write on metadata \(overlaps with \w+\)/,
    ),
  ],
  'KvmImageCorrupt 4': [
    shows('whether the device is to blame', /I\/O error, dev vdb/, {
      kernel:
        '[  712.511512] I/O error, dev vdb, sector 34816 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 2',
    }),
    shows(
      'the image open for writing (`u` or `w` behind the number)',
      /^qemu-syst\S* +\d+ .* \d+[uw]\S* +REG /m,
    ),
  ],
  'KvmImageCorrupt 5': [shows('whether the guest still runs', /^running \(booted\)$/m)],
  'KvmImageLeaking 2': [
    shows('`virtual size` with `disk size`', /^virtual size: 16 MiB[^]*^disk size: \d+ KiB$/m),
    shows('Persistent bitmaps (`bitmaps` in the output)', /^ +bitmaps:$/m, { trouble: 'corrupt' }),
  ],
  'KvmImageLeaking 3': [
    shows('length and blocks', /^\/\S+\.qcow2: length \d+, allocated \d+ blocks of 512$/m),
  ],
  'KvmImageUnreadable 2': [
    shows(
      'directory by directory',
      /^f: \/\S+\.qcow2\ndrwx\S+ root +root +\/\n[^]*^ ?-rw\S+ \S+ +\S+ +\S+\.qcow2$/m,
    ),
  ],
  'KvmImageUnreadable 3': [shows('whether QEMU itself understands it', /^file format: qcow2$/m)],
  'KvmImageUnreadable 4': [
    shows(
      'as which user the exporter runs',
      /^root +\d+ .*(?:kvm-overcommit-exporter|dist\/main\.js)/m,
    ),
  ],
  'KvmKsmBusyForNothing 4': [
    shows(
      'how fast it scans',
      /\/pages_to_scan:\d+\n\S+\/sleep_millisecs:\d+\n\S+\/full_scans:\d+$/m,
    ),
    shows("ksmtuned, MOM or the kernel's advisor (`scan-time`)", /^\[?none\]? \[?scan-time\]?$/m),
  ],
  'KvmKsmCollapse 4': [
    shows('`run` is not 2', /\/run:[012]$/m),
    shows('whether something manages KSM', MANAGERS),
  ],
  'KvmKsmGuestNotWorthIt 3': [
    shows(
      '`ksm_rmap_items` against `ksm_merging_pages`',
      /^ksm_rmap_items \d+\n[^]*^ksm_merging_pages \d+$/m,
    ),
  ],
  'KvmKsmSplitsHugePages 5': [
    shows('both settings (the word in brackets)', /^(?:\w+ )*\[\w+\](?: \w+)*\n[012]$/m),
    shows('the counters', /^thp_split_page \d+$/m),
  ],
  'KvmKsmUnmergeExposure 4': [shows('`run` is 1 or 0', /\/run:[01]$/m)],
  'KvmKsmUnmergeExposure 5': [
    shows('what is left for it', /^ +total +used +free +shared +buff\/cache +available$/m),
  ],
  'KvmLibvirtDown 3': [
    shows(
      'their QEMU processes run',
      /^ *\d+ +[\d:-]+ +\S+ +\S*qemu-system-x86_64 -name guest=runbook-guest$/m,
    ),
  ],
  'KvmLibvirtDown 4': [shows('Try libvirt yourself', /^Using library: libvirt /m)],
  'KvmLibvirtDown 6': [shows('the sockets and who may use them', /^[sl]\S+ .*libvirt-sock/m)],
  'KvmLibvirtDown 7': [
    shows('where its threads wait', /^ *\d+ +\d+ +\S+ +\S+ +(?:libvirtd|virtqemud|rpc-|prio-rpc)/m),
  ],
  'KvmMemoryFloorOverPromised 5': [
    shows(
      'the XML of a guest says: `<memballoon>`, `<locked/>`, `<hostdev>`',
      /<memballoon model='virtio'>/,
    ),
  ],
  'KvmMemoryOverPromised 5': [
    shows(
      '`balloon.current` with `balloon.maximum` and `balloon.usable` (KiB)',
      /^ +balloon\.current=\d+\n +balloon\.maximum=\d+\n[^]*^ +balloon\.usable=\d+$/m,
    ),
    shows('A large `usable` is memory the guest does not need', /^ +balloon\.usable=\d+$/m),
  ],
  'KvmMemoryRunOnTheBank 5': [
    shows(
      '`available` counts, `free` does not',
      /^ +total +used +free +shared +buff\/cache +available$/m,
    ),
  ],
  'KvmMigrationStuck 2': [shows('which job it is', /^Job type: +\S/m)],
  'KvmMigrationStuck 3': [shows('whether the guest runs', /^running \(booted\)$/m)],
  'KvmMigrationStuck 5': [shows("the end of QEMU's log", /qemu-system-x86_64/)],
  'KvmMonitorBudgetExhausted 5': [
    shows('QEMU threads in state T (stopped) or D', /^T +\d+ +\d+ +\S+ +qemu-system/m, {
      trouble: 'stopped',
    }),
  ],
  'KvmMonitorBudgetExhausted 6': [
    shows('"occupied" with a time is a call without an answer', /^occupied \([\d.]+s\)$/m, {
      trouble: 'stopped',
    }),
  ],
  'KvmNoisyNeighbour 5': [
    shows('its weight', /^cpu_shares +: \d+$/m),
    shows('its quota', /^vcpu_quota +: 90000$/m),
  ],
  'KvmNoisyNeighbour 6': [shows('vCPUs (`CPU 0/KVM`)', /CPU 0\/(?:KVM|TCG)/)],
  'KvmPolicyReloadFailed 4': [
    shows(
      'which limits are in force',
      /^kvm_policy_cpu_promised_ratio\{severity="warning"\} \d+$/m,
    ),
  ],
  'KvmPolicyReloadFailed 5': [
    shows('Find the file', /^(?:--policy\.file[= ]\S+|no policy file)$/m),
  ],
  'KvmStoragePoolDegraded 2': [shows('all pools and their state', POOLS)],
  'KvmStoragePoolDegraded 3': [
    shows('the source of the pool', /<source>[^]*<\/source>|<pool type='dir'>/),
  ],
  'KvmStoragePoolDegraded 4': [
    shows('mounts, devices', /^TARGET +SOURCE +FSTYPE +OPTIONS$/m),
    shows(
      'volume groups with missing disks (`p` in `Attr`)',
      /^ +VG +#PV +#LV +#SN +Attr +VSize +VFree *$/m,
    ),
    shows(
      'RAID with a failed disk (`_` in brackets)',
      (printed) => !/^md\d+/m.test(printed) || /\[[U_]+\]/.test(printed),
    ),
  ],
  'KvmStoragePoolDegraded 5': [
    shows('what the kernel says', /rejecting I\/O to offline device/, {
      kernel: '[ 99.1] sd 2:0:0:1: rejecting I/O to offline device',
    }),
  ],
  'KvmStoragePoolFull 2': [shows('all pools and their state', POOLS)],
  'KvmStoragePoolFull 3': [shows('what the filesystems below really have', DF)],
  'KvmStoragePoolFull 4': [
    shows('the volumes in it', /^ Name +Path +Type +Capacity +Allocation\n-+\n \S+\.qcow2 +\//m),
  ],
  'KvmStoragePoolUnresponsive 3': [
    shows("the same from the pool's file", /<pool type='dir'>[^]*<path>\/\S+<\/path>/),
  ],
  'KvmStoragePoolUnresponsive 4': [
    shows('what is mounted there, and from where', /^\d+ \d+ .* - ext4 \/dev\/loop\d+ /m),
  ],
  'KvmStoragePoolUnresponsive 5': [shows('`Killed` confirms it', /Killed/, { trouble: 'dead' })],
  'KvmStoragePoolUnresponsive 6': [
    shows("where libvirt's threads wait", /^ *\d+ +\d+ +\S+ +\S+ +(?:libvirtd|virtstoraged|rpc-)/m),
    shows('D in a function of NFS, Ceph or FUSE', /nfs: server nas not responding/, {
      kernel: '[ 1043.2] nfs: server nas not responding, still trying',
    }),
  ],
  'KvmStorageRunOnTheBank 5': [
    shows('what could be deleted', DF),
    shows('what could be deleted', FILES),
  ],
  'KvmSwapAlmostFull 4': [
    shows('who is in them: KiB, name, process', SWAPPED),
    shows('the swap areas', SWAP_AREAS),
  ],
  'KvmSwapStorm 4': [
    shows('`si` and `so`', / si +so /),
    shows('`b` are tasks that wait for a disk', /^ r +b /m),
  ],
  'KvmSwapStorm 5': [shows('KiB in swap, name, process', SWAPPED)],
  'KvmSwapStorm 6': [shows('how much swap is left', SWAP_AREAS)],
  'KvmSwapTooSmall 2': [shows('whether an area is missing', SWAP_AREAS)],
  'KvmThinPoolBroken 3': [
    shows(
      '`Health` says out_of_data, metadata_read_only or failed, `CheckNeeded` says so',
      /^ +VG +LV +Attr +Data% +Meta% +Health +CheckNeeded *$/m,
    ),
  ],
  'KvmThinPoolBroken 4': [
    shows(
      'what the kernel says about the pool',
      /reached low water mark|switching pool to out-of-data-space mode/,
      {
        kernel: '[ 412.9] device-mapper: thin: 253:4: switching pool to out-of-data-space mode',
      },
    ),
  ],
  'KvmThinPoolDataFull 4': [
    shows(
      '`WhenFull` is `queue` (wait, then fail) or `error`',
      /^ +VG +LV +Attr .* +WhenFull *\n[^]*^ +kvmtest\d+ +pool +twi.* queue *$/m,
    ),
    shows('the pool, its volumes', /^ +kvmtest\d+ +web +Vwi\S* +400\.00m +pool /m),
    shows('the free space of the volume group', VG_FREE),
  ],
  'KvmThinPoolDataFull 5': [shows('a threshold of 100 means never', AUTOEXTEND)],
  'KvmThinPoolMetadataFull 3': [
    shows(
      '`Meta%`, the size of the metadata (`[..._tmeta]`)',
      / Meta% [^]*^ +kvmtest\d+ +\[pool_tmeta\] +ewi\S* +4\.00m/m,
    ),
    shows('the free space of the volume group', VG_FREE),
    shows(
      'volumes with an `Origin`',
      /^ +VG +LV +LSize +Origin +Pool +Data% *\n[^]*^ +kvmtest\d+ +web-before +400\.00m +web +pool/m,
    ),
  ],
  'KvmThinPoolMetadataFull 4': [shows('100 means never', AUTOEXTEND)],
  'KvmThinPoolRunOnTheBank 4': [
    shows('Volumes with few `Data%`', / Data% [^]*^ +kvmtest\d+ +web +Vwi\S* +400\.00m +pool /m),
    shows('the free space', VG_FREE),
  ],
  'KvmThinPoolRunOnTheBank 5': [
    shows('from which level on and by how much (percent): 100 means never', AUTOEXTEND),
  ],
  'KvmThinPoolUnwatched 2': [
    shows(
      'how full they are, and the volumes in them',
      /^ +VG +LV +Pool +Attr +LSize +Data% +Meta% *\n[^]*^ +kvmtest\d+ +web +pool +Vwi/m,
    ),
  ],
  'KvmThinPoolUnwatched 4': [
    shows(
      'as which user the exporter runs, and with which flags',
      /^root +\d+ .*(?:kvm-overcommit-exporter|dist\/main\.js).* --web\.listen-address=/m,
    ),
  ],
  'KvmUnfairCpuShare 5': [
    shows('pinned where others run', PINNING),
    shows('its weight', /^cpu_shares +: \d+$/m),
  ],
  'KvmUnfairCpuShare 6': [shows('its cgroup, and all levels above it', /^\d+:[^:]*:\/.*runbook/m)],
  'KvmUnfairCpuShare 7': [
    shows('threads with a real-time class (FF, RR)', (printed) =>
      printed.split('\n').every((line) => line === '' || /^ *(?:FF|RR) /.test(line)),
    ),
  ],
  'KvmUnfairNetworkShare 6': [
    shows('the name of the NIC to limit', /^ runbook-tap0 +bridge +/m),
    shows('the name of the NIC', NIC_LIMITS),
  ],
  'KvmUplinkDown 3': [
    shows('No `UP` between the brackets', LINK),
    shows('`NO-CARRIER`: cable, optics or switch', /<[A-Z,_-]*NO-CARRIER/, { trouble: 'no cable' }),
  ],
  'KvmUplinkDown 4': [shows('what its driver said last', /uplink0/)],
  'KvmUplinkDown 5': [
    shows(
      'what the bridges have as ports, and in which state',
      /^\d+: uplink0\S* .* master labbr0 state forwarding/m,
    ),
  ],
  'KvmUplinkDown 6': [shows('they still run here', /^ \d+ +runbook-guest +running$/m)],
  'KvmUplinkDrops 3': [shows('the host itself is the one', /^\d+ +\d+ +\S+:\d+ +\S+:\d+/m)],
  'KvmUplinkDrops 4': [shows('in Mbit/s, and duplex', /^\d+\n(?:full|half|unknown)$/m)],
  'KvmUplinkDrops 5': [
    shows('`dropped` and `overlimits`', / +dropped [^]*dropped \d+, overlimits \d+/),
  ],
  'KvmUplinkDrops 6': [
    shows('the NICs of the busiest guest', /^ runbook-tap0 +bridge +/m),
    shows('what one of them is limited to', NIC_LIMITS),
  ],
  'KvmUplinkErrors 3': [
    shows(
      '`crc` and `frame` is the line, `fifo` and `missed` is a host too slow to fetch packets, `carrier`',
      /RX: +bytes +packets +errors +dropped +missed[^]*RX errors: +length +crc +frame +fifo[^]*TX: +bytes +packets +errors +dropped +carrier/,
    ),
  ],
  'KvmUplinkErrors 4': [
    shows('See speed and duplex: `half` on one end', /^\d+\n(?:full|half|unknown)$/m),
    shows('each of its members', /^no members$/m),
  ],
  'KvmUplinkErrors 5': [shows('what the driver says', /uplink0/)],
  'KvmUplinkGuaranteeBroken 2': [shows('lost speed', /^\d+\n\d+: uplink0/m)],
  'KvmUplinkOverPromised 4': [shows('in Mbit/s', /^\d+$/m)],
  'KvmUplinkOverPromised 5': [shows('the limits of one NIC. 0 is none', NIC_LIMITS)],
  'KvmUplinkSaturated 3': [shows('the host itself is the one', /^\d+ +\d+ +\S+:\d+ +\S+:\d+/m)],
  'KvmUplinkSaturated 4': [shows('in Mbit/s, and duplex', /^\d+\n(?:full|half|unknown)$/m)],
  'KvmUplinkSaturated 5': [
    shows('`dropped` and `overlimits`', / +dropped [^]*dropped \d+, overlimits \d+/),
  ],
  'KvmUplinkSaturated 6': [
    shows('the NICs of the busiest guest', /^ runbook-tap0 +bridge +/m),
    shows('what one of them is limited to', NIC_LIMITS),
  ],
  'KvmVcpuWithoutCpu 3': [
    shows('which CPUs are offline', /\/cpu\/online:[\d,-]+\n[^]*\/cpu\/offline:/m),
    shows('whether hyper-threading was switched off', /\/smt\/control:\w+$/m),
  ],
  'KvmVcpuWithoutCpu 4': [
    shows('the pinning of every running guest', /^runbook-guest\n VCPU +CPU Affinity$/m),
  ],
  'KvmVcpuWithoutCpu 6': [
    shows('why they went offline', /CPU 3 is now offline/, {
      kernel: '[ 55.5] smpboot: CPU 3 is now offline',
    }),
  ],
};
