/** Flag values of libvirt's public headers (include/libvirt/libvirt-*.h), by name. */

/** virConnectListAllDomainsFlags. Flags of one pair or group are alternatives; groups are ANDed. */
export const listDomains = {
  active: 1 << 0,
  inactive: 1 << 1,
  persistent: 1 << 2,
  transient: 1 << 3,
  running: 1 << 4,
  paused: 1 << 5,
  shutoff: 1 << 6,
  other: 1 << 7,
  managedSave: 1 << 8,
  noManagedSave: 1 << 9,
  autostart: 1 << 10,
  noAutostart: 1 << 11,
} as const;

/** virConnectListAllStoragePoolsFlags. */
export const listStoragePools = {
  inactive: 1 << 0,
  active: 1 << 1,
  persistent: 1 << 2,
  transient: 1 << 3,
  autostart: 1 << 4,
  noAutostart: 1 << 5,
} as const;

/** virConnectListAllNetworksFlags. */
export const listNetworks = {
  inactive: 1 << 0,
  active: 1 << 1,
  persistent: 1 << 2,
  transient: 1 << 3,
  autostart: 1 << 4,
  noAutostart: 1 << 5,
} as const;

/** virConnectListAllNodeDeviceFlags, the ones of use beside a hypervisor. */
export const listNodeDevices = {
  system: 1 << 0,
  pciDevice: 1 << 1,
  net: 1 << 4,
  storage: 1 << 8,
} as const;

/**
 * virDomainStatsTypes. The QEMU driver takes the monitor job for cpu, balloon, vcpu, block,
 * iothread, dirtyRate and vm; state, interface, perf and memory never wait for the guest's QEMU.
 */
export const domainStats = {
  state: 1 << 0,
  cpuTotal: 1 << 1,
  balloon: 1 << 2,
  vcpu: 1 << 3,
  interface: 1 << 4,
  block: 1 << 5,
  perf: 1 << 6,
  iothread: 1 << 7,
  memory: 1 << 8,
  dirtyRate: 1 << 9,
  vm: 1 << 10,
} as const;

/** virConnectGetAllDomainStatsFlags; the low bits are the list filters of {@link listDomains}. */
export const getAllDomainStats = {
  /** Do not wait for a guest's job; not a timeout, the first caller can still hang. Since 4.5.0. */
  noWait: 0x2000_0000,
  /** Also report the backing chain of each disk. Since 1.2.12. */
  backing: 0x4000_0000,
  /** Refuse stats groups the daemon does not know instead of leaving them out. */
  enforceStats: 0x8000_0000,
} as const;

/** virDomainXMLFlags which a read-only connection may use. */
export const domainXml = {
  /** The configuration for the next start instead of the live one. */
  inactive: 1 << 1,
} as const;

/** virDomainMessageType: which messages {@link LibvirtConnection.domainGetMessages} gives. */
export const domainMessages = {
  deprecation: 1 << 0,
  tainting: 1 << 1,
  /** Text of the last I/O error per disk. Since 11.1.0. */
  ioErrors: 1 << 2,
} as const;

/** virDomainModificationImpact. */
export const affect = {
  current: 0,
  live: 1 << 0,
  config: 1 << 1,
} as const;

/** virTypedParameterFlags: tells the daemon that string parameters are understood. */
export const TYPED_PARAM_STRING_OKAY = 1 << 2;

/** virConnectFlags: VIR_CONNECT_RO. */
export const CONNECT_READ_ONLY = 1;

/** VIR_DRV_FEATURE_PROGRAM_KEEPALIVE: the peer speaks the keepalive program. */
export const FEATURE_KEEPALIVE = 10;
