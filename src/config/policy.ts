import { LIMITS, LIMITS_BY_KEY, type LimitDeclaration, type LimitKey } from './policy-defaults.ts';

/** A limit as it is in force: its declaration with the values of the policy file, if any. */
export type Limit = LimitDeclaration;

/** An amount of storage: so many bytes, or a part of each filesystem. */
export type Amount = { readonly bytes: number } | { readonly ratio: number };

/** What of the host is not for guests. */
export interface Reserves {
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Kept free on every filesystem that holds images. */
  readonly storage: Amount;
}

/** Which domains are reported; patterns match the whole name. */
export interface DomainSelection {
  /** Empty: all. */
  readonly include: readonly RegExp[];
  readonly exclude: readonly RegExp[];
}

/** What counts as supply when guests claim what they were promised, beyond what certainly is. */
interface Supply {
  /** The part of the ZFS cache that can be given up; it may shrink too slowly. */
  readonly zfsArc: boolean;
}

export interface Policy {
  /** One per declaration of `LIMITS`, in the same order. */
  readonly limits: readonly Limit[];
  readonly reserves: Reserves;
  readonly supply: Supply;
  readonly domains: DomainSelection;
  /**
   * How long from the writing of the file the host is being worked on, in seconds, so that nobody is
   * told what that breaks; 0: not at all.
   */
  readonly maintenanceSeconds: number;
  /** CPUs that are set aside for guests, where somebody says so; all others are the host's. */
  readonly cpuSets?: {
    readonly shared?: readonly number[];
    readonly dedicated?: readonly number[];
  };
  /** Where what is not built in came from. */
  readonly origins?: readonly PolicyOrigin[];
}

export interface PolicyOrigin {
  /** E.g. `memory.promised_ratio`, `reserves.cpus`. */
  readonly key: string;
  readonly origin: 'policy_file' | 'nova';
  readonly file: string;
}

/**
 * The policy without a file. Reserves follow OpenStack Nova: reserved_host_memory_mb 512,
 * reserved_host_cpus 0, reserved_host_disk_mb 0.
 */
export const DEFAULT_POLICY: Policy = {
  limits: LIMITS,
  reserves: { memoryBytes: 512 * 2 ** 20, cpus: 0, storage: { bytes: 0 } },
  supply: { zfsArc: false },
  domains: { include: [], exclude: [] },
  maintenanceSeconds: 0,
};

/** Whether a domain is reported under a policy. */
export function selectsDomain({ include, exclude }: DomainSelection, name: string): boolean {
  const matches = (pattern: RegExp): boolean => pattern.test(name);
  return (include.length === 0 || include.some(matches)) && !exclude.some(matches);
}

/** One limit in force. */
export function findLimit(policy: Policy, key: LimitKey): Limit {
  return toLimitInForce(policy, LIMITS_BY_KEY[key]);
}

/** A declared limit as the policy has it; what a policy does not mention keeps its default. */
export function toLimitInForce({ limits }: Policy, declared: LimitDeclaration): Limit {
  const { resource, name } = declared;
  return limits.find((one) => one.resource === resource && one.name === name) ?? declared;
}
