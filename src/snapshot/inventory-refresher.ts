import { cpu, osInfo } from 'systeminformation';

import type { Inventory } from './host.ts';

const REFRESH_MS = 60 * 60_000;

/**
 * Reads the inventory in the background: systeminformation starts shells and needs up to 0.1 s, so
 * it never runs in a scrape. A kernel or an OS does not change under a running exporter, but the
 * host's name may.
 */
export class InventoryRefresher {
  #inventory: Inventory | undefined;
  #timer: NodeJS.Timeout | undefined;

  get current(): Inventory | undefined {
    return this.#inventory;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    void this.#refresh();
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #refresh(): Promise<void> {
    try {
      const [processor, os] = await Promise.all([cpu(), osInfo()]);
      this.#inventory = {
        cpuModel: `${processor.manufacturer} ${processor.brand}`.trim(),
        cpuVendor: processor.vendor,
        osName: os.distro,
        osRelease: os.release,
        kernel: os.kernel,
        hostname: os.hostname,
      };
    } catch {
      // Only for people to read: without it the info metric is absent.
    }
  }
}
