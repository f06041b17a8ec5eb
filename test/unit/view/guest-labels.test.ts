import { describe, expect, it } from 'vitest';

import { GuestLabelCache, GuestLabels } from '../../../src/view/guest-labels.ts';

const NAMES = ['device', 'bus'];

describe('labels of a part of a guest’s configuration', () => {
  it('are rendered once in the life of the part', () => {
    const labels = new GuestLabels('web');
    const disk = {};
    expect(labels.ofPart(disk, 'vda', NAMES, () => ['virtio'])).toBe(
      '{domain="web",device="vda",bus="virtio"}',
    );
    expect(labels.ofPart(disk, 'vda', NAMES, () => expect.fail('rendered again'))).toBe(
      '{domain="web",device="vda",bus="virtio"}',
    );
  });

  it('are others for another part, as after a change of the XML', () => {
    const labels = new GuestLabels('web');
    labels.ofPart({}, 'vda', NAMES, () => ['virtio']);
    expect(labels.ofPart({}, 'vda', NAMES, () => ['scsi'])).toContain('bus="scsi"');
  });

  it('are others when the device has another name', () => {
    const labels = new GuestLabels('web');
    const nic = {};
    labels.ofPart(nic, 'vnet0', NAMES, () => ['virtio']);
    expect(labels.ofPart(nic, 'vnet7', NAMES, () => ['virtio'])).toContain('device="vnet7"');
  });

  it('are others when the guest has another name', () => {
    const cache = new GuestLabelCache();
    const disk = {};
    const textOf = (name: string): string | undefined =>
      cache
        .forGuests([{ uuid: '1', name }])
        .get('1')
        ?.ofPart(disk, 'vda', NAMES, () => ['virtio']);
    textOf('web');
    expect(textOf('shop')).toBe('{domain="shop",device="vda",bus="virtio"}');
  });
});
