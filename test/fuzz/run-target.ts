import { inspect } from 'node:util';

import { picker, type Pick } from '../support/libvirt/damage.ts';
import { collectGarbage } from '../support/measure/collect-garbage.ts';
import type { Outcome, Subject, Target } from './target.ts';

const MAX_INPUT_MS = 1000;
const MAX_GROWTH_BYTES = 50 * 1024 * 1024;
/** Inputs before memory is first measured: code that was compiled and caches that are full stay. */
const WARM_UP_INPUTS = 5000;
/** From so many on both outcomes must be among them. */
const MIN_TO_JUDGE = 1000;
const MAX_FINDINGS = 20;
/** Inputs after which timers and sockets have a turn. */
const INPUTS_PER_TURN = 200;

export interface Report {
  readonly target: string;
  /** How many were handed over. */
  readonly inputs: number;
  readonly values: number;
  readonly refusals: number;
  readonly seconds: number;
  /** How long the slowest input took. */
  readonly slowestMs: number;
  /** Of memory in use after a collection, from after the warm-up to the end. */
  readonly grownBytes: number;
  /** What should not have happened, and with which input. */
  readonly findings: readonly string[];
}

export interface RunOptions {
  readonly inputs: number;
  readonly seed: number;
  /** The number of the first input: to see one again. */
  readonly from?: number;
}

/** Hands a target as many inputs as asked for. Never rejects: what goes wrong is a finding. */
export async function runTarget(target: Target, options: RunOptions): Promise<Report> {
  const { seed, from = 0 } = options;
  const inputs = Math.ceil(options.inputs * (target.share ?? 1));
  const findings: string[] = [];
  const counts: Record<Outcome, number> = { value: 0, refusal: 0 };
  const note = (what: string, at: number | undefined, error: unknown): void => {
    if (findings.length >= MAX_FINDINGS) return;
    const again = at === undefined ? '' : ` --seed ${seed} --from ${at} --inputs 1`;
    const detail = typeof error === 'string' ? error : inspect(error);
    findings.push(`${what}: --target ${target.name}${again}: ${detail}`);
  };
  const onLoose = (error: unknown): void => {
    note('nobody caught', undefined, error);
  };
  process.on('unhandledRejection', onLoose).on('uncaughtException', onLoose);
  const started = performance.now();
  let slowestMs = 0;
  let grownBytes = 0;
  let done = 0;
  try {
    await using subject = await target.open();
    let before: number | undefined;
    for (; done < inputs; done += 1) {
      if (findings.length >= MAX_FINDINGS) break;
      if (done === Math.min(WARM_UP_INPUTS, inputs - 1)) before = await memoryOf(subject);
      const at = from + done;
      try {
        const { outcome, milliseconds } = await timed(subject, () => pickerOf(seed, at));
        counts[outcome] += 1;
        slowestMs = Math.max(slowestMs, milliseconds);
        if (milliseconds > MAX_INPUT_MS) note(`${milliseconds.toFixed(0)} ms`, at, 'too slow');
      } catch (error) {
        note('failed', at, error);
      }
      if (done % INPUTS_PER_TURN === 0) await nextTurn();
    }
    await subject.finish?.();
    grownBytes = (await memoryOf(subject)) - (before ?? 0);
    if (grownBytes > MAX_GROWTH_BYTES) note('memory', undefined, `grew by ${grownBytes} bytes`);
  } catch (error) {
    note('failed', undefined, error);
  } finally {
    await nextTurn();
    process.off('unhandledRejection', onLoose).off('uncaughtException', onLoose);
  }
  if (inputs >= MIN_TO_JUDGE && (counts.value === 0 || counts.refusal === 0)) {
    note('blind', undefined, `${counts.value} values and ${counts.refusal} refusals`);
  }
  return {
    target: target.name,
    inputs: done,
    values: counts.value,
    refusals: counts.refusal,
    seconds: (performance.now() - started) / 1000,
    slowestMs,
    grownBytes,
    findings,
  };
}

/** One line for people. */
export function lineOf(report: Report): string {
  const { target, inputs, values, refusals, seconds, slowestMs, grownBytes, findings } = report;
  const rate = Math.round(inputs / Math.max(seconds, 0.001));
  return [
    target.padEnd(16),
    `${inputs} inputs`.padStart(15),
    `${values} taken`.padStart(14),
    `${refusals} refused`.padStart(15),
    `${seconds.toFixed(1)} s`.padStart(9),
    `${rate}/s`.padStart(10),
    `slowest ${slowestMs.toFixed(1)} ms`.padStart(19),
    `${(grownBytes / 1024 / 1024).toFixed(1)} MiB more`.padStart(15),
    `${findings.length} findings`.padStart(12),
  ].join(' ');
}

/** Measured again where it took too long: this machine has other things to do as well. */
async function timed(
  subject: Subject,
  pick: () => Pick,
): Promise<{ readonly outcome: Outcome; readonly milliseconds: number }> {
  const once = async (): Promise<{ outcome: Outcome; milliseconds: number }> => {
    const started = performance.now();
    const attempt = subject.attempt(pick());
    const outcome = typeof attempt === 'string' ? attempt : await attempt;
    return { outcome, milliseconds: performance.now() - started };
  };
  const first = await once();
  return first.milliseconds > MAX_INPUT_MS ? once() : first;
}

/** Each input has choices of its own, so that it can be seen again without those before it. */
function pickerOf(seed: number, input: number): Pick {
  return picker(seed ^ Math.imul(input + 1, 0x9e3779b1));
}

async function memoryOf(subject: Subject): Promise<number> {
  if (subject.memory !== undefined) return subject.memory();
  // Buffers are given back by what runs after a collection.
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
