import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

import { Deadline } from '../../../src/runtime/deadline.ts';
import { PolicyStore } from '../../../src/config/policy-store.ts';
import type { SnapshotSources } from '../../../src/collect/snapshot-sources.ts';
import { DemoHost, type DemoHostOptions } from '../../../src/demo/demo-host.ts';
import { textFormat } from '../../../src/exposition/format.ts';
import { render } from '../../../src/exposition/render.ts';
import { writeCatalogue } from '../../../src/metrics/catalogue.ts';
import { ScrapeMemory } from '../../../src/view/scrape-memory.ts';
import { toView } from '../../../src/view/view.ts';
import { assess } from '../../../src/overcommit/assess.ts';
import { MomAverages } from '../../../src/overcommit/mom/mom-averages.ts';
import { COLLECTORS } from '../../../src/model/collectors.ts';

export interface History {
  /** Unix time at which the story begins. */
  readonly startedAtSeconds: number;
  readonly seconds: number;
  readonly scrapeIntervalSeconds: number;
  /** Labels of the target, as Prometheus would add them. */
  readonly job: string;
  readonly instance: string;
  /** Another host than the demo's, on the same clock. */
  readonly hostOf?: (options: DemoHostOptions) => SnapshotSources;
}

/**
 * Writes what Prometheus would have scraped from the demo host, as OpenMetrics with timestamps:
 * what `promtool tsdb create-blocks-from openmetrics` takes. Hours of story take seconds.
 */
export async function writeDemoHistory(path: string, history: History): Promise<void> {
  const target = `job="${history.job}",instance="${history.instance}"`;
  const file = createWriteStream(path);
  for await (const { elapsed, text } of demoScrapes(history)) {
    const at = history.startedAtSeconds + elapsed;
    if (!file.write(stamped(text, target, at))) await once(file, 'drain');
  }
  file.end('# EOF\n');
  await once(file, 'finish');
}

/** What the demo host exposes, scrape by scrape, with the seconds of its story. */
export async function* demoScrapes(
  history: Omit<History, 'job' | 'instance'>,
): AsyncGenerator<{ readonly elapsed: number; readonly text: string }> {
  let elapsed = 0;
  const hostOf = history.hostOf ?? ((options) => new DemoHost(options));
  const host = hostOf({
    startedAtSeconds: history.startedAtSeconds,
    elapsedSeconds: () => elapsed,
  });
  const policy = new PolicyStore(undefined, () => history.startedAtSeconds);
  const { policy: inForce, lastReadOk, loadedAtSeconds, maintenanceRemainingSeconds } = policy;
  const memory = new ScrapeMemory();
  const averages = new MomAverages();
  const wanted = new Set(COLLECTORS.map(({ name }) => name));
  const build = { version: '0.0.0', nodeVersion: process.version };
  for (; elapsed <= history.seconds; elapsed += history.scrapeIntervalSeconds) {
    const snapshot = await host.collect(wanted, Deadline.in(60_000));
    const assessment = assess(snapshot, inForce, averages.add(snapshot));
    const inUse = { policy: inForce, lastReadOk, loadedAtSeconds, maintenanceRemainingSeconds };
    const view = toView(snapshot, assessment, inUse, build, memory);
    let text = '';
    for await (const chunk of render((writer) => writeCatalogue(view, writer), textFormat)) {
      text += chunk.toString('utf8');
    }
    yield { elapsed, text };
  }
  await host.close();
}

/** The samples alone, each with the labels of the target and a timestamp. */
function stamped(exposition: string, target: string, atSeconds: number): string {
  const lines = exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => `${labelled(line, target)} ${atSeconds}\n`).join('');
}

function labelled(line: string, target: string): string {
  const brace = line.indexOf('{');
  const space = line.indexOf(' ');
  return brace === -1 || brace > space
    ? `${line.slice(0, space)}{${target}}${line.slice(space)}`
    : `${line.slice(0, brace + 1)}${target},${line.slice(brace + 1)}`;
}
