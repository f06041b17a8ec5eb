import { writeFileSync } from 'node:fs';
import { DASHBOARDS } from './src/dashboards.ts';
import { dashboardFile, textOf } from './dashboard-file.ts';

for (const dashboard of DASHBOARDS) writeFileSync(dashboardFile(dashboard), textOf(dashboard));
