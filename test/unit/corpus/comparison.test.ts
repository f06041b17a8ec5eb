import { describe, expect, it } from 'vitest';

import { unexplained } from '../../corpus/report.ts';
import { compare } from '../../corpus/second-reading.ts';

describe('two readings side by side', () => {
  it('are the same where each value is', () => {
    const reading = { name: 'a', cpus: [0, 1], disks: [{ target: 'vda', readOnly: false }] };
    expect(compare(reading, { ...reading, nova: undefined })).toEqual({
      values: 4,
      differences: [],
    });
  });

  it('differ by a value that is another', () => {
    expect(compare({ memory: { bytes: 1024 } }, { memory: { bytes: 1000 } }).differences).toEqual([
      'memory.bytes: 1024, 1000',
    ]);
  });

  it('differ by a value that only one has', () => {
    expect(compare({ a: 0 }, {}).differences).toEqual(['a: 0, nothing']);
    expect(compare({}, { a: false }).differences).toEqual(['a: nothing, false']);
  });

  it('differ by a number and the same as text', () => {
    expect(compare({ port: 1 }, { port: '1' }).differences).toEqual(['port: 1, "1"']);
  });

  it('differ by a list that is empty and one that is not there: huge pages of the default size', () => {
    expect(compare({ hugepages: [] }, {}).differences).toEqual(['hugepages: [], nothing']);
  });

  it('differ by the members of a list and by their order', () => {
    expect(compare({ cpus: [0, 1] }, { cpus: [1, 0] }).differences).toHaveLength(1);
    expect(compare({ chain: [{ path: '/a' }] }, { chain: [] }).differences).toEqual([
      'chain[0].path: "/a", nothing',
      'chain: nothing, []',
    ]);
  });

  it('may have their disks in another order, which libvirt changes', () => {
    const disks = [{ target: 'vda' }, { target: 'hda' }];
    expect(compare({ disks }, { disks: disks.toReversed() }).differences).toEqual([]);
  });

  it('do not differ by the words of a complaint', () => {
    expect(compare({ faults: ['<memory>: not a number'] }, {}).differences).toEqual([]);
  });
});

describe('a difference', () => {
  const explanation = { file: /^a\.xml$/, text: /^memory: /, why: 'it is so' };

  it('is left over where nothing explains it', () => {
    const differences = [
      { file: 'a.xml', text: 'vcpu: 1, 2' },
      { file: 'b.xml', text: 'memory: 1, 2' },
    ];
    expect(unexplained(differences, [explanation])).toEqual({ differences, unused: [explanation] });
  });

  it('is not where its file and place are explained', () => {
    const differences = [{ file: 'a.xml', text: 'memory: 1, 2' }];
    expect(unexplained(differences, [explanation])).toEqual({ differences: [], unused: [] });
  });
});
