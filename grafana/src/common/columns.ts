import { fromRow, fromRowHere, GUEST_COLUMN, HOST_COLUMN } from './links.ts';
import type { KeyColumn } from './table.ts';

/** The host of a row, with links to the dashboards about it. */
export const HOST_KEY: KeyColumn = {
  label: 'instance',
  title: HOST_COLUMN,
  links: (['kvm-host', 'kvm-memory', 'kvm-storage', 'kvm-network'] as const).map((uid) =>
    fromRow(uid, { instance: HOST_COLUMN }),
  ),
};

/** The guest of a row on a dashboard that shows hosts one after another. */
export const LOCAL_GUEST_KEY: KeyColumn = {
  label: 'domain',
  title: GUEST_COLUMN,
  links: [fromRowHere('kvm-guest', { domain: GUEST_COLUMN })],
};

/** The guest of a row, with a link to it; needs the host in the same table. */
export const GUEST_KEY: KeyColumn = {
  label: 'domain',
  title: GUEST_COLUMN,
  links: [fromRow('kvm-guest', { instance: HOST_COLUMN, domain: GUEST_COLUMN })],
};
