import { busyGuest } from '../libvirt/busy-guest.ts';

export const VCPUS = 4;

/** How one made-up guest is called everywhere: in libvirt's answers, in /proc, in sysfs, on disk. */
export interface FakeGuest {
  /** From 0. */
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  readonly id: number;
  readonly pid: number;
  /** Names of its two tap devices. */
  readonly taps: readonly [string, string];
  /** A qcow2 on top of {@link baseImage}. */
  readonly systemImage: string;
  /** An image it shares with other guests. */
  readonly baseImage: string;
  /** A sparse raw image. */
  readonly dataImage: string;
  /** Below the cgroup hierarchy's mount point; systemd escapes the hyphens of the name. */
  readonly scope: string;
}

/** Room for the threads of each guest's process. */
const PIDS_PER_GUEST = 20;
const FIRST_PID = 10_000;

/** The guests of a made-up host whose images lie in `images`. */
export function fakeGuests(count: number, images: string): readonly FakeGuest[] {
  return Array.from({ length: count }, (_, index) => fakeGuest(index, images));
}

/**
 * One run of a guest. What lasts for the run alone follows from `index`: id, process, taps.
 *
 * @param lasting what it keeps from run to run; without it a guest of this index alone.
 */
export function fakeGuest(index: number, images: string, lasting?: LastingFacts): FakeGuest {
  const { name, uuid } = lasting ?? busyGuest(index).domain;
  const id = index + 1;
  return {
    index,
    name,
    uuid,
    id,
    pid: FIRST_PID + index * PIDS_PER_GUEST,
    taps: [`vnet${index * 2}`, `vnet${index * 2 + 1}`],
    systemImage: `${images}/${name}-vda.qcow2`,
    baseImage: lasting?.baseImage ?? baseImage(images),
    dataImage: `${images}/${name}-vdb.raw`,
    scope: `/machine.slice/machine-qemu\\x2d${id}\\x2d${name.replaceAll('-', '\\x2d')}.scope`,
  };
}

export type LastingFacts = Pick<FakeGuest, 'name' | 'uuid' | 'baseImage'>;

/** The image system images lie on top of where nothing else is said. */
export function baseImage(images: string): string {
  return `${images}/debian-12-base.qcow2`;
}
