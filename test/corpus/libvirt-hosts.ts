import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parseCgroupMounts, type CgroupController } from '../../src/sources/cgroup/cgroup.ts';
import { parseCpuList } from '../../src/model/facts/cpu-list.ts';
import { CpuTopologyReader } from '../../src/sources/host/cpu-topology.ts';
import type { Result } from '../../src/runtime/result.ts';
import type { Roots } from '../../src/sources/kernel/roots.ts';
import { parseXml } from '../../src/sources/domain-xml/xml-document.ts';
import type { XmlElement } from '../../src/sources/domain-xml/xml-element.ts';
import type { Difference, Report } from './report.ts';
import { compare } from './second-reading.ts';
import type { CpuTopology } from '../../src/model/host-cpu.ts';

/**
 * libvirt's tests have /sys of real machines, and beside it what libvirt itself reads there: a
 * second reading that nobody here wrote.
 */

/** `CPUs: 64/160, MHz: 3690, Nodes: 4, Sockets: 1, Cores: 5, Threads: 8`. */
const EXPECTED = /^CPUs: (?<cpus>\d+)\/.*Nodes: (?<nodes>\d+),.*Threads: (?<threads>\d+)/;

/** virhostcputest: how many CPUs, nodes and threads a machine has. */
export function compareHostCpus(tests: string, scratch: string): Report {
  const data = join(tests, 'virhostcpudata');
  const names = readdirSync(data)
    .filter((name) => name.endsWith('.expected'))
    .sort();
  const differences: Difference[] = [];
  let values = 0;
  for (const name of names) {
    const machine = basename(name, '.expected');
    // linux-ppc64-subcores1 has its /sys in linux-subcores1, which architectures may share.
    const system = join(data, machine.replace(/^linux-[^-]+-/, 'linux-'));
    const cpuinfo = join(data, `${machine}.cpuinfo`);
    const topology = new CpuTopologyReader(rootsOf(join(scratch, machine), system, cpuinfo)).read();
    const expected = EXPECTED.exec(readFileSync(join(data, name), 'utf8'))?.groups;
    if (expected === undefined) throw new Error(`${name}: not the counts of a host`);
    const comparison = compare(
      countsOf(topology),
      Object.fromEntries(Object.entries(expected).map(([key, text]) => [key, Number(text)])),
    );
    values += comparison.values;
    differences.push(...comparison.differences.map((text) => ({ file: name, text })));
  }
  return { what: 'CPUs of hosts of libvirt', files: names.length, values, differences, notes: [] };
}

function countsOf(topology: Result<CpuTopology>): unknown {
  if (!topology.ok) return { error: topology.error.detail };
  const { cpus, online, threadsPerCpu } = topology.value;
  return {
    cpus: online.length * threadsPerCpu,
    nodes: new Set(cpus.map(({ node }) => node)).size,
    threads: Math.max(...cpus.map(({ siblings }) => siblings.length)) * threadsPerCpu,
  };
}

/** vircaps2xmltest: which CPUs there are, on which node and socket, and which share a core. */
export function compareCapabilities(tests: string, scratch: string): Report {
  const data = join(tests, 'vircaps2xmldata');
  const names = readdirSync(data)
    .filter((name) => name.endsWith('.xml'))
    .sort();
  const differences: Difference[] = [];
  let values = 0;
  for (const name of names) {
    const machine = name.replace(/^vircaps-[^-]+-(.*)\.xml$/, 'linux-$1');
    const topology = new CpuTopologyReader(
      rootsOf(join(scratch, name), join(data, machine, 'system'), undefined),
    ).read();
    const capabilities = parseXml(readFileSync(join(data, name), 'utf8'), name);
    if (!capabilities.ok) throw new Error(`${name}: ${capabilities.error.detail}`);
    const cells = capabilities.value.at('host', 'topology', 'cells')?.all('cell') ?? [];
    const comparison = compare(
      topology.ok
        ? Object.fromEntries(
            topology.value.cpus.map(({ cpu, siblings, node, package: socket }) => [
              cpu,
              { node, socket, siblings },
            ]),
          )
        : { error: topology.error.detail },
      Object.fromEntries(cells.flatMap(cpusOf)),
    );
    values += comparison.values;
    differences.push(...comparison.differences.map((text) => ({ file: name, text })));
  }
  return { what: 'capabilities of libvirt', files: names.length, values, differences, notes: [] };
}

