import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  decode,
  encode,
  eventDefinitions,
  eventMessage,
  procedures,
  rpcError,
  type Codec,
} from '../../../src/libvirt/index.ts';
import {
  domainEvent,
  domainRef,
  errorFields,
  int32,
  namedObject,
  statsRecord,
  text,
  typedParam,
  uint32,
  uint64,
} from '../../support/libvirt/arbitraries.ts';

function survivesTheWire<T>(codec: Codec<T>, values: Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = encode(codec, value);
      expect(bytes.length % 4).toBe(0);
      expect(decode(codec, bytes)).toEqual(value);
    }),
    { numRuns: 50 },
  );
}

const noArgs = fc.constant(undefined);
const domainFlags = fc.record({ domain: domainRef, flags: uint32 });
const objectFlags = fc.record({ object: namedObject, flags: uint32 });

describe('arguments: what is decoded is what was encoded', () => {
  it('CONNECT_OPEN', () => {
    survivesTheWire(
      procedures.connectOpen.args,
      fc.record({ uri: fc.option(text, { nil: undefined }), flags: uint32 }),
    );
  });
  it('calls without arguments', () => {
    survivesTheWire(procedures.getHostname.args, noArgs);
  });
  it('a domain and flags', () => {
    survivesTheWire(procedures.domainGetXmlDesc.args, domainFlags);
  });
  it('a domain', () => {
    survivesTheWire(procedures.domainIsPersistent.args, domainRef);
  });
  it('a pool or network and flags', () => {
    survivesTheWire(procedures.networkGetXmlDesc.args, objectFlags);
  });
  it('list filters', () => {
    survivesTheWire(procedures.listAllDomains.args, uint32);
  });
  it('a name', () => {
    survivesTheWire(procedures.domainLookupByName.args, text);
  });
  it('a feature', () => {
    survivesTheWire(procedures.supportsFeature.args, int32);
  });
  it('GET_ALL_DOMAIN_STATS', () => {
    survivesTheWire(
      procedures.getAllDomainStats.args,
      fc.record({ domains: fc.array(domainRef), stats: uint32, flags: uint32 }),
    );
  });
  it('DOMAIN_GET_BLOCK_IO_TUNE', () => {
    survivesTheWire(
      procedures.domainGetBlockIoTune.args,
      fc.record({
        domain: domainRef,
        disk: fc.option(text, { nil: undefined }),
        maxParams: int32,
        flags: uint32,
      }),
    );
  });
  it('event registration', () => {
    survivesTheWire(
      procedures.eventRegister.args,
      fc.record({ eventId: int32, domain: fc.option(domainRef, { nil: undefined }) }),
    );
  });
});

