import { describe, expect, it } from 'vitest';

import { diskLimit, type IoLimit } from '../../../../src/overcommit/storage/disk-limits.ts';
import { config } from '../assess-fixture.ts';

/** A guest as libvirt 11.1 writes it: named groups, and disks that go through some of them. */
const GROUPS = `<throttlegroups>
  <throttlegroup>
    <group_name>tenant</group_name>
    <total_bytes_sec>100000000</total_bytes_sec><total_iops_sec>900</total_iops_sec>
  </throttlegroup>
  <throttlegroup>
    <group_name>small</group_name>
    <total_bytes_sec>10000000</total_bytes_sec><total_bytes_sec_max>40000000</total_bytes_sec_max>
    <read_iops_sec>400</read_iops_sec>
  </throttlegroup>
  <throttlegroup>
    <group_name>unused</group_name><total_bytes_sec>1</total_bytes_sec>
  </throttlegroup>
</throttlegroups>`;

function disk(target: string, content: string): string {
  return `<disk type='file' device='disk'><source file='/v/${target}.qcow2'/>
    <target dev='${target}' bus='virtio'/>${content}</disk>`;
}

function filters(...groups: string[]): string {
  const all = groups.map((group) => `<throttlefilter group='${group}'/>`);
  return `<throttlefilters>${all.join('')}</throttlefilters>`;
}

const GUEST = config('web', {
  elements: GROUPS,
  devices: [
    disk('vda', filters('tenant')),
    disk('vdb', filters('tenant', 'small')),
    disk('vdc', '<iotune><total_bytes_sec>5000000</total_bytes_sec></iotune>'),
    disk('vdd', ''),
    disk('vde', '<iotune><read_iops_sec>7</read_iops_sec><group_name>old</group_name></iotune>'),
    disk('vdf', '<iotune><read_iops_sec>7</read_iops_sec><group_name>old</group_name></iotune>'),
  ].join(''),
});

function limitOf(target: string, limit: IoLimit) {
  const found = GUEST.disks.find((one) => one.target === target);
  if (found === undefined) throw new Error(`no disk ${target}`);
  return diskLimit(found, GUEST, limit);
}

describe('the limit of a disk', () => {
  it('is that of its group, which other disks share', () => {
    expect(limitOf('vda', 'totalBytesPerSecond')).toEqual({ value: 1e8, sharedGroup: 'tenant' });
  });

  it('is the lowest of its groups, each direction by itself', () => {
    expect(limitOf('vdb', 'totalBytesPerSecond')).toEqual({ value: 1e7, sharedGroup: undefined });
    expect(limitOf('vdb', 'totalRequestsPerSecond')).toEqual({ value: 900, sharedGroup: 'tenant' });
    expect(limitOf('vdb', 'readRequestsPerSecond')).toEqual({ value: 400, sharedGroup: undefined });
  });

  it('for a while is not above a group that allows no more for a while', () => {
    expect(limitOf('vdb', 'totalBytesPerSecondMax')).toEqual({
      value: 4e7,
      sharedGroup: undefined,
    });
    expect(limitOf('vda', 'totalBytesPerSecondMax')).toBeUndefined();
  });

  it('is its own without groups, and none without either', () => {
    expect(limitOf('vdc', 'totalBytesPerSecond')).toEqual({ value: 5e6, sharedGroup: undefined });
    expect(limitOf('vdd', 'totalBytesPerSecond')).toBeUndefined();
  });

  it('is shared with disks that name the same group in their <iotune>', () => {
    expect(limitOf('vde', 'readRequestsPerSecond')).toEqual({ value: 7, sharedGroup: 'old' });
  });
});
