import type { SourceError } from '../runtime/result.ts';
import type { CollectorName } from './collectors.ts';
import type { Domain } from './domain.ts';
import type { GuestSources } from './guest-source.ts';
import type { Host } from './host.ts';
import type { NetworkLinks } from './network.ts';
import type { Storage, StoragePool } from './storage.ts';

/**
 * Everything one collection found out, as plain data. Nothing downstream (arithmetic, metrics,
 * page) does any I/O: it works on this.
 *
 * A field is undefined when its collector was switched off, failed, or did not finish in time;
 * `outcomes` tells which. It is never a stand-in value.
 */
export interface Snapshot {
  /** Unix time at which the collection began. */
  readonly takenAtSeconds: number;
  /** True for the simulated host of `--demo`. */
  readonly demo: boolean;
  readonly host: Host;
  readonly libvirt: Libvirt;
  /** Undefined where only libvirt was asked. */
  readonly guestSources?: GuestSources | undefined;
  /**
   * Undefined when no source of guests answered. Whether all did that should have, and so whether these
   * are all guests, `guestSources` tells.
   */
  readonly domains: readonly Domain[] | undefined;
  readonly pools: readonly StoragePool[] | undefined;
  readonly storage: Storage | undefined;
  readonly network: NetworkLinks | undefined;
  readonly outcomes: readonly CollectorOutcome[];
}

/** The connection to the hypervisor's daemon. */
export interface Libvirt {
  readonly up: boolean;
  /** Undefined while not connected. */
  readonly versions: LibvirtVersions | undefined;
  readonly calls: LibvirtCalls;
}

export interface LibvirtVersions {
  /** `QEMU`, `Test`. */
  readonly driver: string;
  /** Dotted, e.g. `9.0.0`. */
  readonly libvirt: string;
  /** Undefined when the daemon finds no hypervisor. */
  readonly hypervisor: string | undefined;
  readonly uri: string;
}

/** Running totals since the exporter started. */
export interface LibvirtCalls {
  /** Calls sent and not yet answered, those given up included. */
  readonly outstanding: number;
  /** Calls, ours and those of other clients, known to keep one of the daemon's workers. */
  readonly stuck: number;
  readonly timeouts: number;
  /** Answers that came after their caller had given up. */
  readonly lateReplies: number;
  readonly connects: number;
}

export interface CollectorOutcome {
  readonly collector: CollectorName;
  readonly success: boolean;
  readonly durationSeconds: number;
  /** It did not run, because this one, whose finds it begins with, has found nothing. */
  readonly lacking?: CollectorName | undefined;
  /** What could not be read; also filled on success, for parts that are merely missing. */
  readonly errors: readonly SourceError[];
}
