/** A read-only libvirt RPC client in plain TypeScript. Start with {@link openLibvirt}. */
export { resolveAddress, type AddressEnvironment, type LibvirtAddress } from './address.ts';
export { LibvirtConnection, type Unsubscribe, type Version } from './connection.ts';
export type {
  BalloonStats,
  BlockGroupStats,
  BlockStats,
  CpuStats,
  DomainStateStats,
  DomainStats,
  NetGroupStats,
  NetStats,
  VcpuGroupStats,
  VcpuStats,
} from './domain-stats.ts';
export {
  AddressError,
  AuthError,
  CallAbortedError,
  CallTimeoutError,
  ClosedError,
  ConnectError,
  errorCodes,
  isGuestEnded,
  LibvirtError,
  ProtocolError,
  RpcError,
  type ConnectAttempt,
  type LibvirtErrorKind,
  type RpcErrorFields,
} from './errors.ts';
export type { DomainEventOf } from './event-subscriptions.ts';
export { lifecycleEvents, type DomainEvent, type DomainEventType } from './events.ts';
export {
  affect,
  domainMessages,
  domainStats,
  domainXml,
  getAllDomainStats,
  listDomains,
  listNetworks,
  listNodeDevices,
  listStoragePools,
} from './flags.ts';
export type { KeepaliveOptions } from './keepalive.ts';
export { openLibvirt, type OpenOptions } from './open.ts';
export type { CallOptions } from './pending-calls.ts';
export { readDomainStats } from './read-domain-stats.ts';
export { ReconnectingConnection, type ReconnectOptions } from './reconnecting.ts';
export type { EncodableStatsRecord, StatsRecord } from './stats-record.ts';
export type {
  DomainControlInfo,
  DomainJobInfo,
  DomainRef,
  DomainState,
  InterfaceStats,
  NamedObject,
  NodeInfo,
  StoragePoolInfo,
} from './structures.ts';
export type { TypedParam, TypedValue } from './typed-param.ts';
export { TypedParams } from './typed-params.ts';

/** The wire itself, for callers with other procedures and for daemons made for tests. */
export { eventDefinitions, eventMessage, type EventMessage } from './events.ts';
export {
  encodeMessage,
  KEEPALIVE_PROGRAM,
  keepaliveProcedures,
  MessageSplitter,
  messageStatus,
  messageTypes,
  PROGRAM_VERSION,
  REMOTE_PROGRAM,
  type Message,
  type MessageHeader,
} from './message.ts';
export {
  procedures,
  type BlockIoTuneArgs,
  type DomainFlagsArgs,
  type EventRegisterArgs,
  type InterfaceStatsArgs,
  type JobStats,
  type ObjectFlagsArgs,
  type OpenArgs,
  type Procedure,
  type StatsArgs,
} from './procedures.ts';
export { rpcError } from './structures.ts';
export { decode, encode, XdrReader, XdrWriter, type Codec } from './xdr.ts';
