import { parseCpuList } from '../../model/facts/cpu-list.ts';
import {
  listKernelDirectory,
  readKernelFile,
  readKernelInteger,
  readKernelStart,
  readKernelValue,
} from '../kernel/kernel-file.ts';
import { parseSignedDecimal } from '../kernel/kernel-text.ts';
import { failed, failedWith, Faults, found, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { CpuPlace, CpuTopology } from '../../model/host-cpu.ts';

/**
 * Reads `/sys/devices/system/cpu`. Two files per CPU, which change with CPU hotplug only, are read again
 * when `/sys/devices/system/cpu/online` says something else. Keep one instance per exporter.
 */
export class CpuTopologyReader {
  readonly #roots: Roots;
  #known: { readonly online: string; readonly places: readonly CpuPlace[] } | undefined;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /**
   * All or nothing: with a part that is there but cannot be read, cores and CPU sets would be counted
   * wrong.
   */
  read(): Result<CpuTopology> {
    const directory = `${this.#roots.sysfs}/devices/system/cpu`;
    const onlinePath = `${directory}/online`;
    const onlineText = readKernelFile(onlinePath);
    if (!onlineText.ok) return onlineText;
    const online = parseCpuList(onlineText.value, onlinePath);
    if (!online.ok) return online;
    if (online.value.length === 0) return failed('malformed', onlinePath, 'no CPU is online');

    const faults = new Faults();
    const list = (name: string): readonly number[] =>
      faults.optional(readCpuList(`${directory}/${name}`)) ?? [];
    const lists = {
      present: list('present'),
      offline: list('offline'),
      isolated: list('isolated'),
      tickless: list('nohz_full'),
    };
    const threadsPerCpu =
      faults.optional(readThreadsPerCpu(this.#roots, online.value, lists.present)) ?? 1;
    const cpus =
      this.#known?.online === onlineText.value
        ? this.#known.places
        : readPlaces(this.#roots, online.value, faults);
    const [fault] = faults.errors;
    if (fault !== undefined) return failedWith(fault);
    this.#known = { online: onlineText.value, places: cpus };
    return found({
      ...lists,
      online: online.value,
      cpus,
      coreCount: new Set(cpus.map((place) => Math.min(...place.siblings))).size,
      packageCount: new Set(cpus.map((place) => place.package ?? 0)).size,
      threadsPerCpu,
    });
  }
}

function readPlaces(roots: Roots, online: readonly number[], faults: Faults): readonly CpuPlace[] {
  const nodeOf = readNodeOfCpus(roots, faults);
  return online.map((cpu): CpuPlace => {
    const topology = `${roots.sysfs}/devices/system/cpu/cpu${cpu}/topology`;
    return {
      cpu,
      siblings: faults.optional(readCpuList(`${topology}/thread_siblings_list`)) ?? [cpu],
      package: faults.optional(readPackage(`${topology}/physical_package_id`)),
      node: nodeOf.get(cpu),
    };
  });
}

/** Threads of a core of those POWER processors whose KVM wants the secondary threads offline. */
const THREADS_OF_POWER: ReadonlyMap<string, number> = new Map([
  ['POWER7', 4],
  ['POWER8', 8],
]);

/** Room for the paragraph of the first CPU. */
const CPUINFO_BYTES = 4096;

/**
 * As libvirt counts (virHostCPUGetThreadsPerSubcore, virHostCPUHasValidSubcoreConfiguration): the first
 * thread of each sub-core is online, and not one secondary thread is. Linux
 * Documentation/ABI/testing/sysfs-devices-system-cpu has subcores_per_core, which POWER7 lacks.
 */
function readThreadsPerCpu(
  roots: Roots,
  online: readonly number[],
  present: readonly number[],
): Result<number> {
  // Where an odd CPU is online a secondary thread is, and nothing needs a second look.
  const mayBe = online.length < present.length && online.every((cpu) => cpu % 2 === 0);
  if (!mayBe) return found(1);
  const cpuinfo = readKernelStart(`${roots.procfs}/cpuinfo`, CPUINFO_BYTES);
  if (!cpuinfo.ok) return cpuinfo;
  const model = /^cpu\s*:\s*(POWER\d+)/m.exec(cpuinfo.value)?.[1];
  const ofCore = model === undefined ? undefined : THREADS_OF_POWER.get(model);
  if (ofCore === undefined) return found(1);
  const subcores = readKernelInteger(`${roots.sysfs}/devices/system/cpu/subcores_per_core`);
  if (!subcores.ok && subcores.error.kind !== 'absent') return subcores;
  const threads = Math.max(1, ofCore / (subcores.ok ? Math.max(1, subcores.value) : 1));
  const isPrimary = (cpu: number): boolean => cpu % threads === 0;
  // With SMT switched off in the firmware there are no secondary threads at all.
  return found(online.every(isPrimary) && !present.every(isPrimary) ? threads : 1);
}

function readCpuList(path: string): Result<readonly number[]> {
  const text = readKernelFile(path);
  return text.ok ? parseCpuList(text.value, path) : text;
}

/** -1 where the firmware does not say. */
function readPackage(path: string): Result<number | undefined> {
  const id = readKernelValue(path, parseSignedDecimal);
  return id.ok && id.value < 0 ? found(undefined) : id;
}

function readNodeOfCpus(roots: Roots, faults: Faults): ReadonlyMap<number, number> {
  const directory = `${roots.sysfs}/devices/system/node`;
  const nodes = new Map<number, number>();
  for (const name of faults.optional(listKernelDirectory(directory)) ?? []) {
    const node = /^node(\d{1,9})$/.exec(name)?.[1];
    if (node === undefined) continue;
    for (const cpu of faults.optional(readCpuList(`${directory}/${name}/cpulist`)) ?? []) {
      nodes.set(cpu, Number(node));
    }
  }
  return nodes;
}
