import { CAP } from '../src/common/promql.ts';
import {
  aggregationAt,
  binaryAt,
  callAt,
  descendants,
  selectorsOf,
  textOf,
  type Expression,
} from '../../tools/promql.ts';
import { nameOf, panelsOf, type DashboardModel, type PanelModel } from './model.ts';
import { renames } from './meaning-rules.ts';
import type { Rule } from './rule.ts';
import { parsed, type ParsedQuery } from './target-rules.ts';

/** Kinds of faults one sees only when dashboards are drawn; `npm run test:render` draws them. */
export const SEEN_RULES: readonly Rule[] = [
  {
    name: 'ratios-do-not-run-away',
    faults: (dashboard) => parsed(dashboard).flatMap(runawayFaults),
  },
  {
    name: 'members-are-chosen-over-the-whole-range',
    faults: (dashboard) => parsed(dashboard).flatMap(flickerFaults),
  },
  {
    name: 'limits-are-lines-not-legend-rows',
    faults: (dashboard) => parsed(dashboard).flatMap(limitFaults),
  },
  { name: 'legends-are-lists', faults: ofPanels(legendFaults) },
  { name: 'axes-fit-what-is-drawn', faults: ofPanels(axisFaults) },
  { name: 'times-until-full-are-bounded', faults: (all) => parsed(all).flatMap(timeFaults) },
  { name: 'titles-fit', faults: ofPanels(titleFaults) },
  { name: 'table-columns-fit', faults: ofPanels(columnFaults) },
  { name: 'rates-have-short-units', faults: ofPanels(unitFaults) },
];

function ofPanels(faultsOf: (panel: PanelModel) => readonly string[]): Rule['faults'] {
  return (dashboard: DashboardModel) =>
    panelsOf(dashboard).flatMap((panel) =>
      faultsOf(panel).map((fault) => `${nameOf(panel)} ${fault}`),
    );
}

/** What a ratio is divided by and does not run out while the host runs: a size, not a rest. */
const STEADY =
  /_per_(?:capacity|size|speed|core|cpu|worst_case|period|allowed_cpus?|guaranteed|entitled|fair_share|scanned|packet|shared|second|request|allocated)(?:_|:|$)/;

/** Ratios per something that can be used up, and divisions by it. */
function runawayFaults({ expression, where }: ParsedQuery): readonly string[] {
  const inside = clamped(expression);
  const isCapped = ({ from }: { readonly from: number }): boolean =>
    inside.some((range) => from >= range.from && from < range.to);
  const ratios = selectorsOf(expression)
    .filter(({ metric }) => metric.includes(':') && /_per_/.test(metric) && !STEADY.test(metric))
    .filter(({ node }) => !isCapped(node))
    .map(({ metric }) => metric);
  const divisions = descendants(expression.root).flatMap((node) => {
    const binary = binaryAt(expression, node);
    if (binary?.operator.name !== 'Div' || isCapped(node)) return [];
    const divisor = textOf(expression, binary.right);
    return /_(?:avail|available|free|supply)(?:_bytes)?\b/.test(divisor) ? [divisor] : [];
  });
  return [...ratios, ...divisions].map(
    (found) => `${where}: ${found} can run away; clamp it, at ${CAP} for instance`,
  );
}

function clamped(
  expression: Expression,
): readonly { readonly from: number; readonly to: number }[] {
  return descendants(expression.root).filter((node) =>
    /^clamp(?:_max)?$/.test(callAt(expression, node)?.name ?? ''),
  );
}

const CHOOSING = new Set(['topk', 'bottomk', 'limitk']);

/** Over time, whoever is chosen anew at each step comes and goes. */
function flickerFaults({ target, expression, where }: ParsedQuery): readonly string[] {
  if (target.format === 'table' || target['instant'] === true) return [];
  const chosen = descendants(expression.root)
    .filter((node) => CHOOSING.has(aggregationAt(expression, node)?.operation ?? ''))
    .map((node) => textOf(expression, node))
    .filter((text) => !/@ (?:end|start)\(\)/.test(text));
  const recorded = selectorsOf(expression)
    .map(({ metric }) => metric)
    .filter((metric) => /:(?:top|bottom)k/.test(metric));
  return [...chosen, ...recorded].map((found) => `${where}: members change over time in ${found}`);
}

