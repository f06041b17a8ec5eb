/** Units of Grafana that are used; all of them are on dashboard-linter's list. */
export type Unit =
  | 'none'
  | 'short'
  | 'percentunit'
  | 'bytes'
  | 'Bps'
  | 'pps'
  | 'cps'
  | 's'
  | 'dateTimeFromNow'
  | 'dateTimeAsIso'
  | 'bool_yes_no';
