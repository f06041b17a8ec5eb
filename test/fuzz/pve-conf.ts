import { toContainerConfig } from '../../src/guests/proxmox/container-config.ts';
import { parsePools, parseStartedByHa } from '../../src/guests/proxmox/cluster-conf.ts';
import { parseGuestConf } from '../../src/guests/proxmox/guest-conf.ts';
import { parseStatistics } from '../../src/guests/proxmox/statistics.ts';
import { parseStorageConf } from '../../src/guests/proxmox/storage-conf.ts';
import { toVmConfig } from '../../src/guests/proxmox/vm-config.ts';
import {
  parseSystemEmulator,
  withConfigFile,
} from '../../src/sources/process/qemu-command-line.ts';
import { parseQemuConfig } from '../../src/sources/process/qemu-config-file.ts';
import { STORAGE_CFG, VM_100 } from '../support/sources/proxmox-files.ts';
import { mangled } from './mangle.ts';
import { noFalseNumber } from './numbers.ts';
import { simple, type Outcome, type Target } from './target.ts';

const CONTAINER = `arch: amd64
cores: 2
hostname: db
memory: 1024
mp0: tank:subvol-101-disk-1,mp=/x,size=8G
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,rate=5,type=veth
rootfs: local-lvm:vm-101-disk-0,size=8G
swap: 512
`;

const STATISTICS = JSON.stringify({
  qemu: {
    timestamp: 1_760_000_000,
    data: {
      100: {
        status: 'running',
        qmpstatus: 'io-error',
        ballooninfo: { actual: 1073741824, max_mem: 4294967296, free_mem: '5' },
        blockstat: { scsi0: { rd_bytes: 7, failed_wr_operations: 2, unmap_bytes: '4096' } },
      },
    },
  },
  storage: { data: { 'local-lvm': { type: 'lvmthin', active: 1, total: 1073741824, used: 4096 } } },
});

const OPTIONS = `# Memory
[memory]
size = "4096M"

[smp-opts]
cpus = "2"
maxcpus = "64"

[object "mem0"]
qom-type = "memory-backend-memfd"
size = "4096M"
share = "on"
`;

const COMMAND_LINE = [
  ...['/usr/bin/kvm', '-id', '100', '-name', 'guest=a,,b,debug-threads=on'],
  ...['-pidfile', '/var/run/qemu-server/100.pid', '-smp', '2,sockets=1,cores=4,maxcpus=4'],
  ...['-m', 'size=1024,slots=255,maxmem=524288M', '-object', 'memory-backend-memfd,id=m,size=1G'],
  '',
].join('\0');

const NONE: ReadonlySet<string> = new Set();

/** Files of Proxmox VE, and command lines of QEMU: whatever stands there, no number comes of it that cannot be. */
export const pveConf: Target = {
  name: 'pve-conf',
  open: () =>
    simple((pick): Outcome => {
      const storages = parseStorageConf(mangled(STORAGE_CFG, pick));
      switch (pick(6)) {
        case 0: {
          const conf = parseGuestConf(mangled(VM_100, pick), 'fuzz.conf');
          if (!conf.ok) return 'refusal';
          noFalseNumber(toVmConfig(100, '100/x', conf.value, storages), NONE);
          return 'value';
        }
        case 1: {
          const conf = parseGuestConf(mangled(CONTAINER, pick), 'fuzz.conf');
          if (!conf.ok) return 'refusal';
          noFalseNumber(toContainerConfig(101, '101/x', conf.value, storages, 4), NONE);
          return 'value';
        }
        case 2: {
          const statistics = parseStatistics(mangled(STATISTICS, pick), 'fuzz');
          if (!statistics.ok) return 'refusal';
          noFalseNumber([...statistics.value.vms.values()], NONE);
          noFalseNumber([...statistics.value.storages.values()], NONE);
          return 'value';
        }
        case 3: {
          parsePools(mangled('pool:shop:the shop:100,101:local:\n', pick));
          parseStartedByHa(mangled('vm: 100\n\tgroup a\n\tstate stopped\n', pick));
          return 'value';
        }
        case 4: {
          const words = parseQemuConfig(mangled(OPTIONS, pick), 'fuzz.conf');
          const line = parseSystemEmulator(COMMAND_LINE);
          if (!words.ok || line === undefined) return 'refusal';
          noFalseNumber(withConfigFile(line, words.value), NONE);
          return 'value';
        }
        default: {
          const parsed = parseSystemEmulator(mangled(COMMAND_LINE, pick));
          if (parsed === undefined) return 'refusal';
          noFalseNumber(parsed, NONE);
          return 'value';
        }
      }
    }),
};
