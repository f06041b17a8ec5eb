import { closeSync, mkdirSync, openSync, rmSync, utimesSync, writeSync } from 'node:fs';

import { fakeGuest, type FakeGuest, type LastingFacts } from '../support/fake-host/fake-guest.ts';
import type { FakeHost } from '../support/fake-host/fake-host.ts';
import {
  removeGuestImages,
  writeBaseImage,
  writeGuestImages,
} from '../support/fake-host/fake-images.ts';
import { lifecycleEvents, type DomainRef } from '../../src/libvirt/index.ts';
import type { Change, EventFact, GuestFact, PoolFact } from './daemon-state.ts';

/** virDomainEvent*DetailType, the ones of a start and an end. */
const BOOTED = 0;
const UNPAUSED = 0;
const FINISHED = 0;
const SHUT_DOWN = 0;
const DESTROYED = 1;

/** Pools besides the one the images lie in, and images guests share. */
const OTHER_POOLS = 5;
const BASE_IMAGES = 6;
const TICKS_PER_POOL = 20;
const TICKS_PER_BASE_IMAGE = 50;
const PAGE = 4096;
const MAX_PAGES = 64;

interface Inhabitant {
  readonly guest: FakeGuest;
  readonly persistent: boolean;
}

/**
 * Who lives on the host of a soak run. With each tick one guest goes and one comes, so that there are
 * always as many. Of five ticks, three end a transient guest and make a new one; one shuts a persistent
 * guest down and starts another that was off; one replaces a transient guest by one with its name.
 */
export class Population {
  readonly #host: FakeHost;
  readonly #permanent: readonly Inhabitant[];
  /** Those next to go first. */
  readonly #transient: Inhabitant[];
  readonly #persistent: Inhabitant[];
  readonly #off: Inhabitant[] = [];
  readonly #baseImages: string[];
  readonly #pools: PoolFact[] = [];
  /** When a name was last that of a running guest, by `performance.now()`. */
  readonly #goneAt = new Map<string, number>();
  #nextIndex: number;
  #nextPool = 1;
  #nextBaseImage = 1;
  #ticks = 0;

  /** Makes it of the guests a host starts with: a sixth stays, a sixth is persistent. */
  constructor(host: FakeHost) {
    this.#host = host;
    const sixth = Math.ceil(host.guests.length / 6);
    const inhabitants = host.guests.map((guest, i) => ({ guest, persistent: i < 2 * sixth }));
    this.#permanent = inhabitants.slice(0, sixth);
    this.#persistent = inhabitants.slice(sixth, 2 * sixth);
    this.#transient = inhabitants.slice(2 * sixth);
    this.#nextIndex = host.guests.length;
    this.#baseImages = host.guests.slice(0, 1).map(({ baseImage }) => baseImage);
    for (let i = 0; i < sixth; i += 1) {
      this.#off.push({ guest: this.#newGuest(), persistent: true });
    }
    this.#pools.push({ number: 0, name: 'default', path: host.images });
    for (let i = 0; i < OTHER_POOLS; i += 1) this.#addPool();
  }

  /** Guests that came since the start, which are as many as went. */
  get came(): number {
    return this.#ticks;
  }

  get running(): readonly FakeGuest[] {
    return this.#host.guests;
  }

  /** Names of those no guest, on or off, has had for so long. */
  isLongGone(name: string, forMs: number): boolean {
    const goneAt = this.#goneAt.get(name);
    return goneAt !== undefined && performance.now() - goneAt > forMs;
  }

