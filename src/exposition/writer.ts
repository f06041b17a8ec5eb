import { formatValue } from './escape.ts';
import { faultsOf, openMetricsName, type Family } from './family.ts';
import type { Format } from './format.ts';

/** Characters gathered before they become one Buffer. */
const CHUNK_CHARACTERS = 64 * 1024;

export interface WriterOptions {
  /**
   * What to do with a series that was already written. Prometheus keeps only one of them and logs
   * a warning, so in production the second is left out and counted; tests want to hear of it.
   * `throw` also checks every declaration and that the labels of each sample are the declared
   * ones in the declared order.
   */
  readonly onDuplicate: 'throw' | 'drop';
}

/** A family or a series written twice, or a sample that does not fit its declaration. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
}

/**
 * Writes families and samples as text and hands them out in Buffers of about 64 KiB, so that even
 * 500,000 series never become one string.
 *
 * All samples of a family belong together: `family()`, then its samples, then the next family. A
 * family without samples leaves no trace.
 */
export class ExpositionWriter {
  readonly #format: Format;
  readonly #strict: boolean;
  readonly #familiesSeen = new Set<string>();
  readonly #seriesSeen = new Set<string>();
  readonly #chunks: Buffer[] = [];
  #text = '';
  #family: Family | undefined;
  #headerWritten = false;
  #samples = 0;
  #dropped = 0;

  constructor(format: Format, options: WriterOptions = { onDuplicate: 'drop' }) {
    this.#format = format;
    this.#strict = options.onDuplicate === 'throw';
  }

  /** Samples written so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Samples left out because their series was already there; stays 0 in strict mode. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Begins a family. A second time for one name is always an error, since it comes from the code
   * and not from the host. Two families whose OpenMetrics names are equal (`x_total`, `x_info`)
   * clash as well.
   */
  family(family: Family): void {
    const key = openMetricsName(family);
    if (this.#familiesSeen.has(key)) {
      throw new ExpositionError(`family ${family.name} is written twice`);
    }
    if (this.#strict) {
      const fault = faultsOf(family)[0];
      if (fault !== undefined) throw new ExpositionError(fault);
    }
    this.#familiesSeen.add(key);
    this.#seriesSeen.clear();
    this.#family = family;
    this.#headerWritten = false;
  }

  /**
   * One sample of the current family.
   *
   * @param labels complete label text from `labelText` or `closeLabels`, '' for none.
   * @param value undefined writes nothing: what could not be read is absent, not 0.
   * @param suffix `_bucket`, `_sum` or `_count` of a histogram or summary.
   */
  sample(labels: string, value: number | bigint | undefined, suffix = ''): void {
    if (value === undefined) return;
    const family = this.#family;
    if (family === undefined) throw new ExpositionError('a sample before any family');
    if (this.#isDuplicate(suffix === '' ? labels : suffix + labels)) {
      if (this.#strict) {
        throw new ExpositionError(`series ${family.name}${suffix}${labels} is written twice`);
      }
      this.#dropped += 1;
      return;
    }
    if (this.#strict) checkLabels(family, labels);
    if (!this.#headerWritten) {
      this.#text += this.#format.header(family);
      this.#headerWritten = true;
    }
    this.#text += `${family.name}${suffix}${labels} ${formatValue(value)}\n`;
    this.#samples += 1;
    if (this.#text.length >= CHUNK_CHARACTERS) this.#flush();
  }

  /** Ends the exposition; nothing may be written afterwards. */
  end(): void {
    this.#text += this.#format.end;
    this.#flush();
    this.#family = undefined;
  }

  /** Takes the Buffers which are ready. */
  take(): readonly Buffer[] {
    return this.#chunks.length === 0 ? [] : this.#chunks.splice(0);
  }

  #isDuplicate(key: string): boolean {
    const before = this.#seriesSeen.size;
    return this.#seriesSeen.add(key).size === before;
  }

  #flush(): void {
    if (this.#text === '') return;
    this.#chunks.push(Buffer.from(this.#text, 'utf8'));
    this.#text = '';
  }
}

/** `le` and `quantile` come with the type, not with the declaration. */
function checkLabels(family: Family, labels: string): void {
  const names = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"/g)]
    .map((match) => match[1])
    .filter((name) => name !== 'le' && name !== 'quantile');
  if (names.join() !== family.labels.join()) {
    throw new ExpositionError(
      `${family.name} has labels (${names.join()}), declared (${family.labels.join()})`,
    );
  }
}
