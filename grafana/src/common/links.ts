import { DashboardLinkType, type DashboardLink } from '@grafana/grafana-foundation-sdk/dashboard';

/** All dashboards carry it; the dropdown lists whatever does. */
export const TAG = 'kvm-overcommit';

export type Uid =
  | 'kvm-fleet'
  | 'kvm-capacity'
  | 'kvm-host'
  | 'kvm-guest'
  | 'kvm-memory'
  | 'kvm-storage'
  | 'kvm-network';

/** A link of one value in a panel: a row of a table, a series of a graph. */
export interface DataLink {
  readonly title: string;
  readonly url: string;
}

/** Shown on top of every dashboard; time and whatever variables both have go along. */
export const DASHBOARDS_DROPDOWN: DashboardLink = {
  title: 'KVM over-commitment',
  type: DashboardLinkType.Dashboards,
  icon: 'external link',
  tooltip: 'The other dashboards, for the same hosts and time',
  tags: [TAG],
  asDropdown: true,
  targetBlank: false,
  includeVars: true,
  keepTime: true,
};

const TITLES: Readonly<Record<Uid, string>> = {
  'kvm-fleet': 'Fleet',
  'kvm-capacity': 'Capacity',
  'kvm-host': 'Host',
  'kvm-guest': 'Guest',
  'kvm-memory': 'Memory of this host',
  'kvm-storage': 'Storage of this host',
  'kvm-network': 'Network of this host',
};

/**
 * A link from a row of a table, which takes variables from its columns.
 *
 * @param columns titles of the columns with the values, by variable.
 */
export function fromRow(uid: Uid, columns: Readonly<Record<string, string>>): DataLink {
  return link(
    uid,
    Object.entries(columns).map(([name, column]) => [
      name,
      `\${__data.fields.${column}:percentencode}`,
    ]),
  );
}

/** The same on a dashboard that shows hosts one after another: the host is that of the panel. */
export function fromRowHere(uid: Uid, columns: Readonly<Record<string, string>>): DataLink {
  const { title, url } = fromRow(uid, columns);
  return { title, url: url.replace('&${job:queryparam}', '$&&var-instance=${instance}') };
}

/** A link from a series, which takes variables from its labels of the same name. */
export function fromSeries(uid: Uid, labels: readonly string[]): DataLink {
  return link(
    uid,
    labels.map((label) => [label, `\${__field.labels.${label}:percentencode}`]),
  );
}

function link(uid: Uid, variables: readonly (readonly [string, string])[]): DataLink {
  const query = [
    '${datasource:queryparam}',
    '${job:queryparam}',
    ...variables.map(([name, value]) => `var-${name}=${value}`),
    '${__url_time_range}',
  ];
  return { title: TITLES[uid], url: `/d/${uid}?${query.join('&')}` };
}

/** The columns of tables that links take their variables from. */
export const HOST_COLUMN = 'Host';
export const GUEST_COLUMN = 'Guest';
