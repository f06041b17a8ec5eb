import { FAULTS, type Fault } from '../support/hang/faults.ts';
import type { Mix } from '../support/hang/guests.ts';
import { DAEMONS, rowName, type Row } from '../support/hang/row.ts';

/** How many of 60 guests hang. */
export const COUNTS = [1, 6, 10, 30, 60] as const;
export const MIXES: readonly Mix[] = ['mixed', 'started', 'paused'];

/** The cases that can be had, of which a run of 40 minutes has not all. */
export function allRows(guests: number): readonly Row[] {
  return MIXES.flatMap((mix) =>
    DAEMONS.flatMap((daemon) =>
      FAULTS.flatMap((fault) =>
        countsFor(guests).map((count) => ({ count, fault, mix, daemon, repeats: 1 })),
      ),
    ),
  );
}

/** Numbers of guests to hang, of so many. */
export function countsFor(guests: number): readonly number[] {
  return [...new Set([...COUNTS.filter((count) => count < guests), guests])];
}

/** Counts per fault on a fresh daemon with mixed guests: where a burst does most harm. */
const FRESH: Readonly<Record<Fault, readonly number[]>> = {
  stopped: [1, 6, 10, 30, 60],
  blocked: [1, 6, 10, 30, 60],
  storage: [6, 10, 30, 60],
  'vcpu traced': [6, 30],
  'vcpu frozen': [10, 60],
  'worker traced': [10, 60],
  'worker frozen': [6, 30],
  'iothread traced': [6],
  'iothread frozen': [30],
};

const WARM: Readonly<Partial<Record<Fault, readonly number[]>>> = {
  stopped: [1, 10, 60],
  blocked: [6, 30],
  storage: [10, 60],
  'vcpu frozen': [30],
  'worker traced': [30],
  'iothread traced': [60],
};

/** Counts repeated on a fresh daemon, where what goes wrong does so in half of the runs. */
const REPEATED = new Set([6, 10]);

/**
 * The cases of a usual run. All mixed guests are in every row; labs of one kind of guest have the two
 * faults that differ most.
 */
export function usualRows(guests: number, repeats: number): readonly Row[] {
  return allRows(guests).flatMap((row) => {
    const { count, fault, mix, daemon } = row;
    if (mix !== 'mixed') {
      const has =
        daemon === 'fresh' && count === 10 && (fault === 'stopped' || fault === 'blocked');
      return has ? [row] : [];
    }
    const counts = (daemon === 'fresh' ? FRESH : WARM)[fault] ?? [];
    // With fewer guests than 60, all of them stand for 60.
    if (!counts.includes(count) && !(count === guests && counts.includes(60))) return [];
    const isRepeated = daemon === 'fresh' && fault === 'stopped' && REPEATED.has(count);
    return [{ ...row, repeats: isRepeated ? repeats : 1 }];
  });
}

/** Rows whose names have all words of one of the patterns, e.g. `6 stopped fresh`. */
export function chooseRows(rows: readonly Row[], patterns: string): readonly Row[] {
  const wanted = patterns.split(',').map((pattern) => pattern.trim().split(/\s+/));
  return rows.filter((row) => {
    const words = rowName(row).split(' ');
    return wanted.some((pattern) => pattern.every((word) => words.includes(word)));
  });
}

/** What the full matrix has and a run had not, in few lines. */
export function leftOut(guests: number, rows: readonly Row[]): readonly string[] {
  const had = new Set(rows.map(rowName));
  const missing = allRows(guests).filter((row) => !had.has(rowName(row)));
  const byFault = Map.groupBy(missing, ({ fault, mix, daemon }) => `${mix} ${daemon} ${fault}`);
  const lines = [...byFault.values()].flatMap((some) => {
    const [first] = some;
    if (first === undefined) return [];
    const { mix, daemon, fault } = first;
    const counts = some.map(({ count }) => count).join(', ');
    return [{ key: `${mix} guests, ${daemon} daemon, ${counts} of ${guests}`, fault }];
  });
  return [...Map.groupBy(lines, ({ key }) => key)].map(
    ([key, some]) => `${key}: ${some.map(({ fault }) => fault).join(', ')}`,
  );
}
