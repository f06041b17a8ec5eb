import { textFormat } from '../../src/exposition/format.ts';
import type { Pick } from '../support/libvirt/damage.ts';
import {
  archiveGuest,
  exampleSnapshot,
  exampleView,
  expositionOf,
  farGuest,
  hostileGuest,
  webGuest,
} from '../support/metrics/example-snapshot.ts';
import { simple, type Target } from './target.ts';

/** Whatever the readers may give: any number of 64 bits, in any place. */
const NUMBERS = [0, 0, 1, 2, 3, 4096, 65_537, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64];
const BIGINTS = [0n, 0n, 1n, 4096n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];

/** The arithmetic, the writers and the format, on a host whose numbers are any numbers. */
export const exposition: Target = {
  name: 'exposition',
  share: 0.1,
  open() {
    return simple(async (pick) => {
      const guests = [webGuest, hostileGuest, archiveGuest, farGuest];
      const snapshot = exampleSnapshot({ domains: [(guests[pick(guests.length)] ?? webGuest)()] });
      const places: Place[] = [];
      for (const [key, part] of Object.entries(snapshot)) {
        if (key !== 'outcomes' && key !== 'takenAtSeconds') numbersIn(part, key, places);
      }
      const changes = pick(3) === 0 ? places.length / 2 : 1 + pick(12);
      for (let i = 0; i < changes; i += 1) change(places[pick(places.length)], pick);
      const text = await expositionOf(exampleView(snapshot), textFormat);
      const types = new Map<string, string>();
      let samples = 0;
      for (const line of text.split('\n')) {
        if (line === '') continue;
        if (line.startsWith('# TYPE ')) {
          const [, , name = '', type = ''] = line.split(' ');
          types.set(name, type);
        }
        if (line.startsWith('#')) continue;
        samples += 1;
        const value = line.slice(line.lastIndexOf(' ') + 1);
        const name = /^\w+/.exec(line)?.[0] ?? '';
        if (!/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.test(value)) throw new Error(line);
        if (value.startsWith('-') && types.get(name) === 'counter') throw new Error(line);
      }
      return samples < USUAL_SAMPLES ? 'refusal' : 'value';
    });
  },
};

/** Of the smallest of the guests. Fewer are there where a quotient has no meaning. */
const USUAL_SAMPLES = 508;

interface Place {
  readonly holder: object;
  readonly key: string;
  readonly is: 'number' | 'bigint';
}

/** How long a list is, and which CPU or node something is: the parsers bound these. */
const BOUNDED =
  /^(?:cpus?|node|nodes|pid|tid|index|siblings|package|vcpu|number|hostNodes|threadsPerCpu)$/;

function numbersIn(value: unknown, name: string, places: Place[]): void {
  if (typeof value !== 'object' || value === null || BOUNDED.test(name)) return;
  if (value instanceof Map) {
    for (const [key, one] of value) numbersIn(one, String(key), places);
    return;
  }
  for (const [key, one] of Object.entries(value)) {
    if (BOUNDED.test(key)) continue;
    if (typeof one === 'number' || typeof one === 'bigint') {
      const is = typeof one === 'number' ? 'number' : 'bigint';
      places.push({ holder: value, key, is });
    } else {
      numbersIn(one, key, places);
    }
  }
}

function change(place: Place | undefined, pick: Pick): void {
  if (place === undefined) return;
  const [number, bigint] = [NUMBERS[pick(NUMBERS.length)], BIGINTS[pick(BIGINTS.length)]];
  Reflect.set(place.holder, place.key, place.is === 'number' ? number : bigint);
}
