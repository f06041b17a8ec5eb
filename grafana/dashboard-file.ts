import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

/** Where the JSON that Grafana loads is kept. */
export const DASHBOARD_FOLDER = join(import.meta.dirname, 'dashboards');

export function dashboardFile({ uid }: Dashboard): string {
  if (uid === undefined) throw new Error('a dashboard has no uid');
  return join(DASHBOARD_FOLDER, `${uid}.json`);
}

export function textOf(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}