function cpusOf(cell: XmlElement): readonly (readonly [string, unknown])[] {
  return (cell.child('cpus')?.all('cpu') ?? []).map((cpu) => {
    const siblings = parseCpuList(cpu.attribute('siblings') ?? '', 'siblings');
    return [
      cpu.attribute('id') ?? '?',
      {
        node: Number(cell.attribute('id')),
        socket: Number(cpu.attribute('socket_id')),
        siblings: siblings.ok ? siblings.value : undefined,
      },
    ];
  });
}

/** A /sys and /proc of which nothing is there but what the test data has. */
function rootsOf(directory: string, system: string, cpuinfo: string | undefined): Roots {
  const [procfs, sysfs] = [join(directory, 'proc'), join(directory, 'sys')];
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(procfs, { recursive: true });
  mkdirSync(join(sysfs, 'devices'), { recursive: true });
  symlinkSync(system, join(sysfs, 'devices', 'system'));
  if (cpuinfo !== undefined && existsSync(cpuinfo)) symlinkSync(cpuinfo, join(procfs, 'cpuinfo'));
  return { procfs, sysfs, rootfs: '' };
}

/** The controllers that libvirt's `.parsed` files and we know. */
const CONTROLLERS: readonly CgroupController[] = ['cpu', 'cpuacct', 'cpuset', 'memory', 'blkio'];

/** vircgrouptest: where each controller is mounted. */
export function compareCgroups(tests: string): Report {
  const data = join(tests, 'vircgroupdata');
  const names = readdirSync(data)
    .filter((name) => name.endsWith('.parsed'))
    .sort();
  const differences: Difference[] = [];
  let values = 0;
  for (const name of names) {
    const mountsFile = join(data, name.replace(/parsed$/, 'mounts'));
    const mounts = parseCgroupMounts(
      mountinfoOf(readFileSync(mountsFile, 'utf8')),
      { procfs: '/proc', sysfs: '/sys', rootfs: '' },
      name,
    );
    const theirs = new Map(
      readFileSync(join(data, name), 'utf8')
        .split('\n')
        .map((line) => line.split(/\s+/))
        .map(([controller = '', place = '']) => [
          controller,
          place === '<null>' ? undefined : place,
        ]),
    );
    const ours = new Map<string, string | undefined>(
      mounts.ok
        ? [
            ...[...mounts.value.v1].map(
              ([controller, { mountPoint }]) => [controller, mountPoint] as const,
            ),
            ['unified', mounts.value.unified?.mountPoint] as const,
          ]
        : [],
    );
    const placed = (places: ReadonlyMap<string, string | undefined>): unknown =>
      Object.fromEntries([...CONTROLLERS, 'unified'].map((one) => [one, places.get(one)]));
    const comparison = compare(placed(ours), placed(theirs));
    values += comparison.values;
    differences.push(...comparison.differences.map((text) => ({ file: name, text })));
  }
  return { what: 'cgroup mounts of libvirt', files: names.length, values, differences, notes: [] };
}

/** The lines of /proc/mounts as those of /proc/self/mountinfo, which we read; the root is all. */
function mountinfoOf(mounts: string): string {
  return mounts
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const [device = '', mountPoint = '', type = '', options = ''] = line.split(' ');
      return `${index + 2} 1 0:${index + 2} / ${mountPoint} rw - ${type} ${device} ${options}`;
    })
    .join('\n');
}
