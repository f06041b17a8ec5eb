import {
  domainControlInfo,
  domainJobInfo,
  domainList,
  domainRef,
  domainState,
  interfaceStats,
  limits,
  MIN_NAMED_OBJECT_BYTES,
  namedObject,
  nodeInfo,
  storagePoolInfo,
  type DomainControlInfo,
  type DomainJobInfo,
  type DomainRef,
  type DomainState,
  type InterfaceStats,
  type NamedObject,
  type NodeInfo,
  type StoragePoolInfo,
} from './structures.ts';
import { statsRecords, type EncodableStatsRecord } from './stats-record.ts';
import { MIN_TYPED_PARAM_BYTES, typedParam, type TypedParam } from './typed-param.ts';
import { array, int, intBool, nothing, optional, string, uhyper, type Codec } from './xdr.ts';

/**
 * The procedures this client calls: number, arguments and result, from
 * src/remote/remote_protocol.x (REMOTE_PROC_*, remote_*_args, remote_*_ret). A daemon made for
 * tests uses the same table from the other side.
 */
export interface Procedure<Args, Result> {
  /** REMOTE_PROC_* without its prefix, for messages. */
  readonly name: string;
  readonly number: number;
  readonly args: Codec<Args>;
  readonly result: Codec<Result>;
}

function procedure<Args, Result>(
  name: string,
  number: number,
  args: Codec<Args>,
  result: Codec<Result>,
): Procedure<Args, Result> {
  return { name, number, args, result };
}

export interface OpenArgs {
  readonly uri: string | undefined;
  readonly flags: number;
}

export interface DomainFlagsArgs {
  readonly domain: DomainRef;
  readonly flags: number;
}

export interface ObjectFlagsArgs {
  readonly object: NamedObject;
  readonly flags: number;
}

export interface StatsArgs {
  /** Empty: all domains. */
  readonly domains: readonly DomainRef[];
  readonly stats: number;
  readonly flags: number;
}

export interface InterfaceStatsArgs {
  readonly domain: DomainRef;
  /** The NIC's device on the host (its `<target dev>`) or its MAC address. */
  readonly device: string;
}

export interface BlockIoTuneArgs {
  readonly domain: DomainRef;
  readonly disk: string | undefined;
  /** How many parameters we have room for. */
  readonly maxParams: number;
  readonly flags: number;
}

export interface JobStats {
  /** virDomainJobType, see {@link DomainJobInfo}. */
  readonly type: number;
  readonly params: readonly TypedParam[];
}

export interface EventRegisterArgs {
  readonly eventId: number;
  /** Undefined: all domains. */
  readonly domain: DomainRef | undefined;
}

const openArgs: Codec<OpenArgs> = {
  read: (reader) => ({ uri: optional(string).read(reader), flags: reader.uint() }),
  write: (writer, args) => {
    optional(string).write(writer, args.uri);
    writer.uint(args.flags);
  },
};

const domainFlags: Codec<DomainFlagsArgs> = {
  read: (reader) => ({ domain: domainRef.read(reader), flags: reader.uint() }),
  write: (writer, args) => {
    domainRef.write(writer, args.domain);
    writer.uint(args.flags);
  },
};

const objectFlags: Codec<ObjectFlagsArgs> = {
  read: (reader) => ({ object: namedObject.read(reader), flags: reader.uint() }),
  write: (writer, args) => {
    namedObject.write(writer, args.object);
    writer.uint(args.flags);
  },
};

/** List calls take `need_results` = 1 before their flags; 0 would ask for the count alone. */
const listArgs: Codec<number> = {
  read: (reader) => {
    reader.int();
    return reader.uint();
  },
  write: (writer, flags) => {
    writer.int(1);
    writer.uint(flags);
  },
};

/** List replies hold the list and, again, its length. */
function listResult<T>(list: Codec<readonly T[]>): Codec<readonly T[]> {
  return {
    read: (reader) => {
      const values = list.read(reader);
      reader.uint();
      return values;
    },
    write: (writer, values) => {
      list.write(writer, values);
      writer.uint(values.length);
    },
  };
}

const statsArgs: Codec<StatsArgs> = {
  read: (reader) => ({
    domains: domainList.read(reader),
    stats: reader.uint(),
    flags: reader.uint(),
  }),
  write: (writer, args) => {
    domainList.write(writer, args.domains);
    writer.uint(args.stats);
    writer.uint(args.flags);
  },
};

const interfaceStatsArgs: Codec<InterfaceStatsArgs> = {
  read: (reader) => ({ domain: domainRef.read(reader), device: reader.string() }),
  write: (writer, args) => {
    domainRef.write(writer, args.domain);
    writer.string(args.device);
  },
};

const blockIoTuneArgs: Codec<BlockIoTuneArgs> = {
  read: (reader) => ({
    domain: domainRef.read(reader),
    disk: optional(string).read(reader),
    maxParams: reader.int(),
    flags: reader.uint(),
  }),
  write: (writer, args) => {
    domainRef.write(writer, args.domain);
    optional(string).write(writer, args.disk);
    writer.int(args.maxParams);
    writer.uint(args.flags);
  },
};

const tuneParams = array(typedParam, limits.blockIoTuneParams, MIN_TYPED_PARAM_BYTES);

const blockIoTuneResult: Codec<readonly TypedParam[]> = {
  read: (reader) => {
    const params = tuneParams.read(reader);
    reader.int();
    return params;
  },
  write: (writer, params) => {
    tuneParams.write(writer, params);
    writer.int(params.length);
  },
};

