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
  return ofTenant(new Map(Object.entries(children)));
}

/** Names of elements, with those of the elements in them. */
export interface NameTree {
  readonly inside: ReadonlyMap<string, NameTree>;
}

/** As `onlyOfTenant`, of names that are known only when the exporter starts. */
export function namesOfTenant({ inside }: NameTree): WantedXml {
  return ofTenant(new Map([...inside].map(([name, tree]) => [name, namesOfTenant(tree)])));
}

function ofTenant(wanted: ReadonlyMap<string, WantedXml>): WantedXml {
  return {
    child: (name) => wanted.get(name.slice(name.indexOf(':') + 1)),
    mostChildren: MOST_OF_TENANT,
  };
}

const MOST_OF_TENANT = 16;

/** What either wants, of an element a tenant writes. */
export function both(one: WantedXml, other: WantedXml): WantedXml {
  return {
    child: (name) => {
      const ofOne = one.child(name);
      const ofOther = other.child(name);
      return ofOne === undefined || ofOther === undefined
        ? (ofOne ?? ofOther)
        : both(ofOne, ofOther);
    },
    mostChildren: MOST_OF_TENANT,
  };
}
