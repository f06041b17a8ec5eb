import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { scaledAlerts, scaledRecordings } from '../../../rules/scale.ts';
import { ALERT_GROUPS, RECORDING_GROUPS } from '../../../rules/src/pack.ts';
import { ruleFile } from '../../../rules/tool/render.ts';
import { TIME_FACTOR } from './time-factor.ts';

/** Writes the pack in fast-forward into a directory; returns the files for `rule_files`. */
export function scaledRuleFiles(directory: string): readonly string[] {
  const factor = 1 / TIME_FACTOR;
  const files = {
    'recording.yaml': ruleFile(RECORDING_GROUPS.map((group) => scaledRecordings(group, factor))),
    'alerts.yaml': ruleFile(ALERT_GROUPS.map((group) => scaledAlerts(group, factor))),
  };
  return Object.entries(files).map(([name, text]) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  });
}
