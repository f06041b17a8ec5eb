/**
 * Units dashboard-linter accepts, of those that fit what is measured here; the ids are Grafana's
 * (packages/grafana-data valueFormats/categories). What they measure, for those with a dimension.
 */
export const UNITS: ReadonlyMap<string, Dimension> = new Map<string, Dimension>([
  ['none', { bytes: 0, seconds: 0 }],
  ['short', { bytes: 0, seconds: 0 }],
  ['string', { bytes: 0, seconds: 0 }],
  ['percent', { bytes: 0, seconds: 0 }],
  ['percentunit', { bytes: 0, seconds: 0 }],
  ['bool', { bytes: 0, seconds: 0 }],
  ['bool_yes_no', { bytes: 0, seconds: 0 }],
  ['bool_on_off', { bytes: 0, seconds: 0 }],
  ['bytes', { bytes: 1, seconds: 0 }],
  ['decbytes', { bytes: 1, seconds: 0 }],
  ['Bps', { bytes: 1, seconds: -1 }],
  ['binBps', { bytes: 1, seconds: -1 }],
  ['pps', { bytes: 0, seconds: -1 }],
  ['ops', { bytes: 0, seconds: -1 }],
  ['iops', { bytes: 0, seconds: -1 }],
  ['cps', { bytes: 0, seconds: -1 }],
  ['reqps', { bytes: 0, seconds: -1 }],
  ['hertz', { bytes: 0, seconds: -1 }],
  ['s', { bytes: 0, seconds: 1 }],
  ['ms', { bytes: 0, seconds: 1 }],
  ['dtdurations', { bytes: 0, seconds: 1 }],
  ['dateTimeAsIso', { bytes: 0, seconds: 1 }],
  ['dateTimeFromNow', { bytes: 0, seconds: 1 }],
]);

/** Powers of bytes and seconds. */
export interface Dimension {
  readonly bytes: number;
  readonly seconds: number;
}
