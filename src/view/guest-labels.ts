import { closeLabels, openLabels } from '../exposition/labels.ts';

/**
 * The label texts of one guest, rendered once and kept between scrapes: with 1,000 guests and a
 * hundred series each, escaping names anew was most of the cost of an exposition.
 */
export class GuestLabels {
  readonly name: string;
  /** `{domain="…"}` */
  readonly only: string;
  readonly #open: string;
  readonly #vcpus: string[] = [];
  readonly #byName = new Map<string, Map<string, string>>();
  readonly #ofParts = new WeakMap<object, { readonly device: string; readonly text: string }>();

  constructor(name: string) {
    this.name = name;
    this.#open = openLabels(['domain'], [name]);
    this.only = closeLabels(this.#open);
  }

  /** `{domain="…",vcpu="…"}` */
  vcpu(index: number): string {
    return (this.#vcpus[index] ??= closeLabels(this.#open, ['vcpu'], [String(index)]));
  }

  /** `{domain="…",device="…"}` */
  device(device: string): string {
    return this.one('device', device);
  }

  /** `{domain="…",<name>="<value>"}` for a label with few, recurring values. */
  one(name: string, value: string): string {
    let texts = this.#byName.get(name);
    if (texts === undefined) {
      texts = new Map();
      this.#byName.set(name, texts);
    }
    let text = texts.get(value);
    if (text === undefined) {
      text = closeLabels(this.#open, [name], [value]);
      texts.set(value, text);
    }
    return text;
  }

  /**
   * `device` and what else is said of a part of the guest's configuration, kept as long as that part.
   *
   * @param rest the values of all further names; they follow from the part alone.
   */
  ofPart(
    part: object,
    device: string,
    names: readonly string[],
    rest: () => readonly string[],
  ): string {
    const kept = this.#ofParts.get(part);
    if (kept?.device === device) return kept.text;
    const text = this.with(names, [device, ...rest()]);
    this.#ofParts.set(part, { device, text });
    return text;
  }

  /** Any further labels; not kept. */
  with(names: readonly string[], values: readonly string[]): string {
    return closeLabels(this.#open, names, values);
  }
}

/** One `GuestLabels` for each guest, thrown away with the guest or its name. */
export class GuestLabelCache {
  #kept = new Map<string, GuestLabels>();

  /** Labels for exactly these guests, by uuid; those of any other guest are dropped. */
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
