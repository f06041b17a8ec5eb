import type { Fault } from './faults.ts';
import type { Mix } from './guests.ts';

export const DAEMONS = ['fresh', 'warm'] as const;

/** `fresh`: libvirtd and exporter are restarted first. `warm`: both run on, libvirtd with 12 workers. */
export type DaemonState = (typeof DAEMONS)[number];

/** One case of the matrix. */
export interface Row {
  readonly count: number;
  readonly fault: Fault;
  readonly mix: Mix;
  readonly daemon: DaemonState;
  readonly repeats: number;
}

/** `10 stopped mixed fresh`: what `--rows` is compared with. */
export function rowName({ count, fault, mix, daemon }: Omit<Row, 'repeats'>): string {
  return `${count} ${fault} ${mix} ${daemon}`;
}
