import { ProtocolError } from './errors.ts';
import {
  MIN_TYPED_PARAM_BYTES,
  typedParam,
  typedParamTypes,
  type TypedParam,
  type TypedValue,
} from './typed-param.ts';
import { array, encode, XdrReader } from './xdr.ts';

/**
 * The named values of one domain in a stats reply, in the order of the reply. A value becomes a
 * JavaScript value each time it is asked for: 92000 of them made at once for 1000 domains would
 * cost the garbage collector more than the decoding.
 */
export class TypedParams {
  readonly fields: readonly string[];
  readonly #values: XdrReader;
  readonly #offsets: Uint32Array;
  readonly #first: number;

  /**
   * `offsets[first + i]` is where the value of `fields[i]` begins in the reply. `values` reads
   * that reply, and may serve all records of it; the bytes were checked with {@link skipValue}.
   */
  constructor(fields: readonly string[], values: XdrReader, offsets: Uint32Array, first: number) {
    this.fields = fields;
    this.#values = values;
    this.#offsets = offsets;
    this.#first = first;
  }

  /** The same from single parameters. */
  static from(params: readonly TypedParam[]): TypedParams {
    const bytes = encode(array(typedParam, params.length, MIN_TYPED_PARAM_BYTES), params);
    const reader = new XdrReader(bytes);
    reader.uint();
    const offsets = new Uint32Array(params.length);
    const fields: string[] = [];
    for (let i = 0; i < params.length; i++) {
      fields.push(reader.string());
      offsets[i] = reader.position;
      skipValue(reader);
    }
    return new TypedParams(fields, reader, offsets, 0);
  }

  get size(): number {
    return this.fields.length;
  }

  /** The value of the `index`-th field. */
  at(index: number): TypedValue | undefined {
    if (index < 0 || index >= this.fields.length) return undefined;
    const offset = this.#offsets[this.#first + index];
    if (offset === undefined) return undefined;
    this.#values.seek(offset);
    return readValue(this.#values);
  }

  /** The value of a field, undefined when the daemon did not send it. */
  get(field: string): TypedValue | undefined {
    return this.at(this.fields.indexOf(field));
  }

  *[Symbol.iterator](): Generator<readonly [string, TypedValue]> {
    for (const [index, field] of this.fields.entries()) {
      const value = this.at(index);
      if (value !== undefined) yield [field, value];
    }
  }
}

/** Reads the type and the value of a typed parameter. */
function readValue(reader: XdrReader): TypedValue {
  const type = reader.int();
  switch (type) {
    case typedParamTypes.int:
      return reader.int();
    case typedParamTypes.uint:
      return reader.uint();
    case typedParamTypes.llong:
      return reader.hyper();
    case typedParamTypes.ullong:
      return reader.uhyper();
    case typedParamTypes.double:
      return reader.double();
    case typedParamTypes.boolean:
      return reader.int() !== 0;
    case typedParamTypes.string:
      return reader.string();
    default:
      throw unknownType(type);
  }
}

/** Passes over the type and the value of a typed parameter, and so checks them. */
export function skipValue(reader: XdrReader): void {
  const type = reader.int();
  switch (type) {
    case typedParamTypes.int:
    case typedParamTypes.uint:
    case typedParamTypes.boolean:
      reader.skip(4);
      break;
    case typedParamTypes.llong:
    case typedParamTypes.ullong:
    case typedParamTypes.double:
      reader.skip(8);
      break;
    case typedParamTypes.string:
      reader.skipString();
      break;
    default:
      throw unknownType(type);
  }
}

function unknownType(type: number): ProtocolError {
  return new ProtocolError(`typed parameter of unknown type ${type}`);
}
