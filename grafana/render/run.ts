/**
 * `npm run test:render`: draws every dashboard with Grafana's own components and says what a reader
 * would stumble over; exit code 1 if there is anything. Pictures are left in out/render/.
 *
 * With `--prometheus=URL` it takes one that holds the scenes already, which saves minutes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { z } from 'zod';

import { startBrowser } from '../../test/integration/page/browser.ts';
import { dashboardFile } from '../dashboard-file.ts';
import { committedDashboards } from '../dashboard-models.ts';
import { DASHBOARDS } from '../src/dashboards.ts';
import type { DrawingOrder, DrawnDashboard } from './browser/protocol.ts';
import { draw } from './draw.ts';
import { emptyWithReason } from './empty.ts';
import { findingsOf } from './findings.ts';
import { SCHEMA_VERSIONS, unknownFields } from './schema-versions.ts';
import { PastPrometheus } from './prometheus.ts';
import {
  HISTORIES,
  looksAt,
  RANGE_SECONDS,
  SCENES,
  SCRAPE_INTERVAL_SECONDS,
  WORST,
  type Look,
  type Scene,
} from './scenes.ts';

const ROOT = join(import.meta.dirname, '../..');
const OUT = join(ROOT, 'out/render');
const BUNDLE = join(OUT, 'bundle');

/** Dashboards of all hosts in one; the others show one after another. */
const OF_ALL_HOSTS: ReadonlySet<string> = new Set(['kvm-fleet', 'kvm-capacity']);

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { prometheus: { type: 'string' } } });
  mkdirSync(BUNDLE, { recursive: true });
  bundle();
  await using past =
    values.prometheus === undefined ? await PastPrometheus.of(HISTORIES, say) : undefined;
  const url = past?.url ?? values.prometheus ?? '';
  await using browser = await startBrowser();
  const findings = SCHEMA_VERSIONS.flatMap((version) =>
    unknownFields(committedDashboards(), join(import.meta.dirname, 'node_modules'), version).map(
      (fault) => `${version} does not know ${fault}`,
    ),
  );
  for (const fault of findings) say(fault);
  let pictures = 0;
  const wanted = SCENES.flatMap((scene) =>
    DASHBOARDS.flatMap((dashboard) =>
      looksAt(scene, dashboard.uid ?? '').map((look) => ({ scene, look, dashboard })),
    ),
  ).values();
  const drawAll = async (): Promise<void> => {
    for (const { scene, look, dashboard } of wanted) {
      const faults = await inspect(browser, url, scene, look, dashboardFile(dashboard));
      pictures += 1;
      findings.push(...faults);
      for (const fault of faults) say(fault);
    }
  };
  // While one waits for Prometheus, the other draws.
  await Promise.all([drawAll(), drawAll()]);
  const machine = `${cpus().length} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()} ${arch()}`;
  const result = `${pictures} pictures, ${findings.length} findings (${machine}, ${new Date().toISOString().slice(0, 10)})`;
  writeFileSync(join(OUT, 'result.txt'), [result, ...findings, ''].join('\n'));
  say(result);
  if (findings.length > 0) process.exitCode = 1;
}

/** Those whose pictures docs/dashboards.md has. */
const SHOWN: ReadonlySet<string> = new Set(['kvm-fleet', 'kvm-host', 'kvm-capacity', 'kvm-guest']);

/** Installs what draws, checks its types, and makes one file of it. */
function bundle(): void {
  const folder = import.meta.dirname;
  if (!existsSync(join(folder, 'node_modules'))) {
    command('npm', ['ci', '--legacy-peer-deps', '--ignore-scripts'], folder);
  }
  command(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.json'], folder);
  command(process.execPath, ['bundle.ts', BUNDLE], folder);
}

function command(name: string, parameters: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(name, parameters, { cwd, stdio: 'inherit' });
  if (error !== undefined || status !== 0) {
    throw new Error(
      `${name} ${parameters.join(' ')} failed: ${error?.message ?? `exit ${status ?? ''}`}`,
    );
  }
}

async function inspect(
  browser: Browser,
  prometheus: string,
  scene: Scene,
  look: Look,
  file: string,
): Promise<readonly string[]> {
  const dashboard = Dashboard.parse(JSON.parse(readFileSync(file, 'utf8')));
  const order: DrawingOrder = {
    dashboard,
    choice: choiceIn(scene, dashboard.uid),
    from: scene.to - RANGE_SECONDS,
    to: scene.to,
    mode: look.mode,
    width: look.width,
    scrapeIntervalSeconds: SCRAPE_INTERVAL_SECONDS,
    unfolded: look.unfolded,
  };
  const name = `${dashboard.uid}-${scene.name}-${look.mode}-${look.width}${look.unfolded ? '' : '-opened'}`;
  const picture = join(OUT, `${name}.png`);
  const excerpt =
    scene.name === WORST && !look.unfolded && SHOWN.has(dashboard.uid)
      ? join(ROOT, `docs/images/${dashboard.uid.replace('kvm-', 'dashboard-')}.png`)
      : undefined;
  const { panels, complaints } = await draw(browser, order, {
    bundle: BUNDLE,
    prometheus,
    picture,
    excerpt,
  });
  const faults = [
    ...complaints.map((complaint) => `the browser says: ${complaint}`),
    ...findingsOf(panels, await emptyWithReason(panels, order, prometheus)),
  ];
  return faults.map((fault) => `${name}: ${fault}`);
}

function choiceIn(scene: Scene, uid: string): Readonly<Record<string, string>> {
  return {
    cluster: '.*',
    job: '.+',
    instance: OF_ALL_HOSTS.has(uid) ? '.+' : scene.instance,
    domain: uid === 'kvm-guest' ? scene.guest : '.+',
    mountpoint: '.+',
    device: '.+',
    vcpus: '2',
    memory: '4',
    disk: '40',
  };
}

const Panel = z.object({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z
    .array(
      z.object({
        refId: z.string(),
        expr: z.string(),
        legendFormat: z.string().optional(),
        range: z.boolean().optional(),
        instant: z.boolean().optional(),
        format: z.string().optional(),
      }),
    )
    .optional(),
  transformations: z.array(z.object({ id: z.string(), options: z.unknown() })).optional(),
  fieldConfig: z.unknown().optional(),
  options: z.unknown().optional(),
});

const Dashboard: z.ZodType<DrawnDashboard> = z.object({
  uid: z.string(),
  title: z.string(),
  panels: z.array(Panel.extend({ panels: z.array(Panel).optional() })),
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
