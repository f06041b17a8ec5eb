import type { XmlElement } from './xml-element.ts';

/** Namespaces by prefix; '' is the default one. */
type Scope = ReadonlyMap<string, string>;

/**
 * An element and the namespace it is in, whatever prefix stands for it there: libvirt keeps the
 * prefixes of whoever wrote the metadata, and declares them on the element, on `<metadata>`, or on
 * `<domain>`.
 */
export class NamespacedElement {
  readonly element: XmlElement;
  /** '' for none. */
  readonly namespace: string;
  /** The name without prefix. */
  readonly name: string;
  readonly #scope: Scope;

  constructor(element: XmlElement, around: Scope = new Map()) {
    this.element = element;
    this.#scope = scopeOf(element, around);
    const colon = element.name.indexOf(':');
    this.namespace = this.#scope.get(colon === -1 ? '' : element.name.slice(0, colon)) ?? '';
    this.name = element.name.slice(colon + 1);
  }

  get children(): readonly NamespacedElement[] {
    return this.element.children.map((child) => new NamespacedElement(child, this.#scope));
  }

  /** The first child of that name in the same namespace. */
  child(name: string): NamespacedElement | undefined {
    return this.children.find((child) => child.name === name && child.namespace === this.namespace);
  }
}

function scopeOf(element: XmlElement, around: Scope): Scope {
  const own = [...element.attributes].flatMap(([name, value]): [string, string][] => {
    if (name === 'xmlns') return [['', value]];
    return name.startsWith('xmlns:') ? [[name.slice('xmlns:'.length), value]] : [];
  });
  return own.length === 0 ? around : new Map([...around, ...own]);
}