describe('results: what is decoded is what was encoded', () => {
  it('text', () => {
    survivesTheWire(procedures.getCapabilities.result, text);
  });
  it('version numbers', () => {
    survivesTheWire(procedures.getLibVersion.result, uint64);
  });
  it('yes or no', () => {
    survivesTheWire(procedures.domainGetAutostart.result, fc.boolean());
  });
  it('authentication types', () => {
    survivesTheWire(procedures.authList.result, fc.array(int32, { maxLength: 20 }));
  });
  it('domains', () => {
    survivesTheWire(procedures.listAllDomains.result, fc.array(domainRef));
  });
  it('pools and networks', () => {
    survivesTheWire(procedures.listAllStoragePools.result, fc.array(namedObject));
    survivesTheWire(procedures.listAllNetworks.result, fc.array(namedObject));
  });
  it('device names and messages', () => {
    survivesTheWire(procedures.listAllNodeDevices.result, fc.array(text));
    survivesTheWire(procedures.domainGetMessages.result, fc.array(text));
  });
  it('host information', () => {
    survivesTheWire(
      procedures.nodeGetInfo.result,
      fc.record({
        cpuModel: fc.stringMatching(/^[ -~]{0,31}$/),
        memoryKib: uint64,
        cpus: int32,
        mhz: int32,
        numaNodes: int32,
        socketsPerNode: int32,
        coresPerSocket: int32,
        threadsPerCore: int32,
      }),
    );
  });
  it('the state of a domain', () => {
    survivesTheWire(procedures.domainGetState.result, fc.record({ state: int32, reason: int32 }));
  });
  it('the use of a pool', () => {
    survivesTheWire(
      procedures.storagePoolGetInfo.result,
      fc.record({
        state: uint32,
        capacityBytes: uint64,
        allocationBytes: uint64,
        availableBytes: uint64,
      }),
    );
  });
  it('jobs', () => {
    survivesTheWire(
      procedures.domainGetJobInfo.result,
      fc.record({
        type: int32,
        timeElapsedMs: uint64,
        timeRemainingMs: uint64,
        dataTotalBytes: uint64,
        dataProcessedBytes: uint64,
        dataRemainingBytes: uint64,
        memTotalBytes: uint64,
        memProcessedBytes: uint64,
        memRemainingBytes: uint64,
        fileTotalBytes: uint64,
        fileProcessedBytes: uint64,
        fileRemainingBytes: uint64,
      }),
    );
    survivesTheWire(
      procedures.domainGetJobStats.result,
      fc.record({ type: int32, params: fc.array(typedParam, { maxLength: 64 }) }),
    );
  });
  it('I/O limits', () => {
    survivesTheWire(
      procedures.domainGetBlockIoTune.result,
      fc.array(typedParam, { maxLength: 32 }),
    );
  });
  it('domain statistics', () => {
    survivesTheWire(procedures.getAllDomainStats.result, fc.array(statsRecord));
  });
  it('errors, with and without their strings', () => {
    survivesTheWire(rpcError, errorFields);
  });
  it('events', () => {
    fc.assert(
      fc.property(int32, domainEvent, (callbackId, event) => {
        const codec = eventMessage(eventDefinitions[event.type]);
        expect(decode(codec, encode(codec, { callbackId, event }))).toEqual({ callbackId, event });
      }),
    );
  });
});

describe('the layout of well-known values', () => {
  it('writes a running domain as name, 16 bytes of UUID and id', () => {
    const bytes = encode(procedures.domainIsPersistent.args, {
      name: 'web',
      uuid: '01020304-0506-0708-090a-0b0c0d0e0f10',
      id: 7,
    });
    expect(bytes.toString('hex')).toBe(
      '00000003' + '77656200' + '0102030405060708090a0b0c0d0e0f10' + '00000007',
    );
  });

  it('writes a domain that is not running with id -1', () => {
    const bytes = encode(procedures.domainIsPersistent.args, {
      name: '',
      uuid: '00000000-0000-0000-0000-000000000000',
      id: undefined,
    });
    expect(bytes.readInt32BE(20)).toBe(-1);
  });

  it('opens qemu:///system read-only with 14 letters, two bytes of padding and flag 1', () => {
    const bytes = encode(procedures.connectOpen.args, { uri: 'qemu:///system', flags: 1 });
    expect(bytes.toString('hex')).toBe(
      '00000001' + '0000000e' + Buffer.from('qemu:///system').toString('hex') + '0000' + '00000001',
    );
  });

  it('asks for the stats of all domains with an empty list', () => {
    const flags = 0x2000_0000;
    const bytes = encode(procedures.getAllDomainStats.args, { domains: [], stats: 17, flags });
    expect(bytes.toString('hex')).toBe('00000000' + '00000011' + '20000000');
  });

  it('refuses to write what is not a UUID', () => {
    const domain = { name: 'web', uuid: '42', id: 1 };
    expect(() => encode(procedures.domainIsPersistent.args, domain)).toThrow('not a UUID: 42');
  });
});

describe('the id of a guest', () => {
  it('is none below 0, whatever a daemon makes of "not running"', () => {
    const { args } = procedures.domainIsPersistent;
    const uuid = '6f2d0b5a-1111-4222-8333-0123456789ab';
    for (const id of [-1, -2, -(2 ** 31)]) {
      expect(decode(args, encode(args, { name: 'a', uuid, id })).id).toBeUndefined();
    }
    expect(decode(args, encode(args, { name: 'a', uuid, id: 1 })).id).toBe(1);
  });
});
