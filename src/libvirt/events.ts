import { domainRef, type DomainRef } from './structures.ts';
import { MIN_TYPED_PARAM_BYTES, typedParam, type TypedParam } from './typed-param.ts';
import { array, optional, string, type Codec, type XdrReader, type XdrWriter } from './xdr.ts';

/**
 * Domain events: ids (virDomainEventID), the procedure numbers of their messages and the layout of
 * each message (remote_domain_event_*_msg). Every message begins with the callback id given at
 * registration, then the domain.
 */
export type DomainEvent =
  | {
      readonly type: 'lifecycle';
      readonly domain: DomainRef;
      /** virDomainEventType, see {@link lifecycleEvents}. */
      readonly event: number;
      readonly detail: number;
    }
  | { readonly type: 'reboot'; readonly domain: DomainRef }
  | {
      readonly type: 'ioError';
      readonly domain: DomainRef;
      readonly path: string;
      readonly deviceAlias: string;
      /** virDomainEventIOErrorAction: 0 none, 1 pause, 2 report to the guest. */
      readonly action: number;
      /** "enospc" when the storage is full, "" when the cause is not known. */
      readonly reason: string;
    }
  | { readonly type: 'balloonChange'; readonly domain: DomainRef; readonly actualKib: bigint }
  | {
      /** CPU shares, quotas, pins or disk limits of a running domain were set. */
      readonly type: 'tunable';
      readonly domain: DomainRef;
      /** VIR_DOMAIN_TUNABLE_*, e.g. `cputune.vcpu_quota`. */
      readonly params: readonly TypedParam[];
    }
  | { readonly type: 'deviceRemoved'; readonly domain: DomainRef; readonly deviceAlias: string }
  | { readonly type: 'deviceAdded'; readonly domain: DomainRef; readonly deviceAlias: string }
  | {
      /** virDomainEventTrayChangeReason: 0 open, 1 closed. */
      readonly type: 'trayChange';
      readonly domain: DomainRef;
      readonly deviceAlias: string;
      readonly reason: number;
    }
  | {
      /** The source of a disk was changed or dropped, as it was missing when the guest started. */
      readonly type: 'diskChange';
      readonly domain: DomainRef;
      readonly oldPath: string | undefined;
      readonly newPath: string | undefined;
      readonly deviceAlias: string;
      readonly reason: number;
    }
  | {
      /** A copy, commit, pull or backup of a disk is ready, or over: its images have changed. */
      readonly type: 'blockJob';
      readonly domain: DomainRef;
      /** Target name, for example vda. */
      readonly target: string;
      /** virDomainBlockJobType: 1 pull, 2 copy, 3 commit, 4 active commit, 5 backup. */
      readonly jobType: number;
      /** virConnectDomainEventBlockJobStatus: 0 completed, 1 failed, 2 cancelled, 3 ready. */
      readonly status: number;
    }
  | {
      readonly type: 'agentLifecycle';
      readonly domain: DomainRef;
      /** 1 connected, 2 disconnected. */
      readonly state: number;
      readonly reason: number;
    }
  | {
      readonly type: 'metadataChange';
      readonly domain: DomainRef;
      /** virDomainMetadataType: 0 description, 1 title, 2 an element of its own. */
      readonly metadataType: number;
      readonly namespace: string | undefined;
    }
  | {
      /** A virtio-mem device of a running guest has another size now. Since libvirt 7.9. */
      readonly type: 'memoryDeviceSizeChange';
      readonly domain: DomainRef;
      readonly deviceAlias: string;
      readonly sizeKib: bigint;
    }
  | {
      readonly type: 'blockThreshold';
      readonly domain: DomainRef;
      /** Target and index, for example vda or vda[1]. */
      readonly device: string;
      readonly path: string | undefined;
      readonly thresholdBytes: bigint;
      readonly excessBytes: bigint;
    }
  | {
      readonly type: 'memoryFailure';
      readonly domain: DomainRef;
      /** virDomainMemoryFailureRecipientType: 0 hypervisor, 1 guest. */
      readonly recipient: number;
      /** virDomainMemoryFailureActionType: 0 ignore, 1 inject, 2 fatal, 3 reset. */
      readonly action: number;
      readonly flags: number;
    };

