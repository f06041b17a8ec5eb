import { CATALOGUE } from '../../src/metrics/catalogue.ts';
import { policySeries } from '../tool/policy-series.ts';
import type { RuleTest } from '../tool/test-file.ts';

/** A value at a time in seconds; undefined where the exporter would publish none. */
export type At = (seconds: number) => number | undefined;
export type Labels = Readonly<Record<string, string>>;

interface MadeSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly value: (interval: number, samples: number) => string;
}

/** What Prometheus adds; all else must be in the catalogue. */
const OF_PROMETHEUS = new Set(['up', 'scrape_duration_seconds']);

const GAUGES = new Map(CATALOGUE.map((family) => [family.name, family]));

/**
 * A host that is made up, as its exporter would publish it: every series is one of the catalogue,
 * with just the labels of its family.
 */
export class MadeUpHost {
  readonly instance: string;
  readonly #target: Labels;
  readonly #series = new Map<string, MadeSeries>();

  /** @param target labels of the target besides `job` and `instance`. */
  constructor(instance: string, target: Labels = {}) {
    this.instance = instance;
    this.#target = { job: 'kvm', instance, ...target };
  }

  gauge(name: string, value: number | At, labels: Labels = {}): this {
    return this.#set(name, labels, (interval, samples) =>
      typeof value === 'number'
        ? `${value}+0x${samples}`
        : listed(samples, (index) => value(index * interval)),
    );
  }

  /** A counter that counts so much a second; it begins somewhere, as counters do that were seen before. */
  counter(name: string, perSecond: number | ((seconds: number) => number), labels?: Labels): this {
    const begin = 1000;
    return this.#set(name, labels ?? {}, (interval, samples) => {
      if (typeof perSecond === 'number') return `${begin}+${perSecond * interval}x${samples}`;
      let count = begin;
      return listed(samples, (index) => {
        if (index > 0) count += perSecond((index - 1) * interval) * interval;
        return count;
      });
    });
  }

  /** Takes back what was said of a family, of all its series that have these labels. */
  without(name: string, labels: Labels = {}): this {
    for (const [key, one] of this.#series) {
      const same = Object.entries(labels).every(([label, value]) => one.labels[label] === value);
      if (one.name === name && same) this.#series.delete(key);
    }
    return this;
  }

  /** Nothing is scraped while this holds, and `up` is 0. */
  unreachable(during: (seconds: number) => boolean): this {
    for (const [key, one] of this.#series) {
      const value = (interval: number, samples: number): string => {
        const all = expanded(one.value(interval, samples));
        return all
          .map((text, index) => (during(index * interval) ? (one.name === 'up' ? '0' : '_') : text))
          .join(' ');
      };
      this.#series.set(key, { ...one, value });
    }
    return this;
  }

  /** Every series, scraped at this interval for this long, both in seconds. */
  input(interval: number, duration: number): RuleTest['input_series'] {
    const samples = Math.ceil(duration / interval);
    return [
      ...[...this.#series.values()].map(({ name, labels, value }) => ({
        series: `${name}{${labelText({ ...this.#target, ...labels })}}`,
        values: value(interval, samples),
      })),
      ...policySeries(this.#target, samples),
    ];
  }

  #set(name: string, labels: Labels, value: MadeSeries['value']): this {
    const family = GAUGES.get(name);
    if (family === undefined && !OF_PROMETHEUS.has(name)) {
      throw new RangeError(`${name} is not in the catalogue`);
    }
    const wanted = [...(family?.labels ?? [])].sort().join();
    const given = Object.keys(labels).sort().join();
    if (wanted !== given) throw new RangeError(`${name} has the labels ${wanted}, not ${given}`);
    this.#series.set(`${name}{${labelText(labels)}}`, { name, labels, value });
    return this;
  }
}

function listed(samples: number, value: (index: number) => number | undefined): string {
  const all = Array.from({ length: samples + 1 }, (_one, index) => value(index));
  return all.map((one) => (one === undefined ? '_' : String(one))).join(' ');
}

function expanded(values: string): readonly string[] {
  const [, begin, step, times] = /^(\S+?)\+(\S+)x(\d+)$/.exec(values) ?? [];
  if (begin === undefined || step === undefined || times === undefined) return values.split(' ');
  return Array.from({ length: Number(times) + 1 }, (_one, index) =>
    String(Number(begin) + index * Number(step)),
  );
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(',');
}
