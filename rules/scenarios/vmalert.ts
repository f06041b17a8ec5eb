/**
 * `npm run scenarios:vmalert`: the scenarios scraped every 60 s through VictoriaMetrics' vmalert-tool. It takes
 * minutes, so that `npm run check:rules` has them with both versions of Prometheus alone. One line for each
 * difference and a last one that counts them; exits with 1 when there is any.
 */
import { ALERT_GROUPS, RECORDING_GROUPS } from '../src/pack.ts';
import { newerEngines } from '../tool/engines.ts';
import { VmalertTool } from '../tool/vmalert-tool.ts';
import { EVERY_MINUTE, scenarioDifferences } from './check.ts';

const { vmalertTool } = await newerEngines();
await using vmalert = await VmalertTool.open(vmalertTool.path);
const groups = [...RECORDING_GROUPS, ...ALERT_GROUPS];
const differences = await scenarioDifferences(EVERY_MINUTE, groups, vmalert);
for (const one of differences) console.log(one);
const { scenarios } = EVERY_MINUTE;
console.log(
  `${vmalertTool.name}: ${scenarios.length} scenarios, ${differences.length} differences`,
);
process.exitCode = differences.length === 0 ? 0 : 1;
