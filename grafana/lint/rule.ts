import type { DashboardModel } from './model.ts';

/** Something every dashboard must satisfy. */
export interface Rule {
  readonly name: string;
  /** Everything that is wrong, with where; empty when all is well. */
  readonly faults: (dashboard: DashboardModel) => readonly string[];
}
