import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  storageOvercommit,
  type StorageFilesystem,
  type StorageImage,
  type StorageThinPool,
} from '../../../src/overcommit/storage.ts';

const GB = 1_000_000_000;

/** A sparse raw image of 100 GB with nothing written, on filesystem `fs`. */
function image(id: string, more: Partial<StorageImage> = {}): StorageImage {
  return {
    id,
    kind: 'file',
    containerId: 'fs',
    allocatedBytes: 0,
    worstCaseBytes: 100 * GB,
    snapshotsWorstCaseBytes: 0,
    writable: true,
    guests: [`guest of ${id}`],
    ...more,
  };
}

function filesystem(more: Partial<StorageFilesystem> = {}): StorageFilesystem {
  return {
    id: 'fs',
    mountpoint: '/images',
    sizeBytes: 1000 * GB,
    availBytes: 900 * GB,
    sharedExtents: false,
    ...more,
  };
}

function thinPool(more: Partial<StorageThinPool> = {}): StorageThinPool {
  return {
    id: 'pool',
    name: 'vg/pool',
    sizeBytes: 100 * GB,
    usedBytes: 95 * GB,
    ...more,
  };
}

describe('storage promise on a filesystem', () => {
  it('comes to 3.2:1 for 32 disks of 100 GB on 1 TB', () => {
    const images = Array.from({ length: 32 }, (_, index) => image(`disk${index}`));
    const [container] = storageOvercommit(images, [filesystem()], []).containers;
    expect(container).toMatchObject({
      images: 32,
      promisedBytes: 3200 * GB,
      allocatedBytes: 0,
      claimableBytes: 3200 * GB,
      shortfallBytes: 2300 * GB,
    });
    expect((container?.promisedBytes ?? 0) / (container?.sizeBytes ?? 0)).toBe(3.2);
  });

  it('is zero on a filesystem without images', () => {
    const { containers, host } = storageOvercommit([], [filesystem()], []);
    expect(containers).toMatchObject([{ images: 0, promisedBytes: 0, shortfallBytes: -900 * GB }]);
    expect(host).toMatchObject({ images: 0, shortfallBytes: 0 });
  });

  describe('of a qcow2 of 100 GB, 101 GB with metadata, with internal snapshots', () => {
    const promiseWith = (snapshots: number, occupiedGb: number) =>
      storageOvercommit(
        [
          image('qcow2', {
            worstCaseBytes: 101 * GB,
            snapshotsWorstCaseBytes: snapshots * 100 * GB,
            allocatedBytes: occupiedGb * GB,
          }),
        ],
        [filesystem()],
        [],
      ).containers[0];

    it('is the disk written once more beside what snapshots can pin of what is there', () => {
      for (const snapshots of [1, 10]) {
        expect(promiseWith(snapshots, 60)).toMatchObject({
          promisedBytes: 161 * GB,
          claimableBytes: 101 * GB,
        });
      }
    });

    it('is no more than a whole disk for each state, however much leaked clusters have allocated', () => {
      expect(promiseWith(1, 150)).toMatchObject({
        promisedBytes: 201 * GB,
        claimableBytes: 51 * GB,
      });
    });

    it('is the worst case alone without snapshots', () => {
      expect(promiseWith(0, 60)).toMatchObject({
        promisedBytes: 101 * GB,
        claimableBytes: 41 * GB,
      });
    });
  });

  it('owes nothing for an image that has outgrown its computed worst case', () => {
    const [container] = storageOvercommit(
      [image('over', { allocatedBytes: 102 * GB }), image('under', { allocatedBytes: 99 * GB })],
      [filesystem()],
      [],
    ).containers;
    expect(container?.claimableBytes).toBe(GB);
  });

  it('passes on that shared extents make the sums uncertain', () => {
    const [container] = storageOvercommit([], [filesystem({ sharedExtents: true })], []).containers;
    expect(container?.sharedExtents).toBe(true);
  });
});

