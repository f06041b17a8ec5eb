import { parseArgs } from 'node:util';
import { cpus, release } from 'node:os';

import { lineOf, runTarget } from './run-target.ts';
import { TARGETS } from './targets.ts';

/** The same in every run, so that what is found once is found again. */
const SEED = 20260101;
const INPUTS = 100_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${SEED}` },
    inputs: { type: 'string', default: `${INPUTS}` },
    from: { type: 'string', default: '0' },
    target: { type: 'string', multiple: true },
  },
});
const options = {
  seed: wholeNumber('seed', values.seed),
  inputs: wholeNumber('inputs', values.inputs),
  from: wholeNumber('from', values.from),
};
for (const name of values.target ?? []) {
  if (!TARGETS.some((target) => target.name === name)) {
    throw new Error(`no target ${name}; there are ${TARGETS.map((one) => one.name).join(', ')}`);
  }
}

const [cpu] = cpus();
console.log(
  `${new Date().toISOString().slice(0, 10)}, seed ${options.seed}, Node ${process.version},`,
);
console.log(`${cpus().length} CPUs (${cpu?.model ?? 'unknown'}), Linux ${release()}\n`);
const started = performance.now();
let findings = 0;
for (const target of TARGETS) {
  if (values.target !== undefined && !values.target.includes(target.name)) continue;
  const report = await runTarget(target, options);
  console.log(lineOf(report));
  for (const finding of report.findings) console.error(`  ${finding}\n`);
  findings += report.findings.length;
}
console.log(`\n${((performance.now() - started) / 1000).toFixed(0)} s, ${findings} findings`);
if (findings > 0) process.exitCode = 1;

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${flag}=${text}: no whole number`);
  return value;
}
