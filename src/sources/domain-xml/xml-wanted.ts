/**
 * What of an element is read. Everything else is passed over before it is parsed: a tenant may put
 * what he likes into `<metadata>`, `<title>` and `<description>`, millions of elements of any name.
 */
export interface WantedXml {
  /** What is read of a child of that name; undefined: nothing. */
  child(name: string): WantedXml | undefined;
  /**
   * Set where tenants write: so many children are read at most, and what is too large to be meant
   * seriously is passed over. Undefined: libvirt writes here, and such a thing is a fault.
   */
  readonly mostChildren: number | undefined;
}

/** The element with all that is in it. */
export const EVERYTHING: WantedXml = { child: () => EVERYTHING, mostChildren: undefined };

/** The element with its attributes and text, and those of its children that are named. */
export function only(children: Readonly<Record<string, WantedXml>>): WantedXml {
  const wanted = new Map(Object.entries(children));
  return { child: (name) => wanted.get(name), mostChildren: undefined };
}

/** As `only`, written by a tenant; names are taken without their namespace prefix. */
export function onlyOfTenant(children: Readonly<Record<string, WantedXml>>): WantedXml {
  const wanted = new Map(Object.entries(children));
  return {
    child: (name) => wanted.get(name.slice(name.indexOf(':') + 1)),
    mostChildren: 16,
  };
}
