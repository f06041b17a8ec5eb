import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARD_FOLDER } from './dashboard-file.ts';
import { readDashboard, type DashboardModel } from './lint/model.ts';

/** The committed dashboards, as a Grafana would load them. */
export function committedDashboards(): readonly DashboardModel[] {
  return readdirSync(DASHBOARD_FOLDER).map((name) =>
    readDashboard(readFileSync(join(DASHBOARD_FOLDER, name), 'utf8')),
  );
}
