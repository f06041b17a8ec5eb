/**
 * Pressure stall totals of one resource (Documentation/accounting/psi.rst), counters in seconds.
 * The kernel's averages are left out: they can be had from the totals, over any window.
 */
export interface Pressure {
  /** Time in which at least one task was stalled on the resource. */
  readonly someSeconds: number;
  /**
   * Time in which no task could run for it. Undefined where it has no meaning (CPU of the whole
   * host, where the kernel prints a constant 0) or no line (CPU before 5.13).
   */
  readonly fullSeconds: number | undefined;
}

export type PressureResource = (typeof PRESSURE_RESOURCES)[number];

export const PRESSURE_RESOURCES = ['cpu', 'memory', 'io'] as const;
