import { describe, expect, it } from 'vitest';

import { pageFacts } from '../../../../src/page/facts/page-facts.ts';
import { columnsOf, fit, wrap } from '../../../../src/page/text/columns.ts';
import { reportText } from '../../../../src/page/text/report-text.ts';
import { RecentCounters } from '../../../../src/risk/recent-counters.ts';
import {
  exampleView,
  NOTHING_RECENT,
  unknownSnapshot,
} from '../../../support/metrics/example-snapshot.ts';
import { A, B, smallHost } from '../small-host.ts';

/** At the second look; `a` waits, and both have names as they come. */
function report(width: number, names: readonly [string, string] = ['a', 'b']): string {
  const recent = new RecentCounters();
  recent.add(
    smallHost({
      seconds: 0,
      guests: [
        { ...A, name: names[0] },
        { ...B, name: names[1] },
      ],
    }),
  );
  const snapshot = smallHost({
    seconds: 10,
    host: { cpuWaitingSeconds: 9 },
    guests: [
      { ...A, name: names[0], delaySeconds: 9, cpuSeconds: 5 },
      { ...B, name: names[1] },
    ],
  });
  return reportText(pageFacts(exampleView(snapshot), recent.before(snapshot)), width);
}

describe('the report for a terminal', () => {
  it('says of each resource its risk and what happens now before what could', () => {
    const lines = report(80).split('\n');
    const cpu = lines.findIndex((line) => line.startsWith('CPU: '));
    expect(lines.slice(cpu, cpu + 2)).toEqual([
      'CPU: critical risk; 1.5 : 1 (6 vCPUs promised, capacity 4 CPUs)',
      '  vCPUs were ready to run but waited 15 % of the time: all guests are slow.',
    ]);
    expect(lines).toContain('Needs attention now');
  });

  it.each([80, 120, 160])('fits %d columns', (width) => {
    const long = 'x'.repeat(300);
    for (const text of [report(width), report(width, [long, '名前'.repeat(60)])]) {
      expect(text.split('\n').filter((line) => columnsOf(line) > width)).toEqual([]);
    }
  });

  it('has the guest that waits first, with the numbers there is room for', () => {
    const tableOf = (width: number) => report(width).split('\n').slice(-4);
    expect(tableOf(80)[0]).not.toContain('Claimable');
    expect(tableOf(160)[0]).toContain('Claimable');
    expect(tableOf(80)[1]).toMatch(/^a +running, waits 90 % +0\.5 +90 %$/);
  });

  it('holds nothing a terminal obeys, whatever guests are called', () => {
    const text = report(80, ['\u001b[2J\u0007', 'a\u202eb\nc']);
    expect(text).toContain('\\u{1b}[2J\\u{7}');
    // eslint-disable-next-line no-control-regex -- that is what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('can be made of a host of which nothing is known', () => {
    const text = reportText(pageFacts(exampleView(unknownSnapshot()), NOTHING_RECENT), 80);
    expect(text).toContain('No connection to libvirt');
    expect(text).toContain('CPU: risk unknown; promised: unknown');
    expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });
});

describe('columns', () => {
  it('count what a terminal shows', () => {
    expect(columnsOf('abc')).toBe(3);
    expect(columnsOf('名前')).toBe(4);
    expect(columnsOf('e\u0301')).toBe(1);
  });

  it('are filled or cut', () => {
    expect(fit('ab', 4)).toBe('ab  ');
    expect(fit('ab', 4, 'right')).toBe('  ab');
    expect(fit('abcde', 4)).toBe('abc…');
    expect(fit('名前名', 4)).toBe('名… ');
  });

  it('are wrapped between words, and in a word that is longer than a line', () => {
    expect(wrap('  one two three', 9, '    ')).toEqual(['  one two', '    three']);
    expect(wrap('abcdefghij', 5, ' ')).toEqual(['abcd', ' efgh', ' ij']);
  });
});
