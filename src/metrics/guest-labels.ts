import { closeLabels, openLabels } from '../exposition/labels.ts';

/**
 * The label texts of one guest, rendered once and kept between scrapes: with 1,000 guests and a
 * hundred series each, escaping names anew was most of the cost of an exposition.
 */
export class GuestLabels {
  /** `{domain="…"}` */
  readonly only: string;
  readonly #open: string;
  readonly #vcpus: string[] = [];
  readonly #devices = new Map<string, string>();
  readonly #others = new Map<string, string>();

  constructor(readonly name: string) {
    this.#open = openLabels(['domain'], [name]);
    this.only = closeLabels(this.#open);
  }

  /** `{domain="…",vcpu="…"}` */
  vcpu(index: number): string {
    return (this.#vcpus[index] ??= closeLabels(this.#open, ['vcpu'], [String(index)]));
  }

  /** `{domain="…",device="…"}` */
  device(device: string): string {
    return memo(this.#devices, device, () => closeLabels(this.#open, ['device'], [device]));
  }

  /** `{domain="…",<name>="<value>"}` for a label with few, recurring values. */
  one(name: string, value: string): string {
    return memo(this.#others, `${name}=${value}`, () => closeLabels(this.#open, [name], [value]));
  }

  /** Any further labels; not kept. */
  with(names: readonly string[], values: readonly string[]): string {
    return closeLabels(this.#open, names, values);
  }
}

/** One `GuestLabels` for each guest, thrown away with the guest or its name. */
export class GuestLabelCache {
  #kept = new Map<string, GuestLabels>();

  /** Labels for exactly these guests, by uuid; those of any other guest are forgotten. */
  forGuests(
    guests: readonly { readonly uuid: string; readonly name: string }[],
  ): ReadonlyMap<string, GuestLabels> {
    const next = new Map<string, GuestLabels>();
    for (const { uuid, name } of guests) {
      const known = this.#kept.get(uuid);
      next.set(uuid, known?.name === name ? known : new GuestLabels(name));
    }
    this.#kept = next;
    return next;
  }
}

function memo(cache: Map<string, string>, key: string, make: () => string): string {
  let text = cache.get(key);
  if (text === undefined) {
    text = make();
    cache.set(key, text);
  }
  return text;
}
