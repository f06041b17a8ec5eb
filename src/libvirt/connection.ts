import type { RpcChannel } from './channel.ts';
import { ClosedError, type LibvirtError } from './errors.ts';
import { EventSubscriptions, type DomainEventOf } from './event-subscriptions.ts';
import type { DomainEventType } from './events.ts';
import { TYPED_PARAM_STRING_OKAY } from './flags.ts';
import type { CallOptions } from './pending-calls.ts';
import { procedures, type JobStats, type Procedure } from './procedures.ts';
import { decodeStats, type StatsRecord } from './stats-record.ts';
import { StringCache } from './string-cache.ts';
import {
  limits,
  type DomainControlInfo,
  type DomainJobInfo,
  type DomainRef,
  type DomainState,
  type InterfaceStats,
  type NamedObject,
  type NodeInfo,
  type StoragePoolInfo,
} from './structures.ts';
import type { TypedParam } from './typed-param.ts';

/** A libvirt version number: 1000000 * major + 1000 * minor + release. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly release: number;
}

/** Ends an event subscription. */
export type Unsubscribe = (options?: CallOptions) => Promise<void>;

/**
 * An open read-only connection to a libvirt daemon: one method per call. All of them may be used
 * on the read-only socket. They reject with RpcError (the daemon's answer), CallTimeoutError,
 * CallAbortedError, or with ClosedError/ProtocolError, after which the connection is closed.
 *
 * "Can wait for the guest" marks calls which the QEMU driver (11.3) answers only after talking to
 * the guest's monitor: with a hung guest these never return, so give them a deadline and a tag.
 */
export class LibvirtConnection {
  /** The socket the connection was made on. */
  readonly socketPath: string;
  readonly #channel: RpcChannel;
  readonly #events: EventSubscriptions;
  readonly #names = new StringCache();

  /** Takes over a channel on which CONNECT_OPEN succeeded; see {@link openLibvirt}. */
  constructor(channel: RpcChannel, socketPath: string) {
    this.#channel = channel;
    this.#events = new EventSubscriptions(channel);
    this.socketPath = socketPath;
  }

  /** Calls the daemon has not answered, given-up ones included. */
  get outstanding(): number {
    return this.#channel.calls.outstanding;
  }

  /** Outstanding calls which timed out or were aborted. */
  get overdue(): number {
    return this.#channel.calls.overdue;
  }

  /** Calls waiting for a slot of the connection's window. */
  get queued(): number {
    return this.#channel.calls.queued;
  }

  /** Replies that came after their call was given up. */
  get lateReplies(): number {
    return this.#channel.calls.lateReplies;
  }

  /** Whether the daemon still owes the answer to a call with this tag. */
  isOutstanding(tag: string): boolean {
    return this.#channel.calls.isOutstanding(tag);
  }

  /** Why the connection is closed; undefined while it is open. */
  get closeReason(): LibvirtError | undefined {
    return this.#channel.closeReason;
  }

  /** Calls `listener` once when the connection closes, at once if it is closed already. */
  onClose(listener: (reason: LibvirtError) => void): void {
    const reason = this.#channel.closeReason;
    if (reason !== undefined) listener(reason);
    else this.#channel.once('close', listener);
  }

