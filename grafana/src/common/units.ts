/** Units of Grafana that are used; all of them are on dashboard-linter's list. */
export type Unit =
  | 'none'
  | 'short'
  | 'string'
  | 'percentunit'
  | 'bytes'
  | 'binBps'
  | 'Bps'
  | 'pps'
  | 'ops'
  | 'iops'
  | 'cps'
  | 's'
  | 'dateTimeFromNow'
  | 'bool_yes_no';
