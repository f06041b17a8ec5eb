import type { RpcErrorFields } from './errors.ts';
import { array, int, optional, string, uhyper, type Codec } from './xdr.ts';

/**
 * The structures libvirt's calls are made of, with the field order of src/remote/remote_protocol.x
 * (the same in libvirt 9.0 and 11.3).
 */

/** A guest as the daemon names it. The UUID is its identity; names and ids are reused. */
export interface DomainRef {
  readonly name: string;
  /** Lower case, with dashes. */
  readonly uuid: string;
  /** Number of this run of the guest; undefined while it is not running (-1 on the wire). */
  readonly id: number | undefined;
}

/** A network or a storage pool as the daemon names it. */
export interface NamedObject {
  readonly name: string;
  readonly uuid: string;
}

/** Upper limits of the lists, from remote_protocol.x. */
export const limits = {
  domains: 16384,
  networks: 16384,
  storagePools: 4096,
  nodeDevices: 16384,
  statsParams: 262144,
  authTypes: 20,
  jobStatsParams: 64,
  blockIoTuneParams: 32,
  messages: 2048,
} as const;

const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** 16 raw bytes on the wire, the usual text form for the caller. */
const uuid: Codec<string> = {
  read: (reader) => {
    const hex = reader.opaque(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
  write: (writer, value) => {
    if (!UUID_PATTERN.test(value)) throw new TypeError(`not a UUID: ${value}`);
    writer.opaque(Buffer.from(value.replaceAll('-', ''), 'hex'));
  },
};

export const domainRef: Codec<DomainRef> = {
  read: (reader) => {
    const name = reader.string();
    const domainUuid = uuid.read(reader);
    const id = reader.int();
    return { name, uuid: domainUuid, id: id < 0 ? undefined : id };
  },
  write: (writer, domain) => {
    writer.string(domain.name);
    uuid.write(writer, domain.uuid);
    writer.int(domain.id ?? -1);
  },
};

export const namedObject: Codec<NamedObject> = {
  read: (reader) => ({ name: reader.string(), uuid: uuid.read(reader) }),
  write: (writer, object) => {
    writer.string(object.name);
    uuid.write(writer, object.uuid);
  },
};

/** Shortest encoding: empty name (4), UUID (16), id (4). */
export const MIN_DOMAIN_BYTES = 24;
export const MIN_NAMED_OBJECT_BYTES = 20;

export const domainList = array(domainRef, limits.domains, MIN_DOMAIN_BYTES);

/** The body of an error reply. The two object references in it are read and dropped. */
export const rpcError: Codec<RpcErrorFields> = {
  read: (reader) => {
    const code = reader.int();
    const domain = reader.int();
    const message = optional(string).read(reader);
    const level = reader.int();
    optional(domainRef).read(reader);
    const str1 = optional(string).read(reader);
    const str2 = optional(string).read(reader);
    const str3 = optional(string).read(reader);
    const int1 = reader.int();
    const int2 = reader.int();
    optional(namedObject).read(reader);
    return { code, domain, message, level, str1, str2, str3, int1, int2 };
  },
  write: (writer, error) => {
    writer.int(error.code);
    writer.int(error.domain);
    optional(string).write(writer, error.message);
    writer.int(error.level);
    optional(domainRef).write(writer, undefined);
    optional(string).write(writer, error.str1);
    optional(string).write(writer, error.str2);
    optional(string).write(writer, error.str3);
    writer.int(error.int1);
    writer.int(error.int2);
    optional(namedObject).write(writer, undefined);
  },
};

/** virNodeInfo: what the daemon says of the host's processors and memory. */
export interface NodeInfo {
  readonly cpuModel: string;
  readonly memoryKib: bigint;
  /** Active logical CPUs. */
  readonly cpus: number;
  /** 0 when unknown. */
  readonly mhz: number;
  readonly numaNodes: number;
  readonly socketsPerNode: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
}

/** `char model[32]` travels as 32 ints, one per character. */
const MODEL_CHARS = 32;

export const nodeInfo: Codec<NodeInfo> = {
  read: (reader) => {
    const chars: number[] = [];
    for (let i = 0; i < MODEL_CHARS; i++) chars.push(reader.int() & 0xff);
    const end = chars.indexOf(0);
    const cpuModel = Buffer.from(end < 0 ? chars : chars.slice(0, end)).toString('utf8');
    return {
      cpuModel,
      memoryKib: reader.uhyper(),
      cpus: reader.int(),
      mhz: reader.int(),
      numaNodes: reader.int(),
      socketsPerNode: reader.int(),
      coresPerSocket: reader.int(),
      threadsPerCore: reader.int(),
    };
  },
  write: (writer, info) => {
    const model = Buffer.from(info.cpuModel, 'utf8');
    for (let i = 0; i < MODEL_CHARS; i++) writer.int(model[i] ?? 0);
    writer.uhyper(info.memoryKib);
    writer.int(info.cpus);
    writer.int(info.mhz);
    writer.int(info.numaNodes);
    writer.int(info.socketsPerNode);
    writer.int(info.coresPerSocket);
    writer.int(info.threadsPerCore);
  },
};

/** virDomainState and its reason; a reason means nothing without its state. */
export interface DomainState {
  /** 0 none, 1 running, 2 blocked, 3 paused, 4 shutting down, 5 shut off, 6 crashed, 7 suspended. */
  readonly state: number;
  readonly reason: number;
}

export const domainState: Codec<DomainState> = {
  read: (reader) => ({ state: reader.int(), reason: reader.int() }),
  write: (writer, value) => {
    writer.int(value.state);
    writer.int(value.reason);
  },
};

/**
 * virDomainControlInfo: what libvirt is doing with the guest's monitor, read from its own book-keeping
 * without entering the monitor (src/qemu/qemu_driver.c, qemuDomainGetControlInfo).
 */
export interface DomainControlInfo {
  /** 0 free, 1 a job, 2 occupied: a command to the monitor has no answer yet, 3 broken. */
  readonly state: number;
  /** Why it is broken: 1 unknown, 2 the monitor, 3 libvirt itself. */
  readonly details: number;
  /** Milliseconds it has been so; 0 when free or broken. */
  readonly stateTimeMs: bigint;
}

export const domainControlInfo: Codec<DomainControlInfo> = {
  read: (reader) => ({
    state: reader.uint(),
    details: reader.uint(),
    stateTimeMs: reader.uhyper(),
  }),
  write: (writer, info) => {
    writer.uint(info.state);
    writer.uint(info.details);
    writer.uhyper(info.stateTimeMs);
  },
};

/**
 * virDomainInterfaceStats, as the guest sees its NIC. What the device does not count is undefined
 * (-1 on the wire).
 */
export interface InterfaceStats {
  readonly receivedBytes: bigint | undefined;
  readonly receivedPackets: bigint | undefined;
  readonly receivedErrors: bigint | undefined;
  readonly receivedDrops: bigint | undefined;
  readonly transmittedBytes: bigint | undefined;
  readonly transmittedPackets: bigint | undefined;
  readonly transmittedErrors: bigint | undefined;
  readonly transmittedDrops: bigint | undefined;
}

/** A counter that is negative where there is none. */
const countOrNone: Codec<bigint | undefined> = {
  read: (reader) => {
    const value = reader.hyper();
    return value < 0n ? undefined : value;
  },
  write: (writer, value) => {
    writer.hyper(value ?? -1n);
  },
};

export const interfaceStats: Codec<InterfaceStats> = {
  read: (reader) => ({
    receivedBytes: countOrNone.read(reader),
    receivedPackets: countOrNone.read(reader),
    receivedErrors: countOrNone.read(reader),
    receivedDrops: countOrNone.read(reader),
    transmittedBytes: countOrNone.read(reader),
    transmittedPackets: countOrNone.read(reader),
    transmittedErrors: countOrNone.read(reader),
    transmittedDrops: countOrNone.read(reader),
  }),
  write: (writer, stats) => {
    countOrNone.write(writer, stats.receivedBytes);
    countOrNone.write(writer, stats.receivedPackets);
    countOrNone.write(writer, stats.receivedErrors);
    countOrNone.write(writer, stats.receivedDrops);
    countOrNone.write(writer, stats.transmittedBytes);
    countOrNone.write(writer, stats.transmittedPackets);
    countOrNone.write(writer, stats.transmittedErrors);
    countOrNone.write(writer, stats.transmittedDrops);
  },
};

/** virStoragePoolInfo; sizes in bytes. */
export interface StoragePoolInfo {
  /** 0 inactive, 1 building, 2 running, 3 degraded, 4 inaccessible. */
  readonly state: number;
  readonly capacityBytes: bigint;
  readonly allocationBytes: bigint;
  readonly availableBytes: bigint;
}

export const storagePoolInfo: Codec<StoragePoolInfo> = {
  read: (reader) => ({
    state: reader.uint(),
    capacityBytes: reader.uhyper(),
    allocationBytes: reader.uhyper(),
    availableBytes: reader.uhyper(),
  }),
  write: (writer, info) => {
    writer.uint(info.state);
    writer.uhyper(info.capacityBytes);
    writer.uhyper(info.allocationBytes);
    writer.uhyper(info.availableBytes);
  },
};

/** virDomainJobInfo: a migration, save or dump in progress. Times in ms, sizes in bytes. */
export interface DomainJobInfo {
  /** virDomainJobType: 0 none, 1 bounded, 2 unbounded, 3 completed, 4 failed, 5 cancelled. */
  readonly type: number;
  readonly timeElapsedMs: bigint;
  readonly timeRemainingMs: bigint;
  readonly dataTotalBytes: bigint;
  readonly dataProcessedBytes: bigint;
  readonly dataRemainingBytes: bigint;
  readonly memTotalBytes: bigint;
  readonly memProcessedBytes: bigint;
  readonly memRemainingBytes: bigint;
  readonly fileTotalBytes: bigint;
  readonly fileProcessedBytes: bigint;
  readonly fileRemainingBytes: bigint;
}

export const domainJobInfo: Codec<DomainJobInfo> = {
  read: (reader) => ({
    type: int.read(reader),
    timeElapsedMs: uhyper.read(reader),
    timeRemainingMs: uhyper.read(reader),
    dataTotalBytes: uhyper.read(reader),
    dataProcessedBytes: uhyper.read(reader),
    dataRemainingBytes: uhyper.read(reader),
    memTotalBytes: uhyper.read(reader),
    memProcessedBytes: uhyper.read(reader),
    memRemainingBytes: uhyper.read(reader),
    fileTotalBytes: uhyper.read(reader),
    fileProcessedBytes: uhyper.read(reader),
    fileRemainingBytes: uhyper.read(reader),
  }),
  write: (writer, info) => {
    writer.int(info.type);
    writer.uhyper(info.timeElapsedMs);
    writer.uhyper(info.timeRemainingMs);
    writer.uhyper(info.dataTotalBytes);
    writer.uhyper(info.dataProcessedBytes);
    writer.uhyper(info.dataRemainingBytes);
    writer.uhyper(info.memTotalBytes);
    writer.uhyper(info.memProcessedBytes);
    writer.uhyper(info.memRemainingBytes);
    writer.uhyper(info.fileTotalBytes);
    writer.uhyper(info.fileProcessedBytes);
    writer.uhyper(info.fileRemainingBytes);
  },
};
