import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  TableCellBackgroundDisplayMode,
  TableCellDisplayMode,
  TableCellHeight,
  TableSortByFieldStateBuilder,
  type TableCellOptions,
} from '@grafana/grafana-foundation-sdk/common';
import type {
  DynamicConfigValue,
  ThresholdsConfig,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import type { DataLink } from './links.ts';
import { NEUTRAL, RISK_MAPPINGS, RISK_THRESHOLDS } from './risk.ts';
import { asRows, refId, type Caption, type Tile } from './tile.ts';
import type { Unit } from './units.ts';
import { DATASOURCE } from './variables.ts';

/** A column from a label; the rows are told apart by these. */
export interface KeyColumn {
  readonly label: string;
  readonly title: string;
  readonly links?: readonly DataLink[];
  /** In pixels; the first column takes what the others leave. */
  readonly width?: number;
}

/** A column from the values of a query. */
export interface ValueColumn {
  readonly title: string;
  readonly expr: string;
  readonly unit: Unit;
  /** A bar fills its cell at 1; risk takes the risk colours; text is plain. */
  readonly cell?: 'bar' | 'risk' | 'text';
  readonly thresholds?: ThresholdsConfig;
  /** What numbers stand for. */
  readonly texts?: Readonly<Record<string, string>>;
  /** In pixels; what its title and its unit need by default. */
  readonly width?: number;
}

export interface TableSpec extends Omit<Caption, 'unit'> {
  /** Every query must be aggregated to job and these labels, or have no others. */
  readonly keys: readonly KeyColumn[];
  readonly values: readonly ValueColumn[];
  /** Queries for the labels of some keys; their values, always 1, are not shown. */
  readonly infos?: readonly string[];
  /** Labels that tell rows apart and are not shown. */
  readonly hidden?: readonly string[];
  readonly sortBy: string;
  readonly ascending?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** One row for each set of labels, one column for each query. */
export function table(spec: TableSpec): Tile {
  const builder = new PanelBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .unit('short')
    .filterable(true)
    .cellHeight(TableCellHeight.Sm)
    .showHeader(true)
    .sortBy([
      new TableSortByFieldStateBuilder().displayName(spec.sortBy).desc(spec.ascending !== true),
    ])
    .targets([...spec.values.map(({ expr }) => expr), ...(spec.infos ?? [])].map(asRows))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: organized(spec) });
  for (const [index, { label, title, links, width }] of spec.keys.entries()) {
    const properties: DynamicConfigValue[] = [
      // Else a name like 007 is taken for a number.
      { id: 'unit', value: 'string' },
      ...(links === undefined ? [] : [{ id: 'links', value: links }]),
      ...(index === 0
        ? []
        : [
            {
              id: 'custom.width',
              value: width ?? widthOf(title, TEXT_WIDTHS[label] ?? TEXT_WIDTH),
            },
          ]),
    ];
    builder.overrideByName(title, properties);
  }
  for (const column of spec.values) builder.overrideByName(column.title, propertiesOf(column));
  return { panel: builder.build(), width: spec.width ?? 24, height: spec.height ?? 9 };
}

/** On a dashboard of one host after another, the host is in the heading of the row. */
const NEVER_SHOWN = ['Time', 'job', 'cluster', 'instance'];

/** Keys first, then values, under their titles; time, job and infos say nothing in a row. */
function organized({ keys, values, infos = [], hidden: unseen = [] }: TableSpec): unknown {
  const queries = values.length + infos.length;
  const fields = [
    ...keys.map(({ label, title }) => ({ field: label, title })),
    ...values.map(({ title }, index) => ({ field: valueField(queries, index), title })),
  ];
  const hidden = infos.map((_info, index) => valueField(queries, values.length + index));
  return {
    excludeByName: Object.fromEntries(
      [
        ...NEVER_SHOWN.filter((label) => keys.every((key) => key.label !== label)),
        ...unseen,
        ...hidden,
      ].map((field) => [field, true]),
    ),
    includeByName: {},
    indexByName: Object.fromEntries(fields.map(({ field }, index) => [field, index])),
    renameByName: Object.fromEntries(fields.map(({ field, title }) => [field, title])),
  };
}

/** Grafana's Prometheus data source names the column after the query when there are several. */
function valueField(queries: number, index: number): string {
  return queries === 1 ? 'Value' : `Value #${refId(index)}`;
}

function propertiesOf(column: ValueColumn): DynamicConfigValue[] {
  const properties: DynamicConfigValue[] = [{ id: 'unit', value: column.unit }];
  if (column.unit === 'percentunit') properties.push({ id: 'decimals', value: 1 });
  if (column.cell === 'risk') {
    properties.push(
      { id: 'mappings', value: RISK_MAPPINGS },
      { id: 'thresholds', value: RISK_THRESHOLDS },
      { id: 'custom.cellOptions', value: FILLED },
    );
  } else if (column.cell === 'bar') {
    properties.push(
      { id: 'min', value: 0 },
      { id: 'max', value: 1 },
      { id: 'thresholds', value: column.thresholds ?? NEUTRAL },
      { id: 'custom.cellOptions', value: BAR },
    );
  } else if (column.thresholds !== undefined) {
    properties.push(
      { id: 'thresholds', value: column.thresholds },
      { id: 'custom.cellOptions', value: COLOURED },
    );
  }
  if (column.texts !== undefined) {
    const options = Object.entries(column.texts).map(([value, text]) => [value, { text }]);
    const mapping = { type: 'value', options: Object.fromEntries(options) as unknown };
    properties.push({ id: 'mappings', value: [mapping] });
  }
  properties.push({
    id: 'custom.width',
    value: column.width ?? widthOf(column.title, valueWidth(column)),
  });
  return properties;
}

/** A letter of the header, and the room for its margins and the arrow of the sorted column. */
const LETTER = 7.6;
const WIDE_LETTER = 11;
const HEADER_MARGIN = 46;
const TEXT_WIDTH = 110;
/** Texts that are longer than most. */
const TEXT_WIDTHS: Readonly<Record<string, number>> = { mountpoint: 190, path: 190, mac: 150 };

function widthOf(title: string, least: number): number {
  const wide = title.match(/[mw]/gi)?.length ?? 0;
  const letters = (title.length - wide) * LETTER + wide * WIDE_LETTER;
  return Math.max(least, Math.ceil(letters) + HEADER_MARGIN);
}

/** What the longest value takes. */
function valueWidth({ unit, cell, texts = {} }: ValueColumn): number {
  if (cell === 'bar') return 130;
  if (cell === 'risk') return 84;
  const longest = Math.max(0, ...Object.values(texts).map(({ length }) => length));
  if (longest > 0) return Math.ceil(longest * LETTER) + 20;
  return VALUE_WIDTHS[unit] ?? 80;
}

const VALUE_WIDTHS: Partial<Record<Unit, number>> = {
  bytes: 92,
  Bps: 104,
  s: 100,
  dateTimeFromNow: 130,
  dateTimeAsIso: 170,
};

const FILLED: TableCellOptions = {
  type: TableCellDisplayMode.ColorBackground,
  mode: TableCellBackgroundDisplayMode.Basic,
};
const COLOURED: TableCellOptions = { type: TableCellDisplayMode.ColorText };
const BAR: TableCellOptions = {
  type: TableCellDisplayMode.Gauge,
  mode: BarGaugeDisplayMode.Basic,
  valueDisplayMode: BarGaugeValueMode.Text,
};
