import type {
  DomainMemory,
  Hugepages,
  MemoryBacking,
  MemoryBalloon,
  MemoryDevice,
} from '../../model/domain-config.ts';
import {
  bytesAttribute,
  parseBytes,
  integerAttribute,
  parseInteger,
  isOn,
  numberSet,
  readable,
  required,
  requiredAttribute,
  setAttribute,
  parseElementText,
} from './values.ts';
import type { XmlElement } from './xml-element.ts';

/** All that a domain says of its memory except where it lies. */
export function parseMemory(domain: XmlElement): DomainMemory {
  const memory = domain.child('memory');
  if (memory === undefined) domain.complain('no <memory>');
  const maximumBytes = parseBytes(memory);
  const current = domain.child('currentMemory');
  const hotplug = domain.child('maxMemory');
  const hotplugBytes = parseBytes(hotplug);
  const tune = domain.child('memtune');
  return {
    maximumBytes,
    currentBytes: current === undefined ? maximumBytes : parseBytes(current),
    minimumBytes: parseBytes(tune?.child('min_guarantee')),
    hotplug:
      hotplugBytes === undefined
        ? undefined
        : { maximumBytes: hotplugBytes, slots: integerAttribute(hotplug, 'slots') },
    backing: parseBacking(domain.child('memoryBacking')),
    hardLimitBytes: tuneLimit(tune?.child('hard_limit')),
    softLimitBytes: tuneLimit(tune?.child('soft_limit')),
    swapHardLimitBytes: tuneLimit(tune?.child('swap_hard_limit')),
    devices: readable(domain.child('devices')?.all('memory') ?? [], parseDevice),
  };
}

/** VIR_DOMAIN_MEMORY_PARAM_UNLIMITED, in KiB as libvirt writes it. */
const UNLIMITED_BYTES = 9_007_199_254_740_991 * 1024;

function tuneLimit(element: XmlElement | undefined): number | undefined {
  const bytes = parseBytes(element);
  return bytes !== undefined && bytes >= UNLIMITED_BYTES ? undefined : bytes;
}

function parseBacking(backing: XmlElement | undefined): MemoryBacking {
  const hugepages = backing?.child('hugepages');
  return {
    hugepages:
      hugepages &&
      readable(hugepages.all('page'), (page): Hugepages => ({
        pageBytes: required(bytesAttribute(page, 'size'), 'page size'),
        guestNodes: setAttribute(page, 'nodeset'),
      })),
    noSharePages: backing?.child('nosharepages') !== undefined,
    locked: backing?.child('locked') !== undefined,
    source: backing?.child('source')?.attribute('type'),
    access: backing?.child('access')?.attribute('mode'),
    allocation: backing?.child('allocation')?.attribute('mode'),
    discard: backing?.child('discard') !== undefined,
  };
}

function parseDevice(device: XmlElement): MemoryDevice {
  const target = required(device.child('target'), 'memory><target');
  const source = device.child('source');
  const nodes = source?.child('nodemask');
  return {
    model: requiredAttribute(device, 'model'),
    sizeBytes: required(parseBytes(target.child('size')), 'memory><target><size'),
    requestedBytes: parseBytes(target.child('requested')),
    currentBytes: parseBytes(target.child('current')),
    blockBytes: parseBytes(target.child('block')),
    node: parseInteger(target.child('node')),
    pageBytes: parseBytes(source?.child('pagesize')),
    hostNodes: nodes === undefined ? undefined : numberSet(nodes.name, nodes.text.trim()),
    path: parseElementText(source?.child('path')),
    readOnly: target.child('readonly') !== undefined,
    access: device.attribute('access'),
    alias: device.child('alias')?.attribute('name'),
  };
}

/** The balloon; undefined for model `none` and where there is none. */
export function parseBalloon(balloon: XmlElement | undefined): MemoryBalloon | undefined {
  const model = balloon?.attribute('model');
  if (model === undefined || model === 'none') return undefined;
  const period = integerAttribute(balloon?.child('stats'), 'period');
  return {
    model,
    statsPeriodSeconds: period === 0 ? undefined : period,
    freePageReporting: isOn(balloon, 'freePageReporting'),
    autodeflate: isOn(balloon, 'autodeflate'),
  };
}
