import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

import type { PageFacts } from '../page/facts/page-facts.ts';
import type { Recently } from '../risk/recent-counters.ts';
import type { View } from '../view/view.ts';
import type { ScrapeRequest } from './scrape-request.ts';
import type { Scraper } from './scraper.ts';

/** One look at the host, and what was made of it so far. */
export interface PageLook {
  readonly view: View;
  readonly recently: Recently;
  readonly facts: PageFacts;
  readonly bodies: Bodies;
}

export type Encoding = 'gzip' | 'identity';

/** A look without rates is of use no longer than until there can be some. */
const WITHOUT_RATES_SECONDS = 2;
/** Filters are typed by people: what nobody has asked for longest makes room for what is new. */
const MOST_BODIES = 16;

/**
 * Looks at the host for people. All who ask within some seconds get the same look, so that open tabs
 * cost one collection and one rendering together, however many there are. It is let go after that.
 */
export class PageViews {
  readonly #scraper: Scraper;
  readonly #request: ScrapeRequest;
  readonly #ageSeconds: number;
  #latest: { readonly look: PageLook; readonly until: number } | undefined;
  readonly #looks = new WeakMap<View, Promise<PageLook>>();

  /** @param ageSeconds for how long a look is shown to others; 0: each gets a new one. */
  constructor(scraper: Scraper, request: ScrapeRequest, ageSeconds: number) {
    this.#scraper = scraper;
    this.#request = request;
    this.#ageSeconds = ageSeconds;
  }

  /** @throws the reason of `gone`. */
  async look(gone: AbortSignal): Promise<PageLook> {
    if (this.#latest !== undefined && performance.now() < this.#latest.until) {
      return this.#latest.look;
    }
    const view = await this.#scraper.view(this.#request, gone);
    let look = this.#looks.get(view);
    if (look === undefined) {
      look = this.#toLook(view);
      this.#looks.set(view, look);
    }
    return await look;
  }

  async #toLook(view: View): Promise<PageLook> {
    const { pageFacts } = await import('../page/facts/page-facts.ts');
    const recently = this.#scraper.recently(view.snapshot);
    const facts = pageFacts(view, recently);
    const look = { view, recently, facts, bodies: new Bodies() };
    const seconds = facts.hasRates
      ? this.#ageSeconds
      : Math.min(this.#ageSeconds, WITHOUT_RATES_SECONDS);
    if (seconds > 0) {
      this.#latest = { look, until: performance.now() + seconds * 1000 };
      setTimeout(() => {
        if (this.#latest?.look === look) this.#latest = undefined;
      }, seconds * 1000).unref();
    }
    return look;
  }
}

/** What was rendered of one look, each page once. */
export class Bodies {
  readonly #made = new Map<string, Promise<Buffer>>();

  /** @param kind what it is; the same kind is made once. */
  get(kind: string, encoding: Encoding, make: () => string): Promise<Buffer> {
    const key = `${encoding} ${kind}`;
    const known = this.#made.get(key);
    if (known !== undefined) {
      this.#keep(key, known);
      return known;
    }
    const body =
      encoding === 'gzip'
        ? this.get(kind, 'identity', make).then((plain) => compress(plain))
        : // Not at once: what it throws is for whoever waits.
          Promise.resolve().then(() => Buffer.from(make()));
    this.#keep(key, body);
    return body;
  }

  /** Maps are in the order in which keys were set. */
  #keep(key: string, body: Promise<Buffer>): void {
    this.#made.delete(key);
    this.#made.set(key, body);
    const [longestUnasked] = this.#made.keys();
    if (this.#made.size > MOST_BODIES && longestUnasked !== undefined) {
      this.#made.delete(longestUnasked);
    }
  }
}

const gzipInBackground = promisify(gzip);

/** Quickly: the most of it is the same words over and over. */
function compress(plain: Buffer): Promise<Buffer> {
  return gzipInBackground(plain, { level: constants.Z_BEST_SPEED });
}
