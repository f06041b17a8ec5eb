import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Unit } from './units.ts';
import { DATASOURCE } from './variables.ts';

/** A panel and the room it takes, in units of a grid 24 wide. */
export interface Tile {
  readonly panel: Panel;
  readonly width: number;
  readonly height: number;
}

/** What every panel says about itself. */
export interface Caption {
  readonly title: string;
  /** What is shown, and what good looks like. */
  readonly description: string;
  readonly unit: Unit;
}

export interface Query {
  readonly expr: string;
  /** Template of the name of each series. */
  readonly legend: string;
}

/** Series over the time range of the dashboard. */
export function overTime({ expr, legend }: Query, index: number): DataqueryBuilder {
  return query(expr, index).range().legendFormat(legend);
}

/** The values at its end. */
export function atTheEnd({ expr, legend }: Query, index: number): DataqueryBuilder {
  return query(expr, index).instant().legendFormat(legend);
}

/** The values at its end as rows of a table. */
export function asRows(expr: string, index: number): DataqueryBuilder {
  return query(expr, index).instant().format(PromQueryFormat.Table);
}

/** A, B, C …: the builder leaves it empty, and transformations name queries by it. */
export function refId(index: number): string {
  if (index >= 26) throw new RangeError('more queries than letters');
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function query(expr: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder().datasource(DATASOURCE).refId(refId(index)).expr(expr);
}
