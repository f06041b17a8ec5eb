import { flagTexts, reportFlagTexts, type FlagText } from '../../src/config/flags.ts';
import { COLLECTORS } from '../../src/model/collectors.ts';

/** Every flag, and the negation of those that switch a collector. */
export const FLAGS: readonly FlagText[] = flagTexts(
  COLLECTORS.map(({ name, help, enabledByDefault }) => ({
    name,
    help,
    defaultEnabled: enabledByDefault,
  })),
);

/** What the flags of collectors are called to switch them off. */
export const NEGATIONS: readonly FlagText[] = COLLECTORS.map(({ name, help }) => ({
  long: `--no-collector.${name}`,
  value: undefined,
  help: `Do not collect ${help}.`,
  default: undefined,
  choices: undefined,
}));

/** Those that `report` has besides. */
export const REPORT_FLAGS: readonly FlagText[] = reportFlagTexts();
