import fc, { type Arbitrary } from 'fast-check';

import type {
  DomainEvent,
  DomainRef,
  EncodableStatsRecord,
  NamedObject,
  RpcErrorFields,
  TypedParam,
} from '../../../src/libvirt/index.ts';

/** Any value of each type that travels between client and daemon. */

export const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
export const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
export const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
export const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Whole code points: a lone surrogate has no UTF-8 form. */
export const text = fc.string({ unit: 'binary' });
export const uuid = fc.uuid();

/** The id of a running domain; -1 says that it is not running and becomes undefined. */
const domainId = fc.option(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { nil: undefined });

export const domainRef: Arbitrary<DomainRef> = fc.record({ name: text, uuid, id: domainId });
export const namedObject: Arbitrary<NamedObject> = fc.record({ name: text, uuid });

export const typedParam: Arbitrary<TypedParam> = fc.oneof(
  fc.record({ field: text, type: fc.constant('int' as const), value: int32 }),
  fc.record({ field: text, type: fc.constant('uint' as const), value: uint32 }),
  fc.record({ field: text, type: fc.constant('llong' as const), value: int64 }),
  fc.record({ field: text, type: fc.constant('ullong' as const), value: uint64 }),
  fc.record({ field: text, type: fc.constant('double' as const), value: fc.double() }),
  fc.record({ field: text, type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ field: text, type: fc.constant('string' as const), value: text }),
);

export const statsRecord: Arbitrary<EncodableStatsRecord> = fc.record({
  domain: domainRef,
  params: fc.array(typedParam, { maxLength: 12 }),
});

const optionalText = fc.option(text, { nil: undefined });

export const errorFields: Arbitrary<RpcErrorFields> = fc.record({
  code: int32,
  domain: int32,
  message: optionalText,
  level: int32,
  str1: optionalText,
  str2: optionalText,
  str3: optionalText,
  int1: int32,
  int2: int32,
});

export const domainEvent: Arbitrary<DomainEvent> = fc.oneof(
  fc.record({
    type: fc.constant('lifecycle' as const),
    domain: domainRef,
    event: int32,
    detail: int32,
  }),
  fc.record({ type: fc.constant('reboot' as const), domain: domainRef }),
  fc.record({
    type: fc.constant('ioError' as const),
    domain: domainRef,
    path: text,
    deviceAlias: text,
    action: int32,
    reason: text,
  }),
  fc.record({
    type: fc.constant('balloonChange' as const),
    domain: domainRef,
    actualKib: uint64,
  }),
  fc.record({
    type: fc.constant('tunable' as const),
    domain: domainRef,
    params: fc.array(typedParam, { maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('deviceRemoved' as const), domain: domainRef, deviceAlias: text }),
  fc.record({ type: fc.constant('deviceAdded' as const), domain: domainRef, deviceAlias: text }),
  fc.record({
    type: fc.constant('trayChange' as const),
    domain: domainRef,
    deviceAlias: text,
    reason: int32,
  }),
  fc.record({
    type: fc.constant('diskChange' as const),
    domain: domainRef,
    oldPath: optionalText,
    newPath: optionalText,
    deviceAlias: text,
    reason: int32,
  }),
  fc.record({
    type: fc.constant('blockJob' as const),
    domain: domainRef,
    target: text,
    jobType: int32,
    status: int32,
  }),
  fc.record({
    type: fc.constant('agentLifecycle' as const),
    domain: domainRef,
    state: int32,
    reason: int32,
  }),
  fc.record({
    type: fc.constant('metadataChange' as const),
    domain: domainRef,
    metadataType: int32,
    namespace: optionalText,
  }),
  fc.record({
    type: fc.constant('memoryDeviceSizeChange' as const),
    domain: domainRef,
    deviceAlias: text,
    sizeKib: uint64,
  }),
  fc.record({
    type: fc.constant('blockThreshold' as const),
    domain: domainRef,
    device: text,
    path: optionalText,
    thresholdBytes: uint64,
    excessBytes: uint64,
  }),
  fc.record({
    type: fc.constant('memoryFailure' as const),
    domain: domainRef,
    recipient: int32,
    action: int32,
    flags: uint32,
  }),
);
