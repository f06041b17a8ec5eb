import { formatValue } from './escape.ts';
import { findFamilyFaults, openMetricsName, type Family } from './family.ts';
import type { Format } from './format.ts';
import { SeenSeries } from './seen-series.ts';
import { TextBuffer } from './text-buffer.ts';

const SPACE = 0x20;
const NEWLINE = 0x0a;

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
class ExpositionError extends Error {
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
  readonly #seriesSeen = new SeenSeries();
  readonly #output = new TextBuffer();
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
      const fault = findFamilyFaults(family)[0];
      if (fault !== undefined) throw new ExpositionError(fault);
    }
    this.#familiesSeen.add(key);
    this.#seriesSeen.clear();
    this.#family = family;
    this.#headerWritten = false;
  }

  /**
   * Says that the samples up to the next call have a label value of their own, like those of one
   * guest, and so can be no duplicates of the samples before: what was seen is dropped. Strict
   * writers do not believe it.
   */
  startGroup(): void {
    if (!this.#strict) this.#seriesSeen.clear();
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
    if (!this.#seriesSeen.add(suffix === '' ? labels : suffix + labels)) {
      if (this.#strict) {
        throw new ExpositionError(`series ${family.name}${suffix}${labels} is written twice`);
      }
      this.#dropped += 1;
      return;
    }
    if (this.#strict) checkLabels(family, labels);
    if (!this.#headerWritten) {
      this.#output.text(this.#format.header(family));
      this.#headerWritten = true;
    }
    const output = this.#output;
    output.text(family.name);
    if (suffix !== '') output.text(suffix);
    output.text(labels);
    output.ascii(SPACE);
    if (Number.isSafeInteger(value) && Number(value) > 0) output.digits(Number(value));
    else output.text(formatValue(value));
    output.ascii(NEWLINE);
    this.#samples += 1;
  }

  /** Ends the exposition; nothing may be written afterwards. */
  end(): void {
    this.#output.text(this.#format.end);
    this.#output.flush();
    this.#family = undefined;
  }

  /** Takes the Buffers which are ready. */
  take(): readonly Buffer[] {
    return this.#output.take();
  }
}

/** `le` and `quantile` come with the type, not with the declaration. */
function checkLabels(family: Family, labels: string): void {
  const names = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"/g)]
    .map((match) => match[1])
    .filter((name) => name !== 'le' && name !== 'quantile');
  const checked = family.ownLabels === true ? names.slice(0, family.labels.length) : names;
  if (checked.join() !== family.labels.join() || new Set(names).size !== names.length) {
    throw new ExpositionError(
      `${family.name} has labels (${names.join()}), declared (${family.labels.join()})`,
    );
  }
}