export type DomainEventType = DomainEvent['type'];

/** virDomainEventType: the `event` of a lifecycle event. */
export const lifecycleEvents = {
  defined: 0,
  undefined: 1,
  started: 2,
  suspended: 3,
  resumed: 4,
  stopped: 5,
  shutdown: 6,
  pmSuspended: 7,
  crashed: 8,
} as const;

/** REMOTE_DOMAIN_EVENT_TUNABLE_MAX. */
const MAX_TUNABLES = 2048;
const tunables = array(typedParam, MAX_TUNABLES, MIN_TYPED_PARAM_BYTES);

/** How one type of event is asked for and how its message is laid out. */
export interface EventDefinition {
  /** virDomainEventID. */
  readonly eventId: number;
  /** REMOTE_PROC_DOMAIN_EVENT_CALLBACK_*. */
  readonly procedure: number;
  /** Reads what follows the callback id. */
  readonly read: (reader: XdrReader) => DomainEvent;
}

export const eventDefinitions: Readonly<Record<DomainEventType, EventDefinition>> = {
  lifecycle: {
    eventId: 0,
    procedure: 318,
    read: (reader) => ({
      type: 'lifecycle',
      domain: domainRef.read(reader),
      event: reader.int(),
      detail: reader.int(),
    }),
  },
  reboot: {
    eventId: 1,
    procedure: 319,
    read: (reader) => ({ type: 'reboot', domain: domainRef.read(reader) }),
  },
  ioError: {
    eventId: 6,
    procedure: 324,
    read: (reader) => ({
      type: 'ioError',
      domain: domainRef.read(reader),
      path: reader.string(),
      deviceAlias: reader.string(),
      action: reader.int(),
      reason: reader.string(),
    }),
  },
  balloonChange: {
    eventId: 13,
    procedure: 331,
    read: (reader) => ({
      type: 'balloonChange',
      domain: domainRef.read(reader),
      actualKib: reader.uhyper(),
    }),
  },
  deviceRemoved: {
    eventId: 15,
    procedure: 333,
    read: (reader) => ({
      type: 'deviceRemoved',
      domain: domainRef.read(reader),
      deviceAlias: reader.string(),
    }),
  },
  diskChange: {
    eventId: 9,
    procedure: 327,
    read: (reader) => ({
      type: 'diskChange',
      domain: domainRef.read(reader),
      oldPath: optional(string).read(reader),
      newPath: optional(string).read(reader),
      deviceAlias: reader.string(),
      reason: reader.int(),
    }),
  },
  trayChange: {
    eventId: 10,
    procedure: 328,
    read: (reader) => ({
      type: 'trayChange',
      domain: domainRef.read(reader),
      deviceAlias: reader.string(),
      reason: reader.int(),
    }),
  },
  blockJob: {
    // VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2: by target, since a path is what such a job changes.
    eventId: 16,
    procedure: 339,
    read: (reader) => ({
      type: 'blockJob',
      domain: domainRef.read(reader),
      target: reader.string(),
      jobType: reader.int(),
      status: reader.int(),
    }),
  },
  agentLifecycle: {
    eventId: 18,
    procedure: 348,
    read: (reader) => ({
      type: 'agentLifecycle',
      domain: domainRef.read(reader),
      state: reader.int(),
      reason: reader.int(),
    }),
  },
  metadataChange: {
    eventId: 23,
    procedure: 379,
    read: (reader) => ({
      type: 'metadataChange',
      domain: domainRef.read(reader),
      metadataType: reader.int(),
      namespace: optional(string).read(reader),
    }),
  },
  memoryDeviceSizeChange: {
    eventId: 26,
    procedure: 438,
    read: (reader) => ({
      type: 'memoryDeviceSizeChange',
      domain: domainRef.read(reader),
      deviceAlias: reader.string(),
      sizeKib: reader.uhyper(),
    }),
  },
  tunable: {
    eventId: 17,
    procedure: 346,
    read: (reader) => ({
      type: 'tunable',
      domain: domainRef.read(reader),
      params: tunables.read(reader),
    }),
  },
  deviceAdded: {
    eventId: 19,
    procedure: 354,
    read: (reader) => ({
      type: 'deviceAdded',
      domain: domainRef.read(reader),
      deviceAlias: reader.string(),
    }),
  },
  blockThreshold: {
    eventId: 24,
    procedure: 385,
    read: (reader) => ({
      type: 'blockThreshold',
      domain: domainRef.read(reader),
      device: reader.string(),
      path: optional(string).read(reader),
      thresholdBytes: reader.uhyper(),
      excessBytes: reader.uhyper(),
    }),
  },
  memoryFailure: {
    eventId: 25,
    procedure: 423,
    read: (reader) => ({
      type: 'memoryFailure',
      domain: domainRef.read(reader),
      recipient: reader.int(),
      action: reader.int(),
      flags: reader.uint(),
    }),
  },
};

