import { stringify } from 'yaml';

import { LIMITS } from '../../../src/config/policy-defaults.ts';
import { TIME_FACTOR } from './time-factor.ts';

/** Limits a test sets otherwise than the built-in policy, by resource and name. */
export type PolicyChanges = Readonly<
  Record<
    string,
    Readonly<Record<string, { readonly warning?: number; readonly critical?: number }>>
  >
>;

/** Limits that are a time to act, which passes as fast as the rules' ranges do. */
const TIMES_TO_ACT = ['fill_seconds', 'imminent_seconds'];

/** A policy file: the built-in policy in fast-forward, with a test's own changes. */
export function labPolicy(changes: PolicyChanges): string {
  const storage = Object.fromEntries(
    LIMITS.filter(({ name }) => TIMES_TO_ACT.includes(name)).map(({ name, ...limit }) => [
      name,
      {
        ...(limit.warning === undefined ? {} : { warning: limit.warning / TIME_FACTOR }),
        ...(limit.critical === undefined ? {} : { critical: limit.critical / TIME_FACTOR }),
      },
    ]),
  );
  return stringify({ ...changes, storage: { ...storage, ...changes['storage'] } });
}
