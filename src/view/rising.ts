/**
 * Keeps a counter from stepping back that the kernel lets step back, or that is the difference of
 * two of its counters. The kernel rounds user and guest time to ticks each by itself (nsec_to_clock_t in fs/proc/stat.c), and reads
 * counters one after the other, so that the difference can fall by one although both only rise.
 * Prometheus would take that for a restart and count the whole value once more.
 */
export class RisingValues {
  readonly #highest = new Map<string, { epoch: number; value: number }>();

  /**
   * The highest value seen under this key since the epoch (e.g. the time of boot) changed.
   */
  of(key: string, epoch: number, value: number): number {
    const known = this.#highest.get(key);
    if (known?.epoch === epoch) {
      if (value > known.value) known.value = value;
      return known.value;
    }
    this.#highest.set(key, { epoch, value });
    return value;
  }
}
