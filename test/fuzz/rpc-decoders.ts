import {
  decode,
  encode,
  encodeMessage,
  eventDefinitions,
  eventMessage,
  LibvirtError,
  MessageSplitter,
  procedures,
  readDomainStats,
  rpcError,
  type Codec,
} from '../../src/libvirt/index.ts';
import { StatsDecoder } from '../../src/libvirt/stats-record.ts';
import { StringCache } from '../../src/libvirt/string-cache.ts';
import { busyGuest } from '../support/libvirt/busy-guest.ts';
import { damaged } from '../support/libvirt/damage.ts';
import { noFalseNumber } from './numbers.ts';
import { simple, type Target } from './target.ts';

/** Codes that are looked up in a table, where one nobody knows is `unknown`. */
const SIGNED: ReadonlySet<string> = new Set(['state', 'reason']);

/** Frames as they come from the daemon, cut anywhere, through the splitter into every decoder. */
export const rpcDecoders: Target = {
  name: 'rpc-decoders',
  async open() {
    const samples = await sampleFrames();
    return simple((pick) => {
      const frame = damaged(samples[pick(samples.length)] ?? Buffer.alloc(0), pick);
      const decoder = decoders[pick(decoders.length)];
      const cut = pick(frame.length + 1);
      let decoded = 0;
      try {
        const splitter = new MessageSplitter();
        for (const chunk of [frame.subarray(0, cut), frame.subarray(cut)]) {
          for (const { payload } of splitter.push(chunk)) {
            decoder?.(payload);
            decoded += 1;
          }
        }
      } catch (error) {
        // Anything else than our own error would crash the exporter.
        if (!(error instanceof LibvirtError)) throw error;
        return 'refusal';
      }
      return decoded === 0 ? 'refusal' : 'value';
    });
  },
};

const names = new StringCache();
const readWith =
  <T>(codec: Codec<T>) =>
  (payload: Buffer) => {
    decode(codec, payload);
  };

function readStats(payload: Buffer): void {
  const decoder = new StatsDecoder(payload, names);
  while (!decoder.advance(50));
  for (const record of decoder.records) noFalseNumber(readDomainStats(record), SIGNED);
}

const decoders: readonly ((payload: Buffer) => void)[] = [
  ...Object.values(procedures).map(({ result }) => readWith<unknown>(result)),
  ...Object.values(eventDefinitions).map((definition) => readWith(eventMessage(definition))),
  readWith(rpcError),
  // As often as all others together: this is what each scrape reads.
  ...Array.from({ length: Object.keys(procedures).length }, () => readStats),
];

/** Frames of a healthy daemon. */
export async function sampleFrames(): Promise<readonly Buffer[]> {
  // Loading these takes seconds, which the other targets need not wait for.
  const { default: fc } = await import('fast-check');
  const { domainEvent, domainRef, errorFields, statsRecord } =
    await import('../support/libvirt/arbitraries.ts');
  const options = { numRuns: 40, seed: 20260101 };
  const stats = (records: Parameters<typeof procedures.getAllDomainStats.result.write>[1]) =>
    encode(procedures.getAllDomainStats.result, records);
  const payloads = [
    ...Array.from({ length: 20 }, (_, index) => stats([busyGuest(index)])),
    ...fc.sample(fc.array(statsRecord), options).map(stats),
    ...fc
      .sample(fc.array(domainRef), options)
      .map((domains) => encode(procedures.listAllDomains.result, domains)),
    ...fc.sample(errorFields, options).map((fields) => encode(rpcError, fields)),
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