const definitionOfProcedure = new Map(
  Object.values(eventDefinitions).map((definition) => [definition.procedure, definition]),
);

/** The definition of an event message, undefined for a procedure that is none of ours. */
export function eventOfProcedure(procedure: number): EventDefinition | undefined {
  return definitionOfProcedure.get(procedure);
}

/** An event message as sent: for whom, and what. */
export interface EventMessage {
  readonly callbackId: number;
  readonly event: DomainEvent;
}

/** The codec of one type of event message. */
export function eventMessage(definition: EventDefinition): Codec<EventMessage> {
  return {
    read: (reader) => ({ callbackId: reader.int(), event: definition.read(reader) }),
    write: (writer, message) => {
      writer.int(message.callbackId);
      writeEvent(writer, message.event);
    },
  };
}

function writeEvent(writer: XdrWriter, event: DomainEvent): void {
  domainRef.write(writer, event.domain);
  switch (event.type) {
    case 'lifecycle':
      writer.int(event.event);
      writer.int(event.detail);
      break;
    case 'reboot':
      break;
    case 'ioError':
      writer.string(event.path);
      writer.string(event.deviceAlias);
      writer.int(event.action);
      writer.string(event.reason);
      break;
    case 'balloonChange':
      writer.uhyper(event.actualKib);
      break;
    case 'tunable':
      tunables.write(writer, event.params);
      break;
    case 'deviceRemoved':
    case 'deviceAdded':
      writer.string(event.deviceAlias);
      break;
    case 'trayChange':
      writer.string(event.deviceAlias);
      writer.int(event.reason);
      break;
    case 'diskChange':
      optional(string).write(writer, event.oldPath);
      optional(string).write(writer, event.newPath);
      writer.string(event.deviceAlias);
      writer.int(event.reason);
      break;
    case 'blockJob':
      writer.string(event.target);
      writer.int(event.jobType);
      writer.int(event.status);
      break;
    case 'agentLifecycle':
      writer.int(event.state);
      writer.int(event.reason);
      break;
    case 'metadataChange':
      writer.int(event.metadataType);
      optional(string).write(writer, event.namespace);
      break;
    case 'memoryDeviceSizeChange':
      writer.string(event.deviceAlias);
      writer.uhyper(event.sizeKib);
      break;
    case 'blockThreshold':
      writer.string(event.device);
      optional(string).write(writer, event.path);
      writer.uhyper(event.thresholdBytes);
      writer.uhyper(event.excessBytes);
      break;
    case 'memoryFailure':
      writer.int(event.recipient);
      writer.int(event.action);
      writer.uint(event.flags);
      break;
  }
}
