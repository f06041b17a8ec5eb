import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

import { writeGuestCgroups } from './fake-cgroup.ts';
import { fakeGuests, type FakeGuest } from './fake-guest.ts';
import { writeImages } from './fake-images.ts';
import { linkPort, portLink, writeNetDev, writeNetwork, writeTaps } from './fake-network.ts';
import { writeGuestProcess } from './fake-process.ts';
import { FileTree } from './file-tree.ts';

/** The made-up host of the unit tests: /proc and /sys without guests. */
const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));

const CPUS = 128;
const NUMA_NODES = 2;
const OTHER_PROCESSES = 400;
const FIRST_OTHER_PID = 1000;

/** A hypervisor's files in memory: /proc, /sys with cgroups, and disk images. */
export interface FakeHost extends Disposable {
  readonly directory: string;
  readonly procfs: string;
  readonly sysfs: string;
  readonly images: string;
  readonly guests: readonly FakeGuest[];
  /** A guest starts: taps, cgroups and its process appear. Its images are there already. */
  add(guest: FakeGuest): void;
  /** A guest ends: process, cgroups and taps vanish, its images stay. */
  remove(guest: FakeGuest): void;
}

/** Writes the files of a two-socket host with 128 CPUs and so many guests; dispose removes them. */
export function makeFakeHost(guestCount: number): FakeHost {
  const directory = mkdtempSync(`${memoryDirectory()}/kvm-bench-scale-`);
  const remove = (): void => {
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const images = `${directory}/images`;
    const guests = fakeGuests(guestCount, images);
    const procfs = `${directory}/proc`;
    const sysfs = `${directory}/sys`;
    const trees = writeHost(procfs, sysfs, guests);
    writeImages(guests, images);
    const running = new Running(directory, trees, guests);
    return {
      directory,
      procfs,
      sysfs,
      images,
      get guests() {
        return running.guests;
      },
      add: (guest) => {
        running.add(guest);
      },
      remove: (guest) => {
        running.remove(guest);
      },
      [Symbol.dispose]: remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

interface Trees {
  readonly procfs: FileTree;
  readonly sysfs: FileTree;
}

/** The guests that run. Each of their directories appears and vanishes whole, as the kernel's do. */
class Running {
  readonly #host: Trees;
  /** Where directories are filled, and emptied. */
  readonly #aside: Trees;
  readonly #guests: Map<number, FakeGuest>;

  constructor(directory: string, host: Trees, guests: readonly FakeGuest[]) {
    this.#host = host;
    this.#aside = {
      procfs: new FileTree(`${directory}/aside/proc`),
      sysfs: new FileTree(`${directory}/aside/sys`),
    };
    this.#guests = new Map(guests.map((guest) => [guest.index, guest]));
  }

  get guests(): readonly FakeGuest[] {
    return [...this.#guests.values()];
  }

  add(guest: FakeGuest): void {
    const { procfs, sysfs } = this.#aside;
    writeGuestCgroups(sysfs, guest);
    writeTaps(sysfs, guest);
    writeGuestProcess(procfs, guest);
    this.#guests.set(guest.index, guest);
    for (const path of sysfsPaths(guest)) this.#host.sysfs.take(sysfs, path);
    for (const tap of guest.taps) linkPort(this.#host.sysfs, tap);
    writeNetDev(this.#host.procfs, this.guests);
    this.#host.procfs.take(procfs, String(guest.pid));
  }

  remove(guest: FakeGuest): void {
    const { procfs, sysfs } = this.#aside;
    this.#guests.delete(guest.index);
    procfs.take(this.#host.procfs, String(guest.pid));
    writeNetDev(this.#host.procfs, this.guests);
    for (const tap of guest.taps) this.#host.sysfs.remove(portLink(tap));
    for (const path of sysfsPaths(guest)) sysfs.take(this.#host.sysfs, path);
    procfs.remove(String(guest.pid));
    for (const path of sysfsPaths(guest)) sysfs.remove(path);
  }
}

/** What of sysfs is a guest's own. */
function sysfsPaths({ index, scope, taps }: FakeGuest): readonly string[] {
  return [`fs/cgroup${scope}`, `dev/block/253:${index}`, ...taps.map((tap) => `class/net/${tap}`)];
}

/** A tmpfs, where there is one: 70,000 files. */
function memoryDirectory(): string {
  return statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true
    ? '/dev/shm'
    : tmpdir();
}

function writeHost(procPath: string, sysPath: string, guests: readonly FakeGuest[]): Trees {
  mkdirSync(procPath);
  cpSync(`${FIXTURES}/proc`, procPath, {
    recursive: true,
    // Guests and oddities of the unit tests.
    filter: (path) => !/\/proc\/(?:4\d{3}|6\d{3})(?:\/|$)/.test(path),
  });
  cpSync(`${FIXTURES}/sys`, sysPath, { recursive: true });
  const procfs = new FileTree(procPath);
  const sysfs = new FileTree(sysPath);
  writeCpus(procfs, sysfs);
  writeMounts(procfs, sysPath);
  writeOtherProcesses(procfs);
  for (const guest of guests) {
    writeGuestProcess(procfs, guest);
    writeGuestCgroups(sysfs, guest);
  }
  writeNetwork(procfs, sysfs, guests);
  return { procfs, sysfs };
}

function writeCpus(procfs: FileTree, sysfs: FileTree): void {
  const ticks = '2000000 500 500000 7000000 8000 0 1000 10000 1600000 250';
  const lines = Array.from({ length: CPUS }, (_, cpu) => `cpu${cpu} ${ticks}`);
  const total = ticks.split(' ').map((value) => Number(value) * CPUS);
  procfs.write(
    'stat',
    `cpu  ${total.join(' ')}\n${lines.join('\n')}\nintr 1234567890\nctxt 98765432100\n` +
      'btime 1767225600\nprocesses 1234567\nprocs_running 90\nprocs_blocked 2\n',
  );
  const all = `0-${CPUS - 1}\n`;
  sysfs.writeAll('devices/system/cpu', {
    online: all,
    present: all,
    possible: all,
    offline: '\n',
    isolated: '\n',
    nohz_full: '\n',
  });
  for (let cpu = 0; cpu < CPUS; cpu++) {
    const core = Math.floor(cpu / 2) * 2;
    sysfs.writeAll(`devices/system/cpu/cpu${cpu}/topology`, {
      thread_siblings_list: `${core}-${core + 1}\n`,
      physical_package_id: `${Math.floor((cpu * NUMA_NODES) / CPUS)}\n`,
    });
  }
  for (let node = 0; node < NUMA_NODES; node++) {
    const first = (CPUS / NUMA_NODES) * node;
    sysfs.write(
      `devices/system/node/node${node}/cpulist`,
      `${first}-${first + CPUS / NUMA_NODES - 1}\n`,
    );
  }
}

/** This machine's own mounts, as images are real files, but with cgroup v2 in the made-up /sys. */
function writeMounts(procfs: FileTree, sysPath: string): void {
  const own = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !/ - cgroup2? /.test(line));
  const highestId = Math.max(...own.map((line) => Number(line.split(' ', 1)[0])));
  const cgroup = `${highestId + 1} ${highestId} 0:999 / ${sysPath}/fs/cgroup rw - cgroup2 cgroup2 rw`;
  const text = `${[...own, cgroup].join('\n')}\n`;
  procfs.write('self/mountinfo', text);
  procfs.write('1/mountinfo', text);
}

/** Kernel threads and daemons, which the exporter has to tell from guests. */
function writeOtherProcesses(procfs: FileTree): void {
  const stat = readFileSync(`${FIXTURES}/proc/900/stat`, 'utf8').replace(/^.*\) /, '');
  const commandLine = readFileSync(`${FIXTURES}/proc/900/cmdline`, 'utf8');
  for (let i = 0; i < OTHER_PROCESSES; i++) {
    const pid = FIRST_OTHER_PID + i;
    procfs.writeAll(`${pid}`, { stat: `${pid} (daemon-${i}) ${stat}`, cmdline: commandLine });
  }
}
