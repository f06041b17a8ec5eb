/** An element of an XML document, with nothing interpreted: all values are text. */
export class XmlElement {
  /** With its namespace prefix, as written. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly inside, as it stands: libvirt keeps spaces at the ends of names and paths. */
  readonly text: string;
  readonly #faults: string[];

  /** @param faults of the whole document, see {@link complain}. */
  constructor(
    name: string,
    attributes: ReadonlyMap<string, string>,
    children: readonly XmlElement[],
    text: string,
    faults: string[],
  ) {
    this.name = name;
    this.attributes = attributes;
    this.children = children;
    this.text = text;
    this.#faults = faults;
  }

  attribute(name: string): string | undefined {
    return this.attributes.get(name);
  }

  /** The first child of that name. */
  child(name: string): XmlElement | undefined {
    return this.children.find((child) => child.name === name);
  }

  /** The element at the end of a path of names. */
  at(...path: readonly string[]): XmlElement | undefined {
    const [name, ...rest] = path;
    return name === undefined ? this : this.child(name)?.at(...rest);
  }

  all(name: string): readonly XmlElement[] {
    return this.children.filter((child) => child.name === name);
  }

  /** What readers of this document could not make sense of, in the order they came upon it. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Notes that a value is there but makes no sense, while the rest of the document is read. */
  complain(fault: string): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(fault);
    else if (this.#faults.length === MAX_FAULTS) this.#faults.push('and more');
  }
}

/** A person needs the first ones; a document may have as many as elements. */
const MAX_FAULTS = 10;
