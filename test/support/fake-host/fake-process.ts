import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { VCPUS, type FakeGuest } from './fake-guest.ts';
import type { FileTree } from './file-tree.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/proc/4242', import.meta.url));

/** Files of a real QEMU process, kernel 6.18. */
const STATUS = readFileSync(`${FIXTURE}/status`, 'utf8');
const STAT_AFTER_COMM = readFileSync(`${FIXTURE}/stat`, 'utf8').replace(/^.*\) /, '');
const KSM_STAT = readFileSync(`${FIXTURE}/ksm_stat`, 'utf8');

/** The main thread, then the others in the order QEMU starts them: 8 in all. */
const OTHER_THREADS: readonly ((pid: number) => string)[] = [
  () => 'IO mon_iothread',
  ...Array.from({ length: VCPUS }, (_, vcpu) => () => `CPU ${vcpu}/KVM`),
  (pid) => `vhost-${pid}`,
  (pid) => `vhost-${pid}`,
];

/** Writes the /proc directory of a guest's QEMU. */
export function writeGuestProcess(procfs: FileTree, guest: FakeGuest): void {
  const { pid, name, uuid, scope } = guest;
  procfs.writeAll(`${pid}`, {
    stat: `${pid} (qemu-system-x86) ${STAT_AFTER_COMM}`,
    status: STATUS.replaceAll('4242', String(pid)),
    cmdline: commandLine(name, uuid),
    cgroup: `0::${scope}/libvirt/emulator\n`,
    ksm_stat: KSM_STAT,
  });
  writeThread(procfs, pid, 0, 'qemu-system-x86');
  for (const [i, comm] of OTHER_THREADS.entries()) writeThread(procfs, pid, i + 1, comm(pid));
}

function writeThread(procfs: FileTree, pid: number, number: number, comm: string): void {
  const run = 1_234_567_890_123n + BigInt(pid * 1000 + number);
  procfs.writeAll(`${pid}/task/${pid + number}`, {
    comm: `${comm}\n`,
    // It sleeps; the other fields are not read.
    stat: `${pid + number} (${comm}) ${STAT_AFTER_COMM}`,
    schedstat: `${run} ${run / 50n} ${9_876_543 + number}\n`,
  });
}

/** Arguments as libvirt 9.0 gives them, cut short to about 3 kB. */
function commandLine(name: string, uuid: string): string {
  const devices = Array.from({ length: 24 }, (_, i) => [
    '-device',
    `{"driver":"pcie-root-port","port":${16 + i},"chassis":${i + 1},"id":"pci.${i + 1}","bus":"pcie.0"}`,
  ]).flat();
  return [
    '/usr/bin/qemu-system-x86_64',
    ...['-name', `guest=${name},debug-threads=on`, '-S'],
    ...['-machine', 'pc-q35-7.2,usb=off,vmport=off,dump-guest-core=off', '-accel', 'kvm'],
    ...['-m', '8192', '-smp', `${VCPUS},sockets=${VCPUS},cores=1,threads=1`],
    ...['-uuid', uuid, '-no-user-config', '-nodefaults'],
    ...devices,
    '',
  ].join('\0');
}