  /** Calls `listener` for each reply that comes after its call was given up. */
  onLateReply(listener: (tag: string | undefined) => void): void {
    this.#channel.on('lateReply', ({ tag }) => {
      listener(tag);
    });
  }

  /** Version of the hypervisor (QEMU). 0.0.0 when the daemon has not found one. */
  async getVersion(options?: CallOptions): Promise<Version> {
    return version(await this.#channel.call(procedures.getVersion, undefined, options));
  }

  /** Version of the libvirt daemon. */
  async getLibVersion(options?: CallOptions): Promise<Version> {
    return version(await this.#channel.call(procedures.getLibVersion, undefined, options));
  }

  /** The host's name as libvirt reports it. */
  async getHostname(options?: CallOptions): Promise<string> {
    return this.#channel.call(procedures.getHostname, undefined, options);
  }

  /** The URI the daemon says it opened, for example qemu:///system. */
  async getUri(options?: CallOptions): Promise<string> {
    return this.#channel.call(procedures.getUri, undefined, options);
  }

  /** The driver's name, for example QEMU or TEST. */
  async getType(options?: CallOptions): Promise<string> {
    return this.#channel.call(procedures.getType, undefined, options);
  }

  /** Capabilities XML: host CPU, NUMA cells, guest architectures. */
  async getCapabilities(options?: CallOptions): Promise<string> {
    return this.#channel.call(procedures.getCapabilities, undefined, options);
  }

  /** Processors and memory of the host. */
  async nodeGetInfo(options?: CallOptions): Promise<NodeInfo> {
    return this.#channel.call(procedures.nodeGetInfo, undefined, options);
  }

  /** Domains that match `flags` ({@link listDomains}); 0 gives all, running or not. */
  async listAllDomains(flags: number, options?: CallOptions): Promise<readonly DomainRef[]> {
    return this.#channel.call(procedures.listAllDomains, flags, options);
  }

  /** A domain by name; RpcError with code noDomain (42) when there is none. */
  async domainLookupByName(name: string, options?: CallOptions): Promise<DomainRef> {
    return this.#channel.call(procedures.domainLookupByName, name, options);
  }

  /** A domain's XML, by default the live one; flags of {@link domainXml}. */
  async domainGetXmlDesc(domain: DomainRef, flags = 0, options?: CallOptions): Promise<string> {
    return this.#channel.call(procedures.domainGetXmlDesc, { domain, flags }, options);
  }

  /** State and reason. Answered by the daemon's priority workers, even when all others hang. */
  async domainGetState(domain: DomainRef, options?: CallOptions): Promise<DomainState> {
    return this.#channel.call(procedures.domainGetState, { domain, flags: 0 }, options);
  }

  /**
   * Whether libvirt waits for the guest's monitor, and how long already, whoever asked. Does not
   * enter the monitor, and is answered by the daemon's priority workers. RpcError with code
   * operationInvalid (55) when the guest is not running.
   */
  async domainGetControlInfo(domain: DomainRef, options?: CallOptions): Promise<DomainControlInfo> {
    return this.#channel.call(procedures.domainGetControlInfo, { domain, flags: 0 }, options);
  }

  /**
   * Counters of one NIC (`<target dev>` or MAC address). For a vhost-user NIC the daemon runs
   * `ovs-vsctl` and holds the guest's lock meanwhile, so that even listing the guests waits.
   */
  async domainInterfaceStats(
    domain: DomainRef,
    device: string,
    options?: CallOptions,
  ): Promise<InterfaceStats> {
    return this.#channel.call(procedures.domainInterfaceStats, { domain, device }, options);
  }

  /** Whether the domain starts with the host. In bulk: listAllDomains(listDomains.autostart). */
  async domainGetAutostart(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#channel.call(procedures.domainGetAutostart, domain, options);
  }

  /** Whether the domain outlives its run. In bulk: listAllDomains(listDomains.persistent). */
  async domainIsPersistent(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#channel.call(procedures.domainIsPersistent, domain, options);
  }

  /** Whether the stored configuration differs from the one the domain runs with. */
  async domainIsUpdated(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#channel.call(procedures.domainIsUpdated, domain, options);
  }

  /**
   * Statistics of `domains`, or of all when empty. `stats` is a sum of {@link domainStats} bits
   * (0 = all the driver knows), `flags` of {@link getAllDomainStats} and list filters. The reply
   * is decoded in slices, the event loop is never held for more than a few ms.
   * Can wait for the guest unless `stats` has only state, interface, perf and memory.
   */
  async getAllDomainStats(
    stats: number,
    flags: number,
    domains: readonly DomainRef[] = [],
    options?: CallOptions,
  ): Promise<readonly StatsRecord[]> {
    return this.#channel.callWith(
      procedures.getAllDomainStats,
      { domains, stats: stats >>> 0, flags: flags >>> 0 },
      (reply) => decodeStats(reply, this.#names),
      options,
    );
  }

  /** Progress of a migration, save or dump; type 0 when there is none. */
  async domainGetJobInfo(domain: DomainRef, options?: CallOptions): Promise<DomainJobInfo> {
    return this.#channel.call(procedures.domainGetJobInfo, domain, options);
  }

  /** The same as named values, with more of them. Can wait for the guest during a migration. */
  async domainGetJobStats(domain: DomainRef, options?: CallOptions): Promise<JobStats> {
    return this.#channel.call(procedures.domainGetJobStats, { domain, flags: 0 }, options);
  }

  /**
   * I/O limits of a disk (target name or path); flags of {@link affect}. Can wait for the guest
   * except with affect.config.
   */
  async domainGetBlockIoTune(
    domain: DomainRef,
    disk: string,
    flags = 0,
    options?: CallOptions,
  ): Promise<readonly TypedParam[]> {
    const args = {
      domain,
      disk,
      maxParams: limits.blockIoTuneParams,
      flags: flags | TYPED_PARAM_STRING_OKAY,
    };
    return this.#channel.call(procedures.domainGetBlockIoTune, args, options);
  }

  /** Texts libvirt keeps about a domain; flags of {@link domainMessages}, 0 = all. Since 7.1.0. */
  async domainGetMessages(
    domain: DomainRef,
    flags = 0,
    options?: CallOptions,
  ): Promise<readonly string[]> {
    return this.#channel.call(procedures.domainGetMessages, { domain, flags }, options);
  }

  /** Storage pools that match `flags` ({@link listStoragePools}); 0 gives all. */
  async listAllStoragePools(flags: number, options?: CallOptions): Promise<readonly NamedObject[]> {
    return this.#channel.call(procedures.listAllStoragePools, flags, options);
  }

  /** Size and use of a pool as of its last refresh. */
  async storagePoolGetInfo(pool: NamedObject, options?: CallOptions): Promise<StoragePoolInfo> {
    return this.#channel.call(procedures.storagePoolGetInfo, pool, options);
  }

  async storagePoolGetXmlDesc(pool: NamedObject, options?: CallOptions): Promise<string> {
    return this.#readXml(procedures.storagePoolGetXmlDesc, pool, options);
  }

  /** Networks that match `flags` ({@link listNetworks}); 0 gives all. */
  async listAllNetworks(flags: number, options?: CallOptions): Promise<readonly NamedObject[]> {
    return this.#channel.call(procedures.listAllNetworks, flags, options);
  }

  async networkGetXmlDesc(network: NamedObject, options?: CallOptions): Promise<string> {
    return this.#readXml(procedures.networkGetXmlDesc, network, options);
  }

  /** Names of the host's devices that match `flags` ({@link listNodeDevices}); 0 gives all. */
  async listAllNodeDevices(flags: number, options?: CallOptions): Promise<readonly string[]> {
    return this.#channel.call(procedures.listAllNodeDevices, flags, options);
  }

  /**
   * Calls `handler` for each event of a type, of one domain or of all. The subscription ends with
   * the connection; on a new connection subscribe again.
   */
  async subscribe<Type extends DomainEventType>(
    type: Type,
    handler: (event: DomainEventOf<Type>) => void,
    domain?: DomainRef,
    options: CallOptions = {},
  ): Promise<Unsubscribe> {
    const callbackId = await this.#events.add(type, handler, domain, options);
    return (removeOptions = {}) => this.#events.remove(callbackId, removeOptions);
  }

  /** Any other procedure, for callers who bring its number and codecs. */
  async call<Args, Result>(
    procedure: Procedure<Args, Result>,
    args: Args,
    options?: CallOptions,
  ): Promise<Result> {
    return this.#channel.call(procedure, args, options);
  }

  /**
   * Closes the connection; unfinished calls reject with {@link ClosedError}, and whoever listens for
   * the close is told. No handles are left.
   */
  async close(): Promise<void> {
    if (this.closeReason === undefined && this.outstanding === 0) {
      // A courtesy: the daemon notices the closed socket as well.
      const goodbye = this.#channel.call(procedures.connectClose, undefined, { deadlineMs: 500 });
      await goodbye.catch(() => undefined);
    }
    this.#channel.destroy(new ClosedError('the connection was closed by this client'));
    await this.#channel.closed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #readXml(
    procedure: typeof procedures.networkGetXmlDesc,
    object: NamedObject,
    options: CallOptions | undefined,
  ): Promise<string> {
    return this.#channel.call(procedure, { object, flags: 0 }, options);
  }
}

function version(encoded: bigint): Version {
  const number = Number(encoded);
  return {
    major: Math.floor(number / 1_000_000),
    minor: Math.floor(number / 1_000) % 1_000,
    release: number % 1_000,
  };
}
