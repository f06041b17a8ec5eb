import { HISTORY_SECONDS, type HistoryLine, type HistoryValue } from '../../risk/history.ts';
import type { RiskResource } from '../../risk/risk-model.ts';
import { formatPercent } from '../words/format.ts';
import { html, type Html } from './html.ts';

const WIDTH = 360;
const HEIGHT = 48;

const MEANINGS: Readonly<Record<RiskResource, Readonly<Record<HistoryLine['meaning'], string>>>> = {
  cpu: { used: 'CPUs in use', waiting: 'a task waited for a CPU' },
  memory: { used: 'memory in use', waiting: 'all tasks stalled on memory' },
  storage: { used: 'fullest filesystem in use', waiting: 'a task waited for storage' },
  network: { used: 'busiest uplink in use', waiting: 'waited' },
};

/**
 * The last hour of a resource, 0 to 100 %, as far as somebody looked: a line for what is in use and one
 * for the time waited. Where nobody looked the lines have gaps.
 */
export function historyHtml(lines: readonly HistoryLine[], nowSeconds: number): Html | undefined {
  const drawn = lines.filter(({ runs }) => runs.flat().length > 1);
  if (drawn.length === 0) return undefined;
  return html`<h3>The last hour</h3>
    ${drawn.map((line) => lineHtml(line, nowSeconds))}`;
}

function lineHtml({ resource, meaning, runs }: HistoryLine, nowSeconds: number): Html {
  const values = runs.flat().map(({ share }) => share);
  const last = values.at(-1) ?? 0;
  const least = formatPercent(Math.min(...values));
  const most = formatPercent(Math.max(...values));
  const title = MEANINGS[resource][meaning];
  const range = least === most ? least : `${least} to ${most}`;
  return html`<figure class="history ${meaning}">
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      width="100%"
      height="${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${`Last hour, ${title}: ${range}, now ${formatPercent(last)}`}"
    >
      <line class="axis" x1="0" y1="${HEIGHT - 0.5}" x2="${WIDTH}" y2="${HEIGHT - 0.5}"></line>
      ${runs.map((run) => runHtml(run, nowSeconds))}
    </svg>
    <figcaption aria-hidden="true">${title}: ${range}, now ${formatPercent(last)}</figcaption>
  </figure>`;
}

function runHtml(run: readonly HistoryValue[], nowSeconds: number): Html {
  const points = run.map(({ atSeconds, share }) => {
    const x = WIDTH * (1 - (nowSeconds - atSeconds) / HISTORY_SECONDS);
    return `${x.toFixed(1)},${(1 + (HEIGHT - 2) * (1 - share)).toFixed(1)}`;
  });
  const [first = ''] = points;
  // A single look is a dot: a line of no length with round ends.
  return html`<polyline
    points="${points.length === 1 ? `${first} ${first}` : points.join(' ')}"
  ></polyline>`;
}