const jobParams = array(typedParam, limits.jobStatsParams, MIN_TYPED_PARAM_BYTES);

const jobStats: Codec<JobStats> = {
  read: (reader) => ({ type: reader.int(), params: jobParams.read(reader) }),
  write: (writer, stats) => {
    writer.int(stats.type);
    jobParams.write(writer, stats.params);
  },
};

const eventRegisterArgs: Codec<EventRegisterArgs> = {
  read: (reader) => ({ eventId: reader.int(), domain: optional(domainRef).read(reader) }),
  write: (writer, args) => {
    writer.int(args.eventId);
    optional(domainRef).write(writer, args.domain);
  },
};

const pools = array(namedObject, limits.storagePools, MIN_NAMED_OBJECT_BYTES);
const networks = array(namedObject, limits.networks, MIN_NAMED_OBJECT_BYTES);
const deviceNames = array(string, limits.nodeDevices, 4);
const messages = array(string, limits.messages, 4);

export const procedures = {
  connectOpen: procedure('CONNECT_OPEN', 1, openArgs, nothing),
  connectClose: procedure('CONNECT_CLOSE', 2, nothing, nothing),
  getType: procedure('CONNECT_GET_TYPE', 3, nothing, string),
  getVersion: procedure('CONNECT_GET_VERSION', 4, nothing, uhyper),
  nodeGetInfo: procedure<undefined, NodeInfo>('NODE_GET_INFO', 6, nothing, nodeInfo),
  getCapabilities: procedure('CONNECT_GET_CAPABILITIES', 7, nothing, string),
  domainGetXmlDesc: procedure('DOMAIN_GET_XML_DESC', 14, domainFlags, string),
  domainGetAutostart: procedure('DOMAIN_GET_AUTOSTART', 15, domainRef, intBool),
  domainLookupByName: procedure('DOMAIN_LOOKUP_BY_NAME', 23, string, domainRef),
  networkGetXmlDesc: procedure('NETWORK_GET_XML_DESC', 43, objectFlags, string),
  getHostname: procedure('CONNECT_GET_HOSTNAME', 59, nothing, string),
  supportsFeature: procedure('CONNECT_SUPPORTS_FEATURE', 60, int, intBool),
  domainInterfaceStats: procedure<InterfaceStatsArgs, InterfaceStats>(
    'DOMAIN_INTERFACE_STATS',
    65,
    interfaceStatsArgs,
    interfaceStats,
  ),
  authList: procedure('AUTH_LIST', 66, nothing, array(int, limits.authTypes, 4)),
  authPolkit: procedure('AUTH_POLKIT', 70, nothing, intBool),
  storagePoolGetInfo: procedure<NamedObject, StoragePoolInfo>(
    'STORAGE_POOL_GET_INFO',
    87,
    namedObject,
    storagePoolInfo,
  ),
  storagePoolGetXmlDesc: procedure('STORAGE_POOL_GET_XML_DESC', 88, objectFlags, string),
  getUri: procedure('CONNECT_GET_URI', 110, nothing, string),
  domainIsPersistent: procedure('DOMAIN_IS_PERSISTENT', 151, domainRef, intBool),
  getLibVersion: procedure('CONNECT_GET_LIB_VERSION', 157, nothing, uhyper),
  domainGetJobInfo: procedure<DomainRef, DomainJobInfo>(
    'DOMAIN_GET_JOB_INFO',
    163,
    domainRef,
    domainJobInfo,
  ),
  domainIsUpdated: procedure('DOMAIN_IS_UPDATED', 202, domainRef, intBool),
  domainGetState: procedure<DomainFlagsArgs, DomainState>(
    'DOMAIN_GET_STATE',
    212,
    domainFlags,
    domainState,
  ),
  domainGetControlInfo: procedure<DomainFlagsArgs, DomainControlInfo>(
    'DOMAIN_GET_CONTROL_INFO',
    229,
    domainFlags,
    domainControlInfo,
  ),
  domainGetBlockIoTune: procedure(
    'DOMAIN_GET_BLOCK_IO_TUNE',
    253,
    blockIoTuneArgs,
    blockIoTuneResult,
  ),
  listAllDomains: procedure('CONNECT_LIST_ALL_DOMAINS', 273, listArgs, listResult(domainList)),
  listAllStoragePools: procedure(
    'CONNECT_LIST_ALL_STORAGE_POOLS',
    281,
    listArgs,
    listResult(pools),
  ),
  listAllNetworks: procedure('CONNECT_LIST_ALL_NETWORKS', 283, listArgs, listResult(networks)),
  listAllNodeDevices: procedure(
    'CONNECT_LIST_ALL_NODE_DEVICES',
    285,
    listArgs,
    listResult(deviceNames),
  ),
  domainGetJobStats: procedure('DOMAIN_GET_JOB_STATS', 298, domainFlags, jobStats),
  eventRegister: procedure(
    'CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
    316,
    eventRegisterArgs,
    int,
  ),
  eventDeregister: procedure('CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY', 317, int, nothing),
  getAllDomainStats: procedure<StatsArgs, readonly EncodableStatsRecord[]>(
    'CONNECT_GET_ALL_DOMAIN_STATS',
    344,
    statsArgs,
    statsRecords,
  ),
  domainGetMessages: procedure('DOMAIN_GET_MESSAGES', 426, domainFlags, messages),
} as const;
