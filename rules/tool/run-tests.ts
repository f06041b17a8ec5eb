import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { promtool } from './promtool.ts';
import type { Slice } from './slice.ts';

export interface SliceResult {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs promtool on slices, each in its own two files, which are gone afterwards. */
export class SliceRunner implements AsyncDisposable {
  readonly #folder: string;
  #count = 0;

  static async open(): Promise<SliceRunner> {
    return new SliceRunner(await mkdtemp(join(tmpdir(), 'kvm-rules-')));
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param slice makes the slice for the path its rules will have. */
  async run(slice: (rulesPath: string) => Slice): Promise<SliceResult> {
    this.#count += 1;
    const rulesPath = join(this.#folder, `${this.#count}-rules.yaml`);
    const testPath = join(this.#folder, `${this.#count}-test.yaml`);
    const { rules, test } = slice(rulesPath);
    await writeFile(rulesPath, rules);
    await writeFile(testPath, test);
    const result = await promtool('test', 'rules', testPath);
    await rm(rulesPath);
    await rm(testPath);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
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
