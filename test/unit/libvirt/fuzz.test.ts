import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  decode,
  encode,
  encodeMessage,
  eventDefinitions,
  eventMessage,
  LibvirtError,
  messageStatus,
  MessageSplitter,
  procedures,
  rpcError,
  type Codec,
} from '../../../src/libvirt/index.ts';
import { StatsDecoder } from '../../../src/libvirt/stats-record.ts';
import { StringCache } from '../../../src/libvirt/string-cache.ts';
import {
  domainEvent,
  domainRef,
  errorFields,
  statsRecord,
} from '../../support/libvirt/arbitraries.ts';
import { damaged, picker } from '../../support/libvirt/damage.ts';
import { encodeReply, silence } from '../../support/libvirt/fake-daemon.ts';
import { connectTo, fakeDaemon } from './with-daemon.ts';

const RUNS = 100_000;
const SEED = 20260101;

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
    const pick = picker(SEED);
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

describe('a connection', () => {
  it('ends each of 2,000 calls with a value or a typed error when the replies are broken', async () => {
    const pick = picker(SEED);
    const replies = fc
      .sample(fc.array(statsRecord), { numRuns: 40, seed: SEED })
      .map((records) => encode(procedures.getAllDomainStats.result, records));
    const daemon = await fakeDaemon();
    daemon.on(procedures.getAllDomainStats, (_, call) => {
      const reply = replies[pick(replies.length)] ?? Buffer.alloc(0);
      call.client.sendBytes(damaged(encodeReply(call, messageStatus.ok, reply), pick));
      // What is cut off would otherwise be waited for until the deadline.
      call.client.disconnect();
      return silence;
    });
    const outcomes = { values: 0, errors: 0 };
    for (let run = 0; run < 2000; run++) {
      await using connection = await connectTo(daemon);
      try {
        const records = await connection.getAllDomainStats(0, 0);
        for (const { params } of records) expect([...params]).toHaveLength(params.size);
        outcomes.values++;
      } catch (error) {
        if (!(error instanceof LibvirtError) || error.kind === 'timeout') throw error;
        outcomes.errors++;
      }
      expect(connection.outstanding).toBe(0);
    }
    expect(outcomes.values).toBeGreaterThan(100);
    expect(outcomes.errors).toBeGreaterThan(1000);
  }, 60_000);
});
