import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  DASHBOARD_FOLDER,
  dashboardFile,
  galleryFile,
  jsonText,
  SCHEMA_FILE,
} from './dashboard-file.ts';
import { committedDashboards } from './dashboard-models.ts';
import { forGallery } from './gallery.ts';
import { RULES } from './lint/rules.ts';
import { schemaFromSdk } from './schema/from-sdk.ts';
import { validatorOf } from './schema/validate.ts';
import { DASHBOARDS } from './src/dashboards.ts';

/** Prints a line for each check, its faults below it, and exits with 1 when there are any. */
async function main(): Promise<void> {
  const schema = schemaFromSdk();
  const faultsOf = validatorOf(schema);
  const texts = readdirSync(DASHBOARD_FOLDER).map((name) => ({
    name,
    text: readFileSync(join(DASHBOARD_FOLDER, name), 'utf8'),
  }));
  report('dashboards are as generated', await driftFaults(texts));
  report(
    'schema is as derived from the SDK',
    readFileSync(SCHEMA_FILE, 'utf8') === (await jsonText(schema)) ? [] : [GENERATE],
  );
  report(
    'dashboards are valid under the schema',
    texts.flatMap(({ name, text }) =>
      faultsOf(JSON.parse(text)).map((fault) => `${name}: ${fault}`),
    ),
  );
  report('variants for the gallery are as generated', await galleryFaults());
  const models = committedDashboards();
  for (const { name, faults } of RULES) report(name, faults(models));
}

const GENERATE = 'run `npm run generate:dashboards`';

/** The file on disk is what the source says, and there is no other. */
async function driftFaults(
  texts: readonly { readonly name: string; readonly text: string }[],
): Promise<readonly string[]> {
  const expected = new Map<string, string>();
  for (const dashboard of DASHBOARDS) {
    expected.set(basename(dashboardFile(dashboard)), await jsonText(dashboard));
  }
  const found = new Map(texts.map(({ name, text }) => [name, text]));
  return [
    ...[...expected]
      .filter(([name, text]) => found.get(name) !== text)
      .map(([name]) => `${name}: ${GENERATE}`),
    ...[...found.keys()].filter((name) => !expected.has(name)).map((name) => `${name}: stray`),
  ];
}

async function galleryFaults(): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const dashboard of DASHBOARDS) {
    const file = galleryFile(dashboard);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text !== (await jsonText(forGallery(dashboard))))
      faults.push(`${basename(file)}: ${GENERATE}`);
  }
  return faults;
}

function report(name: string, faults: readonly string[]): void {
  process.stdout.write(`${faults.length === 0 ? 'ok' : 'FAILED'} ${name}\n`);
  for (const fault of faults) process.stdout.write(`    ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

await main();
