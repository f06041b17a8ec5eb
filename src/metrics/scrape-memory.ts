import { GuestLabelCache } from './guest-labels.ts';
import { RisingValues } from './rising.ts';

/** All that metrics keep from one scrape to the next. One for the life of the process. */
export class ScrapeMemory {
  readonly guestLabels = new GuestLabelCache();
  readonly rising = new RisingValues();
}