describe('backing files and images used more than once', () => {
  it('promise only what bases have allocated in a chain of four', () => {
    const guests = ['web'];
    const base = { writable: false, guests };
    const { containers, guests: parts } = storageOvercommit(
      [
        image('leaf', { allocatedBytes: 10 * GB, guests }),
        image('base3', { ...base, allocatedBytes: 5 * GB }),
        image('base2', { ...base, allocatedBytes: 6 * GB }),
        image('base1', { ...base, allocatedBytes: 7 * GB }),
      ],
      [filesystem()],
      [],
    );
    const sums = {
      images: 4,
      imagesUnknown: 0,
      promisedBytes: 118 * GB,
      allocatedBytes: 28 * GB,
      claimableBytes: 90 * GB,
    };
    expect(containers[0]).toMatchObject(sums);
    expect(parts).toEqual([{ guest: 'web', place: 'container', containerId: 'fs', ...sums }]);
  });

  it('count a base of two guests once, and charge each guest half', () => {
    const { containers, guests } = storageOvercommit(
      [
        image('leaf1', { allocatedBytes: GB, guests: ['one'] }),
        image('base', { allocatedBytes: 40 * GB, writable: false, guests: ['one'] }),
        image('leaf2', { allocatedBytes: GB, guests: ['two'] }),
        image('base', { allocatedBytes: 40 * GB, writable: false, guests: ['two'] }),
      ],
      [filesystem()],
      [],
    );
    expect(containers[0]).toMatchObject({ images: 3, promisedBytes: 240 * GB });
    expect(guests.map((part) => [part.guest, part.promisedBytes])).toEqual([
      ['one', 120 * GB],
      ['two', 120 * GB],
    ]);
  });

  it('count an image attached to two guests once', () => {
    const { containers, guests } = storageOvercommit(
      [image('shared', { guests: ['one'] }), image('shared', { guests: ['two'] })],
      [filesystem()],
      [],
    );
    expect(containers[0]).toMatchObject({ images: 1, claimableBytes: 100 * GB });
    expect(guests.map((part) => part.claimableBytes)).toEqual([50 * GB, 50 * GB]);
  });

  it('count an image attached twice to one guest once', () => {
    const { guests } = storageOvercommit(
      [image('twice', { guests: ['one'] }), image('twice', { guests: ['one'] })],
      [filesystem()],
      [],
    );
    expect(guests).toMatchObject([{ images: 1, claimableBytes: 100 * GB }]);
  });

  it('treat an image as growing if one guest writes to what another has as its base', () => {
    const base = image('both', { writable: false, guests: ['reader'] });
    const leaf = image('both', { writable: true, guests: ['writer'] });
    for (const mentions of [
      [base, leaf],
      [leaf, base],
    ]) {
      expect(storageOvercommit(mentions, [filesystem()], []).host.claimableBytes).toBe(100 * GB);
    }
  });
});

describe('images that are not files on a known filesystem', () => {
  it('are set apart when their filesystem has vanished', () => {
    const result = storageOvercommit(
      [image('lost', { containerId: 'gone', allocatedBytes: undefined }), image('here')],
      [filesystem()],
      [],
    );
    expect(result.containers[0]?.images).toBe(1);
    expect(result.unplaced).toEqual({
      images: 1,
      imagesUnknown: 1,
      promisedBytes: 100 * GB,
      allocatedBytes: 0,
      claimableBytes: 0,
    });
    expect(result.guests.map((part) => [part.place, part.containerId])).toEqual([
      ['unplaced', undefined],
      ['container', 'fs'],
    ]);
  });

  it('cannot grow on a thick block device', () => {
    const result = storageOvercommit(
      [image('lv', { kind: 'thick', containerId: undefined, allocatedBytes: 100 * GB })],
      [filesystem()],
      [],
    );
    expect(result.thick).toMatchObject({ images: 1, promisedBytes: 100 * GB, claimableBytes: 0 });
    expect(result.containers[0]?.images).toBe(0);
    expect(result.host.promisedBytes).toBe(100 * GB);
  });

  it('owe nothing on a thick device even where less has been written than it holds', () => {
    const result = storageOvercommit(
      [image('lv', { kind: 'thick', containerId: undefined, worstCaseBytes: 120 * GB })],
      [],
      [],
    );
    expect(result.thick.claimableBytes).toBe(0);
  });

  it('are no part of this host when remote', () => {
    const result = storageOvercommit(
      [image('rbd:pool/vm', { kind: 'remote', containerId: undefined })],
      [],
      [],
    );
    expect(result.remote.images).toBe(1);
    expect(result.host).toMatchObject({ images: 0, promisedBytes: 0 });
  });
});

