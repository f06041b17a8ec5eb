import type { DomainConfig } from '../../model/domain-config.ts';
import { bareConfig, bareDisk, bareInterface } from '../bare-guest.ts';
import {
  parseProperties,
  toBoolean,
  toCpus,
  toInteger,
  toMebibytes,
  toNumber,
  type GuestConf,
} from './guest-conf.ts';
import { locateVolume, type PveStorage } from './storage-conf.ts';
import { toBandwidth } from './vm-config.ts';

const MIB = 1024 ** 2;
/** pve-container, PVE/LXC/Config.pm: of memory and of swap alike. */
const DEFAULT_MIB = 512;
const PERIOD_MICROSECONDS = 100_000;
/** Proxmox VE takes no more. */
const MOST_CPULIMIT = 8192;

/**
 * An LXC container as its config file describes it (pve-container, PVE/LXC/Config.pm `$confdesc`). It is
 * promised `memory` of RAM and `cores`, else `cpulimit`, else all CPUs of the host, as Proxmox VE itself
 * shows it.
 *
 * @param hostCpus undefined where the host's CPUs are not known.
 */
export function toContainerConfig(
  vmid: number,
  name: string,
  { values }: GuestConf,
  storages: ReadonlyMap<string, PveStorage>,
  hostCpus: number | undefined,
): DomainConfig {
  const bare = bareConfig(name, '', 'lxc');
  const memoryBytes = toBytes(values.get('memory'));
  const swapBytes = toBytes(values.get('swap'));
  const limit = Math.min(toNumber(values.get('cpulimit')) ?? 0, MOST_CPULIMIT);
  const cores = toCpus(values.get('cores')) ?? (limit > 0 ? Math.ceil(limit) : hostCpus);
  return {
    ...bare,
    os: { type: 'exe', arch: values.get('arch'), machine: undefined },
    memory: {
      ...bare.memory,
      maximumBytes: memoryBytes,
      currentBytes: memoryBytes,
      hardLimitBytes: memoryBytes,
      // Of memory and swap together, as libvirt's is.
      swapHardLimitBytes:
        memoryBytes === undefined || swapBytes === undefined ? undefined : memoryBytes + swapBytes,
    },
    vcpu: { ...bare.vcpu, current: cores, maximum: cores },
    cputune: {
      ...bare.cputune,
      global:
        limit > 0
          ? {
              periodMicroseconds: PERIOD_MICROSECONDS,
              quotaMicroseconds: Math.floor(limit * PERIOD_MICROSECONDS),
            }
          : bare.cputune.global,
    },
    disks: [...values].flatMap(([key, text]) => {
      if (!/^(?:rootfs|mp\d+|unused\d+)$/.test(key)) return [];
      const options = parseProperties(text);
      const volumeId = options.get('volume') ?? options.get('') ?? '';
      // A directory of the host, which is nobody's disk.
      if (volumeId.startsWith('/')) return [];
      const place = locateVolume(volumeId, storages);
      // A subvolume is a directory, or a dataset, and no image.
      const isDirectory = place?.format === 'subvol' || /(?:^|[/:])subvol-/.test(volumeId);
      if (place === undefined || isDirectory) return [];
      const disk = bareDisk(key, place.source.kind);
      return [
        {
          ...disk,
          source: place.source,
          space: place.space,
          driver: { ...disk.driver, name: undefined, type: place.format },
          readOnly: toBoolean(options.get('ro')) === true,
        },
      ];
    }),
    interfaces: [...values].flatMap(([key, text]) => {
      const index = /^net(\d+)$/.exec(key)?.[1];
      if (index === undefined) return [];
      const options = parseProperties(text);
      const nic = bareInterface('bridge', `veth${vmid}i${index}`);
      const rate = toNumber(options.get('rate')) ?? 0;
      const bandwidth = rate > 0 ? toBandwidth(rate) : undefined;
      return [
        {
          ...nic,
          mac: options.get('hwaddr')?.toLowerCase(),
          source: { ...nic.source, bridge: options.get('bridge') },
          mtuBytes: toInteger(options.get('mtu')),
          linkUp: toBoolean(options.get('link_down')) !== true,
          inbound: bandwidth,
          outbound: bandwidth,
          alias: key,
        },
      ];
    }),
  };
}

/** What is there and cannot be read is no promise; what is not there is the default. */
function toBytes(text: string | undefined): number | undefined {
  const mib = text === undefined ? DEFAULT_MIB : toMebibytes(text);
  return mib === undefined ? undefined : mib * MIB;
}
