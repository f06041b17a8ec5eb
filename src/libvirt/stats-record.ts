import { setImmediate } from 'node:timers/promises';

import { ProtocolError } from './errors.ts';
import type { StringCache } from './string-cache.ts';
import { domainRef, limits, MIN_DOMAIN_BYTES, type DomainRef } from './structures.ts';
import {
  MIN_TYPED_PARAM_BYTES,
  typedParam,
  typedParamTypes,
  type TypedParam,
  type TypedValue,
} from './typed-param.ts';
import { array, XdrReader, type Codec } from './xdr.ts';

/**
 * The reply of CONNECT_GET_ALL_DOMAIN_STATS: per domain a list of named values. A host with 1000
 * guests answers with about 3 MB and 92000 values, so this is decoded by hand, names are shared,
 * and the event loop gets its turn in between.
 */

/** The values of one domain, in the order of the reply, in two parallel lists. */
export class TypedParams {
  readonly fields: readonly string[];
  readonly values: readonly TypedValue[];

  constructor(fields: readonly string[], values: readonly TypedValue[]) {
    this.fields = fields;
    this.values = values;
  }

  get size(): number {
    return this.fields.length;
  }

  /** The value of a field, undefined when the daemon did not send it. */
  get(field: string): TypedValue | undefined {
    const at = this.fields.indexOf(field);
    return at < 0 ? undefined : this.values[at];
  }

  *[Symbol.iterator](): Generator<readonly [string, TypedValue]> {
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i];
      const value = this.values[i];
      if (field !== undefined && value !== undefined) yield [field, value];
    }
  }
}

/** What the daemon sent for one domain. */
export interface StatsRecord {
  readonly domain: DomainRef;
  readonly params: TypedParams;
}

/** The same with the wire types kept, as needed to encode a reply. */
export interface EncodableStatsRecord {
  readonly domain: DomainRef;
  readonly params: readonly TypedParam[];
}

const paramList = array(typedParam, limits.statsParams, MIN_TYPED_PARAM_BYTES);
const MIN_RECORD_BYTES = MIN_DOMAIN_BYTES + 4;

const statsRecord: Codec<EncodableStatsRecord> = {
  read: (reader) => ({ domain: domainRef.read(reader), params: paramList.read(reader) }),
  write: (writer, record) => {
    domainRef.write(writer, record.domain);
    paramList.write(writer, record.params);
  },
};

/** The plain codec, both ways; {@link StatsDecoder} reads the same bytes faster and in slices. */
export const statsRecords = array(statsRecord, limits.domains, MIN_RECORD_BYTES);

/** Decodes a stats reply a given number of values at a time. Throws ProtocolError. */
export class StatsDecoder {
  readonly #reader: XdrReader;
  readonly #names: StringCache;
  readonly #records: StatsRecord[] = [];
  readonly #recordCount: number;
  #domain: DomainRef | undefined;
  #fields: string[] = [];
  #values: TypedValue[] = [];
  #paramsLeft = 0;

  constructor(reply: Buffer, names: StringCache) {
    this.#reader = new XdrReader(reply);
    this.#names = names;
    this.#recordCount = this.#reader.count(limits.domains, MIN_RECORD_BYTES);
  }

  /** Decodes up to `maxParams` values more. Returns true when the reply is complete. */
  advance(maxParams: number): boolean {
    let budget = maxParams;
    while (this.#domain !== undefined || this.#records.length < this.#recordCount) {
      if (this.#domain === undefined) this.#startRecord();
      const slice = Math.min(budget, this.#paramsLeft);
      for (let i = 0; i < slice; i++) {
        this.#fields.push(this.#reader.cachedString(this.#names));
        this.#values.push(readValue(this.#reader));
      }
      this.#paramsLeft -= slice;
      // A record without values costs as well.
      budget -= slice + 1;
      if (this.#paramsLeft === 0) this.#finishRecord();
      if (budget <= 0) return false;
    }
    this.#reader.end();
    return true;
  }

  /** The records decoded so far. */
  get records(): readonly StatsRecord[] {
    return this.#records;
  }

  #startRecord(): void {
    this.#domain = domainRef.read(this.#reader);
    this.#paramsLeft = this.#reader.count(limits.statsParams, MIN_TYPED_PARAM_BYTES);
    this.#fields = [];
    this.#values = [];
  }

  #finishRecord(): void {
    if (this.#domain === undefined) return;
    const params = new TypedParams(this.#fields, this.#values);
    this.#records.push({ domain: this.#domain, params });
    this.#domain = undefined;
  }
}

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
      throw new ProtocolError(`typed parameter of unknown type ${type}`);
  }
}

/** Between two slices the event loop runs; 4000 values take 1 to 2 ms. */
const PARAMS_PER_SLICE = 4000;

/** Decodes a whole stats reply without holding the event loop for more than a few ms. */
export async function decodeStats(
  reply: Buffer,
  names: StringCache,
): Promise<readonly StatsRecord[]> {
  const decoder = new StatsDecoder(reply, names);
  while (!decoder.advance(PARAMS_PER_SLICE)) await setImmediate();
  return decoder.records;
}
