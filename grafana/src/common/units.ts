/** Units of Grafana that are used; all of them are on dashboard-linter's list. */
export type Unit =
  | 'none'
  | 'short'
  | 'percentunit'
  | 'bytes'
  | 'binBps'
  | 'Bps'
  | 'pps'
  | 'ops'
  | 'iops'
  | 's'
  | 'dateTimeFromNow'
  | 'dateTimeAsIso'
  | 'bool_yes_no';
