/**
 * Writes the files Prometheus reads from the typed rules, and the tables of docs/risk-model.md.
 * `--check` writes nothing and exits with 1 if a file is not what it would write.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ALERT_GROUPS, FLEET_GROUP, RECORDING_GROUPS } from './src/pack.ts';
import {
  ALERTS_FILE,
  FLEET_FILE,
  MANIFEST_FILE,
  RECORDING_FILE,
  RISK_DOCUMENT,
} from './tool/files.ts';
import { prometheusRule, ruleFile } from './tool/render.ts';
import { withRiskTables } from './tool/risk-document.ts';

/** Every generated file with what belongs in it. */
async function generated(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [RECORDING_FILE, ruleFile(RECORDING_GROUPS)],
    [FLEET_FILE, ruleFile(RECORDING_GROUPS.filter(({ name }) => name === FLEET_GROUP))],
    [ALERTS_FILE, ruleFile(ALERT_GROUPS)],
    [MANIFEST_FILE, prometheusRule([...RECORDING_GROUPS, ...ALERT_GROUPS])],
    [RISK_DOCUMENT, withRiskTables(await readFile(RISK_DOCUMENT, 'utf8'))],
  ]);
}

/** Files that are not what the rules say. */
export async function driftedFiles(): Promise<readonly string[]> {
  const drifted: string[] = [];
  for (const [path, text] of await generated()) {
    const present = await readFile(path, 'utf8').catch(() => undefined);
    if (present !== text) drifted.push(path);
  }
  return drifted;
}

async function main(): Promise<void> {
  if (process.argv.includes('--check')) {
    const drifted = await driftedFiles();
    for (const path of drifted) console.error(`${path} is not what rules/generate.ts writes`);
    process.exitCode = drifted.length === 0 ? 0 : 1;
    return;
  }
  for (const [path, text] of await generated()) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
