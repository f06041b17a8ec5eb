import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  decode,
  encode,
  encodeMessage,
  eventDefinitions,
  eventMessage,
  LibvirtError,
  MessageSplitter,
  procedures,
  rpcError,
  type Codec,
} from '../../../src/libvirt/index.ts';
import { StatsDecoder } from '../../../src/libvirt/stats-record.ts';
import { StringCache } from '../../../src/libvirt/string-cache.ts';
import { domainEvent, domainRef, errorFields, statsRecord } from './arbitraries.ts';

const RUNS = 100_000;
const SEED = 20260101;

/** Small fast generator (mulberry32): the same frames on every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const names = new StringCache();
const readWith =
  <T>(codec: Codec<T>) =>
  (payload: Buffer) => {
    decode(codec, payload);
  };

/** Every decoder of something that comes from the daemon. */
const decoders: readonly ((payload: Buffer) => void)[] = [
  ...Object.values(procedures).map(({ result }) => (payload: Buffer) => {
    decode<unknown>(result, payload);
  }),
  ...Object.values(eventDefinitions).map((definition) => readWith(eventMessage(definition))),
  readWith(rpcError),
  (payload) => {
    const decoder = new StatsDecoder(payload, names);
    while (!decoder.advance(50));
    for (const { params } of decoder.records) expect([...params]).toHaveLength(params.size);
  },
];

/** Frames as a healthy daemon sends them, to be broken. */
function sampleFrames(): readonly Buffer[] {
  const options = { numRuns: 40, seed: SEED };
  const payloads = [
    ...fc
      .sample(fc.array(statsRecord), options)
      .map((v) => encode(procedures.getAllDomainStats.result, v)),
    ...fc
      .sample(fc.array(domainRef), options)
      .map((v) => encode(procedures.listAllDomains.result, v)),
    ...fc.sample(errorFields, options).map((v) => encode(rpcError, v)),
    ...fc
      .sample(domainEvent, options)
      .map((event) => encode(eventMessage(eventDefinitions[event.type]), { callbackId: 1, event })),
  ];
  return payloads.map((payload, serial) =>
    encodeMessage(
      { program: 0x20008086, version: 1, procedure: 344, type: 1, serial, status: 0 },
      payload,
    ),
  );
}

describe('the decoders', () => {
  it('give a value or a typed error for 100,000 random and broken frames', () => {
    const random = generator(SEED);
    const pick = (below: number) => Math.floor(random() * below);
    const samples = sampleFrames();
    const outcomes = { values: 0, errors: 0 };
    const started = performance.now();
    for (let run = 0; run < RUNS; run++) {
      const frame = damaged(samples[pick(samples.length)] ?? Buffer.alloc(0), pick);
      const decoder = decoders[pick(decoders.length)];
      try {
        const cut = pick(frame.length + 1);
        const splitter = new MessageSplitter();
        for (const chunk of [frame.subarray(0, cut), frame.subarray(cut)]) {
          for (const { payload } of splitter.push(chunk)) {
            decoder?.(payload);
            outcomes.values++;
          }
        }
      } catch (error) {
        // Anything else than our own error would crash the exporter.
        if (!(error instanceof LibvirtError)) throw error;
        outcomes.errors++;
      }
    }
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(outcomes.values).toBeGreaterThan(1000);
    expect(outcomes.errors).toBeGreaterThan(10_000);
  }, 40_000);
});

/** One of: random bytes, changed bytes, a changed length or count, cut off, or left as it is. */
function damaged(sample: Buffer, pick: (below: number) => number): Buffer {
  const kind = pick(6);
  if (kind === 0) return Buffer.from(Array.from({ length: pick(200) }, () => pick(256)));
  const frame = Buffer.from(sample);
  if (kind === 1) return frame;
  if (kind === 2) {
    const cut = frame.subarray(0, 28 + pick(frame.length - 27));
    cut.writeUInt32BE(cut.length, 0);
    return cut;
  }
  if (kind === 3) {
    const at = pick(frame.length / 4) * 4;
    const words = [0, 1, 7, 0x7fffffff, 0xffffffff, 0x00400000, 262144, frame.length];
    frame.writeUInt32BE(words[pick(words.length)] ?? 0, at);
    return frame;
  }
  for (let changes = 1 + pick(8); changes > 0; changes--) {
    // From the payload on in one kind, anywhere in the other.
    const from = kind === 4 ? 28 : 0;
    if (frame.length > from) frame[from + pick(frame.length - from)] = pick(256);
  }
  return frame;
}
