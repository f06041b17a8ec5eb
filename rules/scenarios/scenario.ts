import type { RiskResource } from '../../src/risk/risk-model.ts';
import type { MadeUpHost } from './host.ts';

/** What an operator must see of a host at a time, written by hand. */
export interface Look {
  /** Minutes after the first scrape. */
  readonly minute: number;
  /** Alerts that fire, by name and severity, with how many of them where there are several. */
  readonly alerts: readonly string[];
  /** Levels of risk that are not 0. */
  readonly risk?: Readonly<Partial<Record<RiskResource, 1 | 2 | 3>>>;
}

/** A host with a story. Its events are at minutes that are scraped at every interval. */
export interface Scenario {
  readonly name: string;
  readonly hosts: (instance: string, size: number) => readonly MadeUpHost[];
  readonly looks: readonly Look[];
  /** Which of the hosts the looks are at; the first one by default. */
  readonly at?: number;
}

/** One host, the rule. */
export function scenario(
  name: string,
  host: (instance: string, size: number) => MadeUpHost,
  looks: readonly Look[],
): Scenario {
  return { name, hosts: (instance, size) => [host(instance, size)], looks };
}

/** In seconds, as all times of a scenario. */
export function minutes(count: number): number {
  return count * 60;
}

export function days(count: number): number {
  return minutes(count * 24 * 60);
}
