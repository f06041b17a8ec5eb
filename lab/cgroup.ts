import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Journal } from './journal.ts';
import { GUEST_CONTROLLERS } from './libvirt-daemon.ts';

const CGROUP_MOUNT = '/sys/fs/cgroup';
/** Where a host with v1 controllers mounts the v2 hierarchy, if at all. */
const HYBRID_MOUNT = '/sys/fs/cgroup/unified';
/** The process limits and pressure of a guest are set and read on its own directory, not below. */
const BELOW_GUEST = /\/(libvirt(\/.*)?|emulator|vcpu\d+|iothread\d+)$/;

/**
 * Makes the cgroup libvirt puts the lab's guests into. libvirt creates `/machine` by itself but
 * demands that any other partition exists, and looks for it as `<name>.partition`
 * (libvirt docs/cgroups). One of its own so that two labs' guests with equal names never share
 * a cgroup, and so that all can be removed together.
 *
 * @returns the value for `<resource><partition>`
 */
export function createPartition(slot: number, journal: Journal): string {
  const name = `kvmlab${slot}`;
  if (isUnified()) {
    enableControllers(CGROUP_MOUNT);
    enableControllers(makeCgroup(join(CGROUP_MOUNT, `${name}.partition`), journal));
    return `/${name}`;
  }
  for (const controller of GUEST_CONTROLLERS) {
    const mount = join(CGROUP_MOUNT, controller);
    if (!existsSync(mount)) continue;
    const path = makeCgroup(join(mount, `${name}.partition`), journal);
    if (controller === 'cpuset') inheritCpuset(mount, path);
  }
  // In a hybrid layout libvirt makes a cgroup in the v2 hierarchy as well, with no controllers.
  // It reads a guest's CPU time there (cpu.stat needs no controller) rather than from cpuacct.
  if (existsSync(HYBRID_MOUNT)) makeCgroup(join(HYBRID_MOUNT, `${name}.partition`), journal);
  return `/${name}`;
}

/**
 * The guest's own cgroup directory per v1 controller, and in the v2 hierarchy under the key
 * `unified`, from /proc/<pid>/cgroup. Per-vCPU cgroups are the directories `vcpu<N>` below (v2: `libvirt/vcpu<N>`
 * on systemd hosts).
 */
export function guestCgroups(qemuPid: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of readFileSync(`/proc/${qemuPid}/cgroup`, 'utf8').trim().split('\n')) {
    const [, controllers = '', ...rest] = line.split(':');
    const path = rest.join(':').replace(BELOW_GUEST, '');
    // At the root of a hierarchy it shares what all share: no cgroup of its own.
    if (path === '/') continue;
    if (controllers === '') {
      if (isUnified()) found.set('unified', join(CGROUP_MOUNT, path));
      else if (existsSync(HYBRID_MOUNT)) found.set('unified', join(HYBRID_MOUNT, path));
      continue;
    }
    for (const controller of controllers.split(',')) {
      const mount = join(CGROUP_MOUNT, controllers);
      const own = existsSync(mount) ? mount : join(CGROUP_MOUNT, controller);
      if (existsSync(own)) found.set(controller, join(own, path));
    }
  }
  return found;
}

/** The file which squeezes a guest's memory when a number of bytes is written to it. */
export function memoryLimitFile(qemuPid: number): string {
  const cgroups = guestCgroups(qemuPid);
  const memory = cgroups.get('memory');
  if (memory !== undefined) return join(memory, 'memory.limit_in_bytes');
  const unified = cgroups.get('unified');
  if (unified === undefined) throw new Error(`process ${qemuPid} has no memory cgroup`);
  return join(unified, 'memory.high');
}

/** A cgroup of the lab: its directory per v1 controller, or in the v2 hierarchy as `unified`. */
export interface LabGroup {
  readonly directories: ReadonlyMap<string, string>;
  /** Puts a process into it. */
  readonly take: (pid: number) => void;
}

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'hugetlb', 'blkio'] as const;

/** Makes a cgroup in all hierarchies by its path, such as `/qemu.slice/100.scope`. */
export function createGroup(name: string, journal: Journal): LabGroup {
  const hierarchies: readonly (readonly [string, string])[] = isUnified()
    ? [['unified', CGROUP_MOUNT]]
    : [
        ...V1_CONTROLLERS.map((one) => [one, join(CGROUP_MOUNT, one)] as const),
        ['unified', HYBRID_MOUNT],
      ];
  const directories = new Map<string, string>();
  const parts = name.split('/').filter((part) => part !== '');
  for (const [controller, mount] of hierarchies) {
    if (!existsSync(mount)) continue;
    let path = mount;
    for (const [index, part] of parts.entries()) {
      const parent = path;
      path = join(parent, part);
      if (mount === CGROUP_MOUNT) enableControllers(parent);
      // Those above may be shared with another lab: they go when they are empty.
      journal.record({ kind: index === parts.length - 1 ? 'cgroup' : 'directory', path });
      if (existsSync(path)) continue;
      mkdirSync(path);
      if (controller === 'cpuset') inheritCpuset(parent, path);
    }
    directories.set(controller, path);
  }
  return {
    directories,
    take: (pid) => {
      for (const path of directories.values()) {
        writeFileSync(join(path, 'cgroup.procs'), String(pid));
      }
    },
  };
}

/** A new v1 cpuset has no CPUs and no memory nodes, so no process can enter it. */
function inheritCpuset(from: string, to: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeFileSync(join(to, file), readFileSync(join(from, file), 'utf8'));
  }
}

function makeCgroup(path: string, journal: Journal): string {
  journal.record({ kind: 'cgroup', path });
  if (!existsSync(path)) mkdirSync(path);
  return path;
}

function enableControllers(path: string): void {
  const available = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ');
  for (const controller of ['cpu', 'cpuset', 'memory', 'io']) {
    if (available.includes(controller)) {
      writeFileSync(join(path, 'cgroup.subtree_control'), `+${controller}`);
    }
  }
}

function isUnified(): boolean {
  return readdirSync(CGROUP_MOUNT).includes('cgroup.controllers');
}
