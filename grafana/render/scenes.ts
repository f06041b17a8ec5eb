import type { History } from '../../test/integration/grafana/demo-history.ts';
import { CalmHost } from './calm-host.ts';

/** A morning long past, always the same, on a border of Prometheus' two-hour blocks. */
const STARTED_AT = Date.UTC(2026, 0, 15, 6) / 1000;
const LOOP_SECONDS = 1800;
/** What a dashboard shows when it is opened: three hours. */
export const RANGE_SECONDS = 3 * 3600;
export const SCRAPE_INTERVAL_SECONDS = 60;

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

export const WORST = 'out-of-space';
export const NOTHING_OVERCOMMITTED = 'nothing-overcommitted';

/** A moment at which somebody looks at one host. */
export interface Scene {
  readonly name: string;
  readonly instance: string;
  /** Whom the Guest dashboard is about. */
  readonly guest: string;
  /** Unix time of the right edge. */
  readonly to: number;
}

/** The end of each phase of the demo's story, in its last loop, and the host where all is well. */
export const SCENES: readonly Scene[] = [
  {
    name: NOTHING_OVERCOMMITTED,
    instance: CALM,
    guest: 'web-01',
    to: STARTED_AT + RANGE_SECONDS + LOOP_SECONDS + 590,
  },
  ...(
    [
      [WORST, 1790],
      ['calm', 590],
      ['noisy-neighbour', 890],
      ['swap-storm', 1190],
      ['run-on-the-bank', 1490],
    ] as const
  ).map(([name, offset]) => ({
    name,
    instance: DEMO,
    guest: 'build-01',
    to: STARTED_AT + RANGE_SECONDS + LOOP_SECONDS + offset,
  })),
];

const TELLING: ReadonlySet<string> = new Set(['kvm-fleet', 'kvm-host']);

/** How somebody looks at it. */
export interface Look {
  readonly mode: 'dark' | 'light';
  /** In pixels. */
  readonly width: number;
  /** With every folded row open; else as the dashboard opens. */
  readonly unfolded: boolean;
}

const AS_IT_OPENS: Look = { mode: 'light', width: 1280, unfolded: false };

/**
 * The worst in every mode and width, and all of two hosts. Of the other phases those dashboards whose
 * first screen must tell them, as they open.
 */
export function looksAt({ name }: Scene, uid: string): readonly Look[] {
  if (name === NOTHING_OVERCOMMITTED) return [{ mode: 'dark', width: 1600, unfolded: true }];
  if (name !== WORST) return TELLING.has(uid) ? [AS_IT_OPENS] : [];
  return [
    ...(['dark', 'light'] as const).flatMap((mode) =>
      [1600, 1280].map((width) => ({ mode, width, unfolded: true })),
    ),
    AS_IT_OPENS,
  ];
}
