import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from './promtool.ts';
import type { Slice } from './slice.ts';

/** Slices one promtool runs: starting it costs more than most tests. */
const BATCH = 25;

export interface SliceResult {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs promtool on slices, each in its own two files, which are gone afterwards. */
export class SliceRunner implements AsyncDisposable {
  readonly #folder: string;
  readonly #promtool: string;
  #count = 0;

  /** @param promtool by default the one that is installed. */
  static async open(promtool = 'promtool'): Promise<SliceRunner> {
    return new SliceRunner(await mkdtemp(join(tmpdir(), 'kvm-rules-')), promtool);
  }

  private constructor(folder: string, promtool: string) {
    this.#folder = folder;
    this.#promtool = promtool;
  }

  /** @param slice makes the slice for the path its rules will have. */
  async run(slice: (rulesPath: string) => Slice): Promise<SliceResult> {
    const { rules, test } = await this.#write(slice);
    const result = await run(this.#promtool, ['test', 'rules', test]);
    await rm(rules);
    await rm(test);
    return result;
  }

  /** Whether each of many slices passes; with Prometheus 2 only, which names each file beside its verdict. */
  async passing(slices: readonly ((rulesPath: string) => Slice)[]): Promise<readonly boolean[]> {
    const passing = await inParallel(batchesOf(slices), async (batch) => {
      const { standardOutput } = await this.#runBatch(batch);
      // What is wrong goes to standard error, without a name.
      const verdicts = standardOutput.split('Unit Testing:  ').slice(1);
      if (verdicts.length !== batch.length) throw new Error(`promtool says: ${standardOutput}`);
      return verdicts.map((verdict) => verdict.includes('SUCCESS'));
    });
    return passing.flat();
  }

  /** What promtool says of those of many slices that do not pass. */
  async faults(slices: readonly ((rulesPath: string) => Slice)[]): Promise<readonly string[]> {
    const faults = await inParallel(batchesOf(slices), async (batch) => {
      if ((await this.#runBatch(batch)).ok) return [];
      const results: SliceResult[] = [];
      for (const slice of batch) results.push(await this.run(slice));
      return results.filter(({ ok }) => !ok).map(({ output }) => output);
    });
    return faults.flat();
  }

  async #runBatch(slices: readonly ((rulesPath: string) => Slice)[]): ReturnType<typeof run> {
    const files = await Promise.all(slices.map((slice) => this.#write(slice)));
    const result = await run(this.#promtool, [
      ...['test', 'rules'],
      ...files.map(({ test }) => test),
    ]);
    await Promise.all(files.flatMap(({ rules, test }) => [rm(rules), rm(test)]));
    return result;
  }

  async #write(slice: (rulesPath: string) => Slice): Promise<{ rules: string; test: string }> {
    this.#count += 1;
    const rules = join(this.#folder, `${this.#count}-rules.yaml`);
    const test = join(this.#folder, `${this.#count}-test.yaml`);
    const content = slice(rules);
    await writeFile(rules, content.rules);
    await writeFile(test, content.test);
    return { rules, test };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function batchesOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_one, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  );
}

/** Works on all items, as many at a time as there are CPUs; results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const workers = Array.from({ length: Math.max(2, availableParallelism()) }, async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  });
  await Promise.all(workers);
  return results;
}
