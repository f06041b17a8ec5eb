/**
 * What virsh commands of the runbooks' mitigations do to a real guest: each is run, and afterwards
 * libvirt is asked whether what the text says has come true.
 */

/** A guest for it: 128 MiB, one vCPU of four, one disk, one NIC, persistent. */
export const TREATED = 'runbook-treated';
export const TREATED_TAP = 'runbook-tap1';

export interface Treatment {
  /** Without `virsh -c qemu:///system`, as the runbooks have it. */
  readonly command: string;
  /** Numbers and names that fit the guest here. */
  readonly here?: Readonly<Record<string, string>>;
  /** What virsh is asked then. `$domain` and `$pool` are filled in. */
  readonly ask: string;
  readonly shows: RegExp;
}

const CPUS = '0-1';
const NIC = { vnet0: TREATED_TAP, '"$device"': TREATED_TAP };

/** In this order: each finds the guest as the one before has left it. */
export const TREATMENTS: readonly Treatment[] = [
  { command: 'suspend "$domain"', ask: 'domstate "$domain" --reason', shows: /^paused \(user\)$/m },
  {
    command: 'resume "$domain"',
    ask: 'domstate "$domain" --reason',
    shows: /^running \(unpaused\)$/m,
  },
  {
    command: 'suspend noisy-guest',
    here: { 'noisy-guest': TREATED },
    ask: 'domstate "$domain" --reason',
    shows: /^paused \(user\)$/m,
  },
  { command: 'resume "$domain"', ask: 'domstate "$domain"', shows: /^running$/m },
  {
    command: 'schedinfo "$domain" --live cpu_shares=50',
    ask: 'schedinfo "$domain"',
    shows: /^cpu_shares +: 50$/m,
  },
  {
    command: 'schedinfo "$domain" --live cpu_shares=200',
    ask: 'schedinfo "$domain"',
    shows: /^cpu_shares +: 200$/m,
  },
  {
    command: 'schedinfo "$domain" --live vcpu_period=100000 vcpu_quota=50000',
    ask: 'schedinfo "$domain"',
    shows: /^vcpu_period +: 100000\nvcpu_quota +: 50000$/m,
  },
  {
    command: 'schedinfo "$domain" --live vcpu_quota=-1',
    ask: 'schedinfo "$domain"',
    shows: /^vcpu_quota +: (?:-1|17592186044415)$/m,
  },
  {
    command: 'schedinfo noisy-guest --live vcpu_period=100000 vcpu_quota=50000',
    here: { 'noisy-guest': TREATED },
    ask: 'schedinfo "$domain"',
    shows: /^vcpu_quota +: 50000$/m,
  },
  {
    command: 'schedinfo "$domain" --live --config vcpu_quota=100000',
    ask: 'schedinfo "$domain" --config',
    shows: /^vcpu_quota +: 100000$/m,
  },
  {
    command: 'schedinfo "$domain" --live --config emulator_quota=-1',
    ask: 'schedinfo "$domain"',
    shows: /^emulator_quota +: (?:-1|17592186044415)$/m,
  },
  ...['0-7', '0-15', '2-3', '4-7'].map((cpus) => ({
    command: `vcpupin "$domain" 0 ${cpus} --live --config`,
    here: { [cpus]: CPUS },
    ask: 'vcpupin "$domain" --config',
    shows: /^ 0 +0-1$/m,
  })),
  {
    command: 'setmem "$domain" 2G --live',
    here: { '2G': '100M' },
    ask: 'dumpxml "$domain" --xpath //currentMemory',
    shows: /"KiB">102400</,
  },
  {
    command: 'setmem "$domain" 4G --live',
    here: { '4G': '128M' },
    ask: 'dumpxml "$domain" --xpath //currentMemory',
    shows: /"KiB">131072</,
  },
  {
    command: 'setvcpus "$domain" 4 --live',
    ask: 'vcpucount "$domain" --current --live',
    shows: /^4$/m,
  },
  {
    command: 'setvcpus "$domain" 2 --config',
    ask: 'vcpucount "$domain" --current --config',
    shows: /^2$/m,
  },
  {
    command: 'setvcpus "$domain" 4 --config',
    ask: 'vcpucount "$domain" --current --config',
    shows: /^4$/m,
  },
  {
    command: 'setmaxmem "$domain" 8G --config',
    ask: 'dumpxml "$domain" --inactive --xpath /domain/memory',
    shows: /"KiB">8388608</,
  },
  {
    command: 'setmem "$domain" 8G --config',
    ask: 'dumpxml "$domain" --inactive --xpath //currentMemory',
    shows: /"KiB">8388608</,
  },
  {
    command: 'setmaxmem "$domain" 4G --config',
    ask: 'dumpxml "$domain" --inactive --xpath /domain/memory',
    shows: /"KiB">4194304</,
  },
  {
    command: 'memtune "$domain" --hard-limit -1 --live',
    ask: 'memtune "$domain"',
    shows: /^hard_limit +: unlimited$/m,
  },
  {
    command: 'memtune "$domain" --hard-limit -1 --config',
    ask: 'memtune "$domain" --config',
    shows: /^hard_limit +: unlimited$/m,
  },
  {
    command: 'memtune "$domain" --hard-limit -1 --live --config',
    ask: 'memtune "$domain" --config',
    shows: /^hard_limit +: unlimited$/m,
  },
  {
    command: 'dommemstat "$domain" --period 10 --live',
    ask: 'dumpxml "$domain" --xpath //memballoon/stats',
    shows: /period="10"/,
  },
  {
    command: 'dommemstat "$domain" --period 10 --live --config',
    ask: 'dumpxml "$domain" --inactive --xpath //memballoon/stats',
    shows: /period="10"/,
  },
  {
    command: 'blkdeviotune "$domain" vda --write-bytes-sec 1000000 --live',
    ask: 'blkdeviotune "$domain" vda',
    shows: /^write_bytes_sec *: 1000000$/m,
  },
  {
    command: 'blkdeviotune "$domain" vda --total-bytes-sec 50000000 --live',
    ask: 'blkdeviotune "$domain" vda',
    shows: /^total_bytes_sec *: 50000000$/m,
  },
  {
    command: 'blkdeviotune "$domain" vda --total-bytes-sec 50000000 --total-iops-sec 1000 --live',
    ask: 'blkdeviotune "$domain" vda',
    shows: /^total_iops_sec *: 1000$/m,
  },
  {
    command: 'domiftune "$domain" vnet0 --live --inbound 12500 --outbound 12500',
    here: NIC,
    ask: `domiftune "$domain" ${TREATED_TAP}`,
    shows: /^inbound\.average *: 12500$/m,
  },
  {
    command: 'domiftune "$domain" vnet0 --live --config --inbound 125000 --outbound 125000',
    here: NIC,
    ask: `domiftune "$domain" ${TREATED_TAP}`,
    shows: /^outbound\.average *: 125000$/m,
  },
  {
    command: 'domiftune "$domain" "$device" --live --config --inbound 125000 --outbound 125000',
    here: NIC,
    ask: `domiftune "$domain" ${TREATED_TAP} --config`,
    shows: /^outbound\.average *: 125000$/m,
  },
  {
    command: 'domif-setlink "$domain" vnet0 down',
    here: NIC,
    ask: `domif-getlink "$domain" ${TREATED_TAP}`,
    shows: /down$/m,
  },
  {
    command:
      'blockcopy "$domain" vda /other/filesystem/disk.qcow2 --transient-job --wait --verbose --pivot',
    here: { '/other/filesystem/disk.qcow2': '"$other"' },
    ask: 'domblklist "$domain"',
    shows: /^ vda +\S+\/runbook-copy\.qcow2$/m,
  },
  {
    command: 'dump "$domain" "/var/tmp/$domain.dump" --memory-only',
    ask: 'domstate "$domain"',
    shows: /^running$/m,
  },
  {
    command: 'autostart --disable "$domain"',
    ask: 'dominfo "$domain"',
    shows: /^Autostart: +disable$/m,
  },
  { command: 'managedsave "$domain"', ask: 'dominfo "$domain"', shows: /^Managed save: +yes$/m },
  { command: 'start "$domain"', ask: 'domstate "$domain"', shows: /^running$/m },
  {
    command: 'destroy "$domain"',
    ask: 'domstate "$domain" --reason',
    shows: /^shut off \(destroyed\)$/m,
  },
  { command: 'pool-refresh "$pool"', ask: 'pool-info "$pool"', shows: /^State: +running$/m },
  {
    command: 'vol-delete old.qcow2 --pool "$pool"',
    ask: 'vol-list "$pool"',
    shows: /^(?![^]*old\.qcow2)/,
  },
];

/** Commands that are not run here, and why. */
export const UNTRIED: readonly { readonly command: RegExp; readonly reason: string }[] = [
  { command: /^migrate |^qemu\+ssh/, reason: 'needs a second host' },
  { command: /^migrate-set|^domjobabort /, reason: 'needs a migration' },
  { command: /^(?:domfstrim|domtime) /, reason: 'needs a guest agent' },
  { command: /^edit /, reason: 'opens an editor' },
  { command: /^re(?:set|boot) /, reason: 'a guest of the lab ends when it boots again' },
  { command: /^shutdown /, reason: 'the guest has nothing that listens to its power button' },
  { command: /^blockcommit /, reason: 'needs a snapshot in a file of its own' },
  { command: /^attach-device /, reason: 'the guest has no slots for memory' },
  { command: /^pool-(?:start|autostart) /, reason: 'the pool is transient and runs' },
];
