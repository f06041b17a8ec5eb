import type { History } from '../../test/integration/grafana/demo-history.ts';
import { CalmHost } from './calm-host.ts';

/** A morning long past, always the same, on a border of Prometheus' two-hour blocks. */
const STARTED_AT = Date.UTC(2026, 0, 15, 6) / 1000;
const LOOP_SECONDS = 1800;
/** What a dashboard shows when it is opened: three hours. */
export const RANGE_SECONDS = 3 * 3600;
export const SCRAPE_INTERVAL_SECONDS = 30;

export const DEMO = 'demo:9177';
export const CALM = 'calm:9177';
const JOB = 'kvm';

/** Both begin long before what is shown, so that rates and rules have something to read. */
export const HISTORIES: readonly History[] = [
  history(DEMO),
  { ...history(CALM), hostOf: (options) => new CalmHost(options) },
];

function history(instance: string): History {
  return {
    startedAtSeconds: STARTED_AT,
    seconds: RANGE_SECONDS + 2 * LOOP_SECONDS,
    scrapeIntervalSeconds: SCRAPE_INTERVAL_SECONDS,
    job: JOB,
    instance,
  };
}

/** A moment at which somebody looks at one host. */
export interface Scene {
  readonly name: string;
  readonly instance: string;
  /** Unix time of the right edge. */
  readonly to: number;
}

/** The end of each phase of the demo's story, in its last loop, then the host where all is well. */
export const SCENES: readonly Scene[] = [
  ...(
    [
      ['calm', 590],
      ['noisy-neighbour', 890],
      ['swap-storm', 1190],
      ['run-on-the-bank', 1490],
      ['out-of-space', 1790],
    ] as const
  ).map(([name, offset]) => ({
    name,
    instance: DEMO,
    to: STARTED_AT + RANGE_SECONDS + LOOP_SECONDS + offset,
  })),
  { name: 'nothing-promised-twice', instance: CALM, to: STARTED_AT + RANGE_SECONDS + LOOP_SECONDS },
];