/** A limit is drawn and left out of the legend. */
function limitFaults({ panel, expression, target, where }: ParsedQuery): readonly string[] {
  if (panel.type !== 'timeseries') return [];
  const metrics = selectorsOf(expression).map(({ metric }) => metric);
  if (metrics.length !== 1 || metrics[0]?.startsWith('kvm_policy_') !== true) return [];
  const isHidden = (panel.fieldConfig?.overrides ?? []).some(
    ({ matcher, properties }) =>
      matcher.id === 'byRegexp' &&
      /limit/.test(String(matcher.options)) &&
      properties.some(({ id, value }) => id === 'custom.hideFrom' && hidesLegend(value)),
  );
  return isHidden && target.legendFormat === '{{severity}} limit'
    ? []
    : [`${where}: a limit of the policy takes a row of the legend`];
}

function hidesLegend(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'legend' in value && value.legend === true;
}

function legendFaults({ type, options }: PanelModel): readonly string[] {
  const legend = options?.['legend'];
  if (type !== 'timeseries' || typeof legend !== 'object' || legend === null) return [];
  return 'displayMode' in legend && legend.displayMode === 'table'
    ? ['has a legend in rows, of which two fit']
    : [];
}

/** A fixed end of the axis hides what is small, or cuts off what is large. */
function axisFaults({ type, fieldConfig }: PanelModel): readonly string[] {
  return type === 'timeseries' && fieldConfig?.defaults['max'] !== undefined
    ? ['ends its axis at a fixed value']
    : [];
}

/** From minutes to weeks. */
function timeFaults({ panel, expression, where }: ParsedQuery): readonly string[] {
  const times = selectorsOf(expression).filter(({ metric }) => metric.includes('_full_seconds:'));
  if (panel.type !== 'timeseries' || times.length === 0) return [];
  const isBounded = clamped(expression).length > 0;
  const isLogarithmic = JSON.stringify(panel.fieldConfig).includes('"type":"log"');
  return isBounded && isLogarithmic
    ? []
    : [`${where}: a time until full has no bound, or an axis that is not logarithmic`];
}

/** The narrowest screen that is drawn, and Grafana's grid on it. */
const SCREEN = 1280;
const MARGINS = 24;
const GAP = 8;
const COLUMNS = 24;

/** Width of a panel on that screen, in pixels. */
export function pixels({ gridPos }: PanelModel): number {
  return gridPos === undefined ? SCREEN : ((SCREEN - MARGINS) / COLUMNS) * gridPos.w - GAP;
}

/** What Grafana takes for a letter of a title, and for all there is beside it. */
const TITLE_LETTER = 7.6;
const TITLE_MARGIN = 42;

function titleFaults(panel: PanelModel): readonly string[] {
  const title = panel.title ?? '';
  const room = pixels(panel);
  return title.length * TITLE_LETTER + TITLE_MARGIN > room
    ? [`has a title of ${title.length} letters in ${Math.floor(room)} pixels`]
    : [];
}

const HEADER_LETTER = 7.6;
const HEADER_MARGIN = 36;
/** Least width of the one column that takes what is left. */
const FLEXIBLE = 150;

/** Every column but the first has a width, each holds its title, and together they fit. */
function columnFaults(panel: PanelModel): readonly string[] {
  if (panel.type !== 'table') return [];
  const faults: string[] = [];
  let sum = 0;
  for (const [index, title] of [...renames(panel.transformations).values()].entries()) {
    const width = widthOf(panel, title);
    if (width === undefined && index > 0) faults.push(`has no width for "${title}"`);
    sum += width ?? FLEXIBLE;
    if (width !== undefined && title.length * HEADER_LETTER + HEADER_MARGIN > width) {
      faults.push(`cuts the header "${title}"`);
    }
  }
  const room = Math.floor(pixels(panel));
  if (sum > room) faults.push(`has columns of ${sum} pixels in ${room}`);
  return faults;
}

function widthOf({ fieldConfig }: PanelModel, title: string): number | undefined {
  const value = (fieldConfig?.overrides ?? [])
    .filter(({ matcher }) => matcher.id === 'byName' && matcher.options === title)
    .flatMap(({ properties }) => properties)
    .find(({ id }) => id === 'custom.width')?.value;
  return typeof value === 'number' ? value : undefined;
}

const PER_SECOND: ReadonlySet<string> = new Set([
  ...['Bps', 'binBps', 'pps', 'iops', 'cps', 'reqps', 'hertz'],
]);

/** `512 MiB/s` is wider than an axis should be. */
function unitFaults({ type, fieldConfig }: PanelModel): readonly string[] {
  const unit = fieldConfig?.defaults.unit ?? '';
  return type === 'timeseries' && PER_SECOND.has(unit)
    ? [`has the unit ${unit} on its axis; say "per second" in the title`]
    : [];
}