describe('a thin pool', () => {
  const volumes = [25, 25, 25, 20].map((used, index) =>
    image(`lv${index}`, {
      kind: 'thin',
      containerId: 'pool',
      worstCaseBytes: 50 * GB,
      allocatedBytes: used * GB,
    }),
  );

  it('at 95 % owes its volumes far more than the rest of it', () => {
    const [container] = storageOvercommit(volumes, [], [thinPool()]).containers;
    expect(container).toMatchObject({
      kind: 'thin pool',
      name: 'vg/pool',
      promisedBytes: 200 * GB,
      allocatedBytes: 95 * GB,
      claimableBytes: 105 * GB,
      availBytes: 5 * GB,
      shortfallBytes: 100 * GB,
    });
  });
});

describe('what is not known about storage', () => {
  it('is counted, and sums are over the rest', () => {
    const [container] = storageOvercommit(
      [
        image('known', { allocatedBytes: 10 * GB }),
        image('no size', { allocatedBytes: undefined }),
        image('no worst case', { worstCaseBytes: undefined, allocatedBytes: 5 * GB }),
      ],
      [filesystem()],
      [],
    ).containers;
    expect(container).toMatchObject({
      images: 3,
      imagesUnknown: 2,
      promisedBytes: 200 * GB,
      allocatedBytes: 15 * GB,
      claimableBytes: 90 * GB,
    });
  });

  it('leaves a mount that does not answer without a shortfall', () => {
    const [container] = storageOvercommit(
      [image('on nfs')],
      [filesystem({ sizeBytes: undefined, availBytes: undefined })],
      [],
    ).containers;
    expect(container).toMatchObject({ claimableBytes: 100 * GB });
    expect(container?.shortfallBytes).toBeUndefined();
  });

  it('does not need the worst case of a read-only base', () => {
    const { host } = storageOvercommit(
      [image('base', { writable: false, worstCaseBytes: undefined, allocatedBytes: GB })],
      [filesystem()],
      [],
    );
    expect(host.imagesUnknown).toBe(0);
  });
});

describe('storage figures of any host', () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 40 });
  const maybe = fc.option(bytes, { nil: undefined });
  const images = fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      kind: fc.constantFrom('file' as const, 'thin' as const, 'thick' as const, 'remote' as const),
      containerId: fc.constantFrom('fs', 'pool', 'gone', undefined),
      allocatedBytes: maybe,
      worstCaseBytes: maybe,
      snapshotsWorstCaseBytes: bytes,
      writable: fc.boolean(),
      guests: fc.array(fc.constantFrom('one', 'two', 'three'), { minLength: 1, maxLength: 3 }),
    }),
    { maxLength: 8 },
  );

  it('add up: guests to places, places to the host', () => {
    fc.assert(
      fc.property(images, (list) => {
        const result = storageOvercommit(list, [filesystem()], [thinPool()]);
        const { containers, thick, unplaced, remote, guests, host } = result;
        const places = [...containers, thick, unplaced];
        const sum = (some: readonly { readonly claimableBytes: number }[]): number =>
          some.reduce((total, one) => total + one.claimableBytes, 0);
        expect(sum(places)).toBe(host.claimableBytes);
        expect(sum(guests)).toBeCloseTo(host.claimableBytes + remote.claimableBytes, 0);
        expect(host.images + remote.images).toBe(new Set(list.map((one) => one.id)).size);
      }),
    );
  });

  it('are finite', () => {
    fc.assert(
      fc.property(images, (list) => {
        const result = storageOvercommit(list, [filesystem()], [thinPool()]);
        expect(JSON.stringify(result)).not.toContain('null');
      }),
    );
  });
});
