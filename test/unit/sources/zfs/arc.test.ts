import { describe, expect, it } from 'vitest';

import { parseArcStats, readZfsArc } from '../../../../src/sources/zfs/arc.ts';
import { failureOf, NOWHERE, valueIn } from '../../../support/sources/kernel-fixtures.ts';

const GIB = 2 ** 30;
const PATH = '/proc/spl/kstat/zfs/arcstats';

/** As OpenZFS 2.2 prints it, of a host of 251 GiB whose cache may take half of it. */
const ARCSTATS = `9 1 0x01 147 39984 5219187045 1022352301421812
name                            type data
hits                            4    91837465021
misses                          4    183746501
evict_skip                      4    3482
c                               4    134969966592
c_min                           4    8435622912
c_max                           4    134969966592
size                            4    130996502528
compressed_size                 4    121332121600
mru_size                        4    61203283968
mru_evictable_data              4    48318382080
mru_evictable_metadata          4    1073741824
mfu_size                        4    66571993088
mfu_evictable_data              4    53687091200
mfu_evictable_metadata          4    2147483648
memory_all_bytes                4    269939933184
memory_available_bytes          3    -1207959552
arc_need_free                   4    0
`;

describe('the cache of ZFS', () => {
  it('has a size, limits, and a part that can be given up', () => {
    expect(valueIn(parseArcStats(ARCSTATS, PATH))).toEqual({
      sizeBytes: 130_996_502_528,
      minimumBytes: 8_435_622_912,
      maximumBytes: 134_969_966_592,
      reclaimableBytes: 45 * GIB + 1 * GIB + 50 * GIB + 2 * GIB,
    });
  });

  it('gives up no more than what it is larger than its minimum', () => {
    const small = ARCSTATS.replace(/^(size\s+4\s+)\d+/m, `$1${8_435_622_912 + GIB}`);
    expect(valueIn(parseArcStats(small, PATH)).reclaimableBytes).toBe(GIB);
    const smaller = ARCSTATS.replace(/^(size\s+4\s+)\d+/m, '$11000000');
    expect(valueIn(parseArcStats(smaller, PATH)).reclaimableBytes).toBe(0);
  });

  it('does not say what can be given up before ZFS 0.7, and that is not 0', () => {
    const old = ARCSTATS.replaceAll('_evictable_', '_evict_');
    expect(valueIn(parseArcStats(old, PATH)).reclaimableBytes).toBeUndefined();
  });

  it('is no cache where the file was cut off, or is another', () => {
    const cut = ARCSTATS.slice(0, ARCSTATS.indexOf('size '));
    expect(failureOf(parseArcStats(cut, PATH))).toBe('malformed');
    expect(failureOf(parseArcStats('MemTotal: 3 kB\n', PATH))).toBe('malformed');
    const impossible = ARCSTATS.replace(/^(c_max\s+4\s+)\d+/m, '$1-1');
    expect(failureOf(parseArcStats(impossible, PATH))).toBe('malformed');
  });

  it('is absent on a host without ZFS', () => {
    expect(failureOf(readZfsArc(NOWHERE))).toBe('absent');
  });
});
