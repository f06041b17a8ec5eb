import type { EncodableStatsRecord, TypedParam } from '../../../src/libvirt/index.ts';

const ullong = (field: string, value: bigint): TypedParam => ({ field, type: 'ullong', value });
const uint = (field: string, value: number): TypedParam => ({ field, type: 'uint', value });
const int = (field: string, value: number): TypedParam => ({ field, type: 'int', value });
const text = (field: string, value: string): TypedParam => ({ field, type: 'string', value });

/**
 * A running guest with 4 vCPUs, 2 disks and 2 interfaces as libvirt 9.0 reports it: 92 values.
 * Numbers depend on `index` so that no two guests are alike.
 */
export function busyGuest(index: number): EncodableStatsRecord {
  const counter = BigInt(index + 1);
  const params: TypedParam[] = [
    int('state.state', 1),
    int('state.reason', 1),
    ullong('cpu.time', 123_456_789_012_345n + counter),
    ullong('cpu.user', 23_456_789_012_345n),
    ullong('cpu.system', 3_456_789_012_345n),
    ullong('cpu.haltpoll.success.time', 456_789_012n),
    ullong('cpu.haltpoll.fail.time', 56_789_012n),
    text('cpu.cache.monitor.count', '0'),
    ...BALLOON.map((name) => ullong(`balloon.${name}`, 4_194_304n + counter)),
    uint('vcpu.current', 4),
    uint('vcpu.maximum', 4),
  ];
  for (let vcpu = 0; vcpu < 4; vcpu++) {
    params.push(
      int(`vcpu.${vcpu}.state`, 1),
      ullong(`vcpu.${vcpu}.time`, 98_765_432_100n + counter),
      ullong(`vcpu.${vcpu}.wait`, 0n),
      ullong(`vcpu.${vcpu}.delay`, 765_432_100n),
      { field: `vcpu.${vcpu}.halted`, type: 'boolean', value: false },
    );
  }
  params.push(uint('net.count', 2));
  for (let nic = 0; nic < 2; nic++) {
    params.push(text(`net.${nic}.name`, `vnet${index * 2 + nic}`));
    for (const name of NET) params.push(ullong(`net.${nic}.${name}`, 1_234_567n * counter));
  }
  params.push(uint('block.count', 2));
  for (const [disk, name] of ['vda', 'vdb'].entries()) {
    params.push(
      text(`block.${disk}.name`, name),
      text(`block.${disk}.path`, `/var/lib/libvirt/images/guest-${index}-${name}.qcow2`),
      uint(`block.${disk}.backingIndex`, 1),
    );
    for (const field of BLOCK) params.push(ullong(`block.${disk}.${field}`, 7_654_321n * counter));
  }
  return {
    domain: {
      name: `guest-${index}`,
      uuid: `6695eb01-f6a4-4304-99aa-${index.toString(16).padStart(12, '0')}`,
      id: index + 1,
    },
    params,
  };
}

const BALLOON = [
  'current',
  'maximum',
  'swap_in',
  'swap_out',
  'major_fault',
  'minor_fault',
  'unused',
  'available',
  'usable',
  'last-update',
  'disk_caches',
  'hugetlb_pgalloc',
  'hugetlb_pgfail',
  'rss',
];

const NET = ['bytes', 'pkts', 'errs', 'drop'].flatMap((name) => [`rx.${name}`, `tx.${name}`]);

const BLOCK = [
  'rd.reqs',
  'rd.bytes',
  'rd.times',
  'wr.reqs',
  'wr.bytes',
  'wr.times',
  'fl.reqs',
  'fl.times',
  'allocation',
  'capacity',
  'physical',
];