  /** For a daemon that starts. */
  everything(): Change {
    return {
      guests: [
        ...[...this.#permanent, ...this.#persistent, ...this.#transient].map(running),
        ...this.#off.map(shutOff),
      ],
      gone: [],
      pools: this.#pools,
      events: [],
    };
  }

  /** One guest goes, one comes, and what else happens on a host. */
  tick(): Change {
    const kind = this.#ticks % 5;
    this.#ticks += 1;
    const change =
      kind === 3 ? this.#turnPersistent() : kind === 4 ? this.#sameName() : this.#turnTransient();
    if (this.#ticks % TICKS_PER_POOL === 0) this.#turnPool();
    if (this.#ticks % TICKS_PER_BASE_IMAGE === 0) this.#turnBaseImage();
    return { ...change, pools: this.#pools, events: [...change.events, ...this.#meanwhile()] };
  }

  #turnTransient(): Change {
    const { gone, events } = this.#endTransient();
    const guest = this.#newGuest();
    return this.#startTransient(guest, gone, events);
  }

  #sameName(): Change {
    const { gone, events, name } = this.#endTransient();
    const { uuid, baseImage } = fakeGuest(this.#nextIndex, this.#host.images);
    const guest = this.#newGuest({ name, uuid, baseImage: this.#baseImages.at(-1) ?? baseImage });
    return this.#startTransient(guest, gone, events);
  }

  #endTransient(): { gone: string[]; events: EventFact[]; name: string } {
    const [oldest] = this.#transient.splice(0, 1);
    if (oldest === undefined) throw new Error('no transient guest');
    const { guest } = oldest;
    this.#host.remove(guest);
    removeGuestImages(guest);
    this.#goneAt.set(guest.name, performance.now());
    const event = lifecycle(offRef(guest), lifecycleEvents.stopped, DESTROYED);
    return { gone: [guest.uuid], events: [event], name: guest.name };
  }

  #startTransient(guest: FakeGuest, gone: string[], events: EventFact[]): Change {
    const inhabitant = { guest, persistent: false };
    this.#host.add(guest);
    this.#transient.push(inhabitant);
    this.#goneAt.delete(guest.name);
    return {
      guests: [running(inhabitant)],
      gone,
      pools: [],
      events: [...events, ...startEvents(guest)],
    };
  }

  #turnPersistent(): Change {
    const [ending] = this.#persistent.splice(0, 1);
    const [starting] = this.#off.splice(0, 1);
    if (ending === undefined || starting === undefined) throw new Error('no persistent guest');
    this.#host.remove(ending.guest);
    this.#off.push(ending);
    const guest = fakeGuest(this.#takeIndex(), this.#host.images, starting.guest);
    const started = { guest, persistent: true };
    this.#host.add(guest);
    this.#persistent.push(started);
    return {
      guests: [shutOff(ending), running(started)],
      gone: [],
      pools: [],
      events: [
        lifecycle(onRef(ending.guest), lifecycleEvents.shutdown, FINISHED),
        lifecycle(offRef(ending.guest), lifecycleEvents.stopped, SHUT_DOWN),
        ...startEvents(guest),
      ],
    };
  }

  /** A guest writes, a balloon moves, a disk is plugged in and out. */
  #meanwhile(): readonly EventFact[] {
    const { running: guests } = this;
    const guest = guests[(this.#ticks * 7) % guests.length];
    if (guest === undefined) return [];
    const now = new Date();
    utimesSync(guest.systemImage, now, now);
    const data = openSync(guest.dataImage, 'r+');
    writeSync(data, Buffer.alloc(PAGE, 1), 0, PAGE, (this.#ticks % MAX_PAGES) * PAGE);
    closeSync(data);
    const domain = onRef(guest);
    switch (this.#ticks % 10) {
      case 0:
        return [{ type: 'balloonChange', domain, actualKib: 4_194_304n }];
      case 3:
        return [{ type: 'deviceAdded', domain, deviceAlias: 'virtio-disk2' }];
      case 6:
        return [{ type: 'deviceRemoved', domain, deviceAlias: 'virtio-disk2' }];
      default:
        return [];
    }
  }

  #turnPool(): void {
    for (const { path } of this.#pools.splice(1, 1)) rmSync(path, { recursive: true });
    this.#addPool();
  }

  #addPool(): void {
    const number = this.#nextPool;
    this.#nextPool += 1;
    const name = `scratch-${number}`;
    const path = `${this.#host.directory}/pools/${name}`;
    mkdirSync(path, { recursive: true });
    this.#pools.push({ number, name, path });
  }

  /** A new release of the image guests are made of; the first one is of those that stay. */
  #turnBaseImage(): void {
    const path = `${this.#host.images}/debian-12-${this.#nextBaseImage}.qcow2`;
    this.#nextBaseImage += 1;
    writeBaseImage(path);
    this.#baseImages.push(path);
    const used = new Set(
      [...this.running, ...this.#off.map(({ guest }) => guest)].map(({ baseImage }) => baseImage),
    );
    const [oldest] = this.#baseImages.slice(1);
    if (this.#baseImages.length <= BASE_IMAGES || oldest === undefined || used.has(oldest)) return;
    this.#baseImages.splice(1, 1);
    rmSync(oldest);
  }

  #newGuest(lasting?: LastingFacts): FakeGuest {
    const index = this.#takeIndex();
    const own = fakeGuest(index, this.#host.images);
    const { name, uuid } = own;
    const baseImage = this.#baseImages.at(-1) ?? own.baseImage;
    const guest = fakeGuest(index, this.#host.images, lasting ?? { name, uuid, baseImage });
    writeGuestImages(guest);
    return guest;
  }

  #takeIndex(): number {
    const index = this.#nextIndex;
    this.#nextIndex += 1;
    return index;
  }
}

function running({ guest, persistent }: Inhabitant): GuestFact {
  const { index, name, uuid, baseImage } = guest;
  return { index, name, uuid, baseImage, running: true, persistent };
}

function shutOff(inhabitant: Inhabitant): GuestFact {
  return { ...running(inhabitant), running: false };
}

function onRef({ name, uuid, id }: FakeGuest): DomainRef {
  return { name, uuid, id };
}

/** By the time a guest's end is told, it has no number any more. */
function offRef({ name, uuid }: FakeGuest): DomainRef {
  return { name, uuid, id: undefined };
}

/** In the order qemuProcessStart and its callers send them. */
function startEvents(guest: FakeGuest): readonly EventFact[] {
  return [
    lifecycle(onRef(guest), lifecycleEvents.resumed, UNPAUSED),
    lifecycle(onRef(guest), lifecycleEvents.started, BOOTED),
  ];
}

function lifecycle(domain: DomainRef, event: number, detail: number): EventFact {
  return { type: 'lifecycle', domain, event, detail };
}
