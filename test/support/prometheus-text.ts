/** Labels of a series; in a query, those that must match. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * A scrape as a monitoring system would read it: Prometheus text 0.0.4 or OpenMetrics, parsed from
 * the format's grammar and not with our own writer.
 */
export class Exposition {
  readonly samples: readonly Sample[];
  /** `# TYPE` of each family. */
  readonly types: ReadonlyMap<string, string>;
  readonly #byName: ReadonlyMap<string, readonly Sample[]>;

  private constructor(samples: readonly Sample[], types: ReadonlyMap<string, string>) {
    this.samples = samples;
    this.types = types;
    this.#byName = Map.groupBy(samples, ({ name }) => name);
  }

  /** @throws Error at a line that is neither comment nor sample, and at a series that comes twice. */
  static parse(text: string): Exposition {
    const samples: Sample[] = [];
    const types = new Map<string, string>();
    const seen = new Set<string>();
    for (const line of text.split('\n')) {
      const type = /^# TYPE (\S+) (\S+)$/.exec(line);
      if (type?.[1] !== undefined && type[2] !== undefined) types.set(type[1], type[2]);
      if (line === '' || line.startsWith('#')) continue;
      const sample = parseSample(line);
      const series = seriesOf(sample);
      if (seen.has(series)) throw new Error(`series comes twice: ${series}`);
      seen.add(series);
      samples.push(sample);
    }
    return new Exposition(samples, types);
  }

  /** All samples of a name whose labels include these. */
  all(name: string, labels: Labels = {}): readonly Sample[] {
    return (this.#byName.get(name) ?? []).filter((sample) => matches(sample, labels));
  }

  /** The only such sample's value. @throws Error when there is none, or more than one. */
  value(name: string, labels: Labels = {}): number {
    return this.only(name, labels).value;
  }

  only(name: string, labels: Labels = {}): Sample {
    const [first, ...more] = this.all(name, labels);
    if (first === undefined || more.length > 0) {
      const count = first === undefined ? 'no' : String(more.length + 1);
      const known = this.all(name).map(seriesOf).slice(0, 20).join('\n');
      throw new Error(`${count} ${name} with ${JSON.stringify(labels)} among:\n${known}`);
    }
    return first;
  }

  has(name: string, labels: Labels = {}): boolean {
    return this.all(name, labels).length > 0;
  }

  sum(name: string, labels: Labels = {}): number {
    return this.all(name, labels).reduce((sum, sample) => sum + sample.value, 0);
  }

  /** Names of all samples with these labels. */
  names(labels: Labels): ReadonlySet<string> {
    return new Set(
      this.samples.filter((sample) => matches(sample, labels)).map(({ name }) => name),
    );
  }
}

/** A name of a series, the same for the same labels in any order. */
export function seriesOf({ name, labels }: Sample): string {
  const sorted = Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `${name}${JSON.stringify(sorted)}`;
}

function matches(sample: Sample, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => sample.labels[name] === value);
}

function parseSample(line: string): Sample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const { labels, end } = parseLabels(line, name.length);
  const value = /^ (NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i.exec(line.slice(end))?.[1];
  if (value === undefined) throw new Error(`no value: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function parseLabels(line: string, start: number): { labels: Labels; end: number } {
  const labels: Record<string, string> = {};
  if (line[start] !== '{') return { labels, end: start };
  let at = start + 1;
  while (line[at] !== '}') {
    const name = /^[a-zA-Z_][a-zA-Z0-9_]*(?==")/.exec(line.slice(at))?.[0];
    if (name === undefined) throw new Error(`bad labels: ${line}`);
    if (name in labels) throw new Error(`label ${name} comes twice: ${line}`);
    at += name.length + 2;
    let value = '';
    for (; line[at] !== '"'; at += 1) {
      if (at >= line.length) throw new Error(`open string: ${line}`);
      if (line[at] === '\\') {
        at += 1;
        value += line[at] === 'n' ? '\n' : (line[at] ?? '');
      } else {
        value += line[at] ?? '';
      }
    }
    labels[name] = value;
    at += 1;
    if (line[at] === ',') at += 1;
  }
  return { labels, end: at + 1 };
}
