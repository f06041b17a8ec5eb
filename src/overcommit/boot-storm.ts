/**
 * The thundering herd: what guests would demand all at once after a reboot of the host, or if
 * someone started every guest there is.
 */

export interface BootStormDomain {
  readonly name: string;
  readonly active: boolean;
  /** Transient domains are gone after a reboot and cannot be started again. */
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly vcpus: number;
  /** `<memory>`. QEMU starts with the balloon deflated, so a booting guest has all of it. */
  readonly maximumMemoryBytes: number;
  /** What its images may still grow by, on filesystems and in thin pools. */
  readonly claimableStorageBytes: number;
}

export interface BootDemand {
  readonly domains: number;
  readonly vcpus: number;
  readonly maximumMemoryBytes: number;
  readonly claimableStorageBytes: number;
}

interface BootStormSet {
  /** Members which are off: what starting them adds to the load of now. */
  readonly added: BootDemand;
  /** All members, running or not: what the host has to carry at once after its reboot. */
  readonly afterReboot: BootDemand;
}

export interface BootStorm {
  /** Persistent domains with autostart: what libvirt starts by itself. */
  readonly autostart: BootStormSet;
  /** All persistent domains. */
  readonly all: BootStormSet;
  /** Active domains that a reboot would not bring back (no autostart, or transient). */
  readonly activeWithoutAutostart: number;
}

export function bootStorm(domains: readonly BootStormDomain[]): BootStorm {
  const persistent = domains.filter((domain) => domain.persistent);
  const autostart = persistent.filter((domain) => domain.autostart);
  return {
    autostart: computeStorm(autostart),
    all: computeStorm(persistent),
    activeWithoutAutostart: domains.filter(
      (domain) => domain.active && !(domain.persistent && domain.autostart),
    ).length,
  };
}

function computeStorm(members: readonly BootStormDomain[]): BootStormSet {
  return {
    added: computeDemand(members.filter((domain) => !domain.active)),
    afterReboot: computeDemand(members),
  };
}

function computeDemand(domains: readonly BootStormDomain[]): BootDemand {
  let vcpus = 0;
  let maximumMemoryBytes = 0;
  let claimableStorageBytes = 0;
  for (const domain of domains) {
    vcpus += domain.vcpus;
    maximumMemoryBytes += domain.maximumMemoryBytes;
    claimableStorageBytes += domain.claimableStorageBytes;
  }
  return { domains: domains.length, vcpus, maximumMemoryBytes, claimableStorageBytes };
}
