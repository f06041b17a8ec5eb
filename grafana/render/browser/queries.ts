import { FieldType, type DataFrame, type Field } from '@grafana/data';
import type { DrawingOrder, DrawnPanel, DrawnTarget } from './protocol.ts';

/** Steps Grafana rounds to, in seconds (rangeutil.roundInterval). */
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600];
/** A step is taken while it is not coarser than this much of what would fit. */
const ROUNDING = 0.75;

type Labels = Readonly<Record<string, string>>;
interface Series {
  readonly metric: Labels;
  readonly values?: readonly (readonly [seconds: number, value: string])[];
  readonly value?: readonly [seconds: number, value: string];
}

/**
 * Asks Prometheus what a panel asks, as Grafana's data source does: the same steps, the same names.
 *
 * @param width of the panel in pixels, which is how many points it wants.
 * @throws Error with what Prometheus says.
 */
export async function framesOf(
  panel: DrawnPanel,
  order: DrawingOrder,
  width: number,
): Promise<DataFrame[]> {
  const points = (order.to - order.from) / Math.max(100, width);
  const fitting = STEPS.find((step) => step >= points * ROUNDING) ?? 3600;
  const step = Math.max(order.scrapeIntervalSeconds, fitting);
  const answers = await Promise.all(
    (panel.targets ?? []).map(async (target) => ({
      target,
      series: await ask(target, order, step),
    })),
  );
  const tables = answers.filter(({ target }) => target.format === 'table');
  return answers.flatMap(({ target, series }) => {
    if (target.format === 'table') return rowsOf(target, series, tables.length > 1);
    return series.map((one) => lineOf(target, one, step));
  });
}

async function ask(target: DrawnTarget, order: DrawingOrder, step: number): Promise<Series[]> {
  const query = fillIn(target.expr, order, step);
  if (target.range === true && target.instant !== true) {
    const aligned = (seconds: number): string => String(Math.floor(seconds / step) * step);
    const range = { start: aligned(order.from), end: aligned(order.to), step: String(step) };
    return post('query_range', { query, ...range });
  }
  return post('query', { query, time: String(order.to) });
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: Series[] };
}

async function post(path: string, parameters: Record<string, string>): Promise<Series[]> {
  const response = await fetch(`/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  const answer: Answer = await response.json();
  if (answer.data === undefined) throw new Error(`${answer.error}: ${parameters['query']}`);
  return answer.data.result;
}

/** Fills in variables, Grafana's own among them. */
export function fillIn(text: string, order: DrawingOrder, step: number): string {
  const own: Readonly<Record<string, string>> = {
    __rate_interval: `${Math.max(step + order.scrapeIntervalSeconds, 4 * order.scrapeIntervalSeconds)}s`,
    __interval: `${step}s`,
    __range: `${order.to - order.from}s`,
  };
  return text.replaceAll(
    /\$\{?(\w+)(?::\w+)?\}?/g,
    (variable, name: string) => own[name] ?? order.choice[name] ?? variable,
  );
}

function lineOf(target: DrawnTarget, { metric, values, value }: Series, step: number): DataFrame {
  const points = values ?? (value === undefined ? [] : [value]);
  return {
    refId: target.refId,
    length: points.length,
    fields: [
      field(
        'Time',
        FieldType.time,
        points.map(([seconds]) => seconds * 1000),
        {
          interval: step * 1000,
        },
      ),
      {
        ...field(
          'Value',
          FieldType.number,
          points.map(([, text]) => numberOf(text)),
          {
            displayNameFromDS: legendOf(target, metric),
          },
        ),
        labels: { ...metric },
      },
    ],
  };
}

/** One frame with a column for each label; without rows there is none at all. */
function rowsOf(target: DrawnTarget, series: readonly Series[], ofSeveral: boolean): DataFrame[] {
  if (series.length === 0) return [];
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const valueName = ofSeveral ? `Value #${target.refId}` : 'Value';
  const points = series.map(({ value }) => value ?? [0, 'NaN']);
  return [
    {
      refId: target.refId,
      length: series.length,
      fields: [
        field(
          'Time',
          FieldType.time,
          points.map(([seconds]) => Number(seconds) * 1000),
          {},
        ),
        ...labels.map((label) =>
          field(
            label,
            FieldType.string,
            series.map(({ metric }) => metric[label] ?? ''),
            {
              filterable: true,
            },
          ),
        ),
        field(
          valueName,
          FieldType.number,
          points.map(([, text]) => numberOf(String(text))),
          {},
        ),
      ],
    },
  ];
}

function field(name: string, type: FieldType, values: unknown[], config: Field['config']): Field {
  return { name, type, values, config };
}

function legendOf({ legendFormat = '' }: DrawnTarget, labels: Labels): string {
  return legendFormat.replaceAll(
    /\{\{\s*(\w+)\s*\}\}/g,
    (_all, label: string) => labels[label] ?? '',
  );
}

function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}
