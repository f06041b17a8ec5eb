import { setImmediate } from 'node:timers/promises';

import type { StringCache } from './string-cache.ts';
import { domainRef, limits, MIN_DOMAIN_BYTES, type DomainRef } from './structures.ts';
import { MIN_TYPED_PARAM_BYTES, typedParam, type TypedParam } from './typed-param.ts';
import { skipValue, TypedParams } from './typed-params.ts';
import { array, XdrReader, type Codec } from './xdr.ts';

/**
 * The reply of CONNECT_GET_ALL_DOMAIN_STATS: per domain a list of named values. A host with 1000
 * guests answers with about 3 MB and 92000 values, so names are shared, values are checked but left
 * in the reply until asked for, and the event loop gets its turn in between.
 */

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
  /** Of all records; apart from the one above, which may be in the middle of its work. */
  readonly #values: XdrReader;
  readonly #names: StringCache;
  readonly #records: StatsRecord[] = [];
  readonly #recordCount: number;
  /** Where each value of the reply begins; no reply holds more values than this has room for. */
  readonly #offsets: Uint32Array;
  #valueCount = 0;
  /** The record being read and its names; the list is used again for each record. */
  #domain: DomainRef | undefined;
  readonly #fields: string[] = [];
  #paramsLeft = 0;
  /** Domains of the same shape follow each other, and share one list of names. */
  #lastFields: readonly string[] = [];

  constructor(reply: Buffer, names: StringCache) {
    this.#reader = new XdrReader(reply);
    this.#values = new XdrReader(reply);
    this.#names = names;
    this.#recordCount = this.#reader.count(limits.domains, MIN_RECORD_BYTES);
    this.#offsets = new Uint32Array(Math.floor(reply.length / MIN_TYPED_PARAM_BYTES));
  }

  /** Decodes up to `maxParams` values more. Returns true when the reply is complete. */
  advance(maxParams: number): boolean {
    let budget = maxParams;
    while (this.#domain !== undefined || this.#records.length < this.#recordCount) {
      this.#domain ??= this.#startRecord();
      const slice = Math.min(budget, this.#paramsLeft);
      for (let i = 0; i < slice; i++) {
        this.#fields.push(this.#reader.cachedString(this.#names));
        this.#offsets[this.#valueCount++] = this.#reader.position;
        skipValue(this.#reader);
      }
      this.#paramsLeft -= slice;
      // A record without values costs as well.
      budget -= slice + 1;
      if (this.#paramsLeft === 0) this.#finishRecord(this.#domain);
      if (budget <= 0) return false;
    }
    this.#reader.end();
    return true;
  }

  /** The records decoded so far. */
  get records(): readonly StatsRecord[] {
    return this.#records;
  }

  #startRecord(): DomainRef {
    const domain = domainRef.read(this.#reader);
    this.#paramsLeft = this.#reader.count(limits.statsParams, MIN_TYPED_PARAM_BYTES);
    this.#fields.length = 0;
    return domain;
  }

  #finishRecord(domain: DomainRef): void {
    if (!sameStrings(this.#fields, this.#lastFields)) this.#lastFields = this.#fields.slice();
    const first = this.#valueCount - this.#fields.length;
    const params = new TypedParams(this.#lastFields, this.#values, this.#offsets, first);
    this.#records.push({ domain, params });
    this.#domain = undefined;
  }
}

function sameStrings(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

/** Between two slices the event loop runs; this many values take well under 1 ms, 2 ms when cold. */
const PARAMS_PER_SLICE = 1000;

/** Decodes a whole stats reply without holding the event loop for more than a few ms. */
export async function decodeStats(
  reply: Buffer,
  names: StringCache,
): Promise<readonly StatsRecord[]> {
  const decoder = new StatsDecoder(reply, names);
  while (!decoder.advance(PARAMS_PER_SLICE)) await setImmediate();
  return decoder.records;
}
