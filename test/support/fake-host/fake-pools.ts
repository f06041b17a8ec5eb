import type { StoragePoolInfo } from '../../../src/libvirt/index.ts';

export interface FakePool {
  readonly name: string;
  readonly uuid: string;
  readonly info: StoragePoolInfo;
  readonly xml: string;
}

/** The storage pools of the made-up host: where the images lie, and two more. */
export function fakePools(images: string): readonly FakePool[] {
  return [
    fakePool(1, 'default', 'dir', images),
    fakePool(2, 'iso', 'dir', '/srv/iso'),
    fakePool(3, 'vg0', 'logical', '/dev/vg0'),
  ];
}

const TEBIBYTE = 2n ** 40n;

/** A pool of 8 TiB; `number` makes its uuid. */
export function fakePool(number: number, name: string, type: string, path: string): FakePool {
  const uuid = `9f0e1d2c-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  const info = {
    state: 2,
    capacityBytes: 8n * TEBIBYTE,
    allocationBytes: 3n * TEBIBYTE,
    availableBytes: 5n * TEBIBYTE,
  };
  return {
    name,
    uuid,
    info,
    xml: `<pool type='${type}'>
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <capacity unit='bytes'>${info.capacityBytes}</capacity>
  <allocation unit='bytes'>${info.allocationBytes}</allocation>
  <available unit='bytes'>${info.availableBytes}</available>
  <source>
    <name>${name}</name>
  </source>
  <target>
    <path>${path}</path>
  </target>
</pool>
`,
  };
}
