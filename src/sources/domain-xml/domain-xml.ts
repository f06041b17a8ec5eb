import type { DomainConfig, HostDevice } from '../../model/domain-config.ts';
import type { MetadataPath } from '../../model/guest-owner.ts';
import { parseCputune, parseNuma, parseTopology, parseVcpus } from './cpu.ts';
import { parseDisk, parseLimits } from './disks.ts';
import { parseInterface } from './interfaces.ts';
import { parseBalloon, parseMemory } from './memory.ts';
import { metadataLabels, wantedByPaths } from './metadata-paths.ts';
import { NamespacedElement } from './namespaces.ts';
import { parseManagement } from './owner.ts';
import {
  DomainXmlError,
  parseInteger,
  readable,
  required,
  requiredAttribute,
  parseElementText,
} from './values.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import { parseXml, parseXmlInSlices } from './xml-document.ts';
import type { XmlElement } from './xml-element.ts';
import {
  both,
  EVERYTHING,
  namesOfTenant,
  only,
  onlyOfTenant,
  type WantedXml,
} from './xml-wanted.ts';

/** What is read of the metadata of every guest: see parseManagement. */
const WANTED_METADATA = onlyOfTenant({
  instance: onlyOfTenant({
    name: onlyOfTenant({}),
    flavor: onlyOfTenant({}),
    owner: onlyOfTenant({ user: onlyOfTenant({}), project: onlyOfTenant({}) }),
    root: onlyOfTenant({}),
  }),
  vm: onlyOfTenant({
    minGuaranteedMemoryMb: onlyOfTenant({}),
    memGuaranteedSize: onlyOfTenant({}),
    uname: onlyOfTenant({}),
    gname: onlyOfTenant({}),
  }),
  kubevirt: onlyOfTenant({}),
  libosinfo: onlyOfTenant({ os: onlyOfTenant({}) }),
});

/** What of a domain's XML is read besides, here and in the files beside. */
const WANTED: Readonly<Record<string, WantedXml>> = {
  name: EVERYTHING,
  uuid: EVERYTHING,
  os: only({ type: EVERYTHING }),
  memory: EVERYTHING,
  currentMemory: EVERYTHING,
  maxMemory: EVERYTHING,
  memoryBacking: EVERYTHING,
  memtune: EVERYTHING,
  vcpu: EVERYTHING,
  vcpus: EVERYTHING,
  cpu: only({ model: EVERYTHING, topology: EVERYTHING, numa: EVERYTHING }),
  cputune: EVERYTHING,
  iothreads: EVERYTHING,
  numatune: EVERYTHING,
  blkiotune: EVERYTHING,
  throttlegroups: EVERYTHING,
  devices: only({
    disk: EVERYTHING,
    interface: EVERYTHING,
    hostdev: EVERYTHING,
    memory: EVERYTHING,
    memballoon: EVERYTHING,
  }),
  launchSecurity: EVERYTHING,
  seclabel: only({ label: EVERYTHING }),
  resource: EVERYTHING,
};

/** Elements and attributes of guests' metadata that the administrator named. */
export class MetadataPaths {
  readonly paths: readonly MetadataPath[];
  readonly wanted: WantedXml;

  constructor(paths: readonly MetadataPath[]) {
    this.paths = paths;
    const ofPaths = namesOfTenant(wantedByPaths(paths));
    const metadata = paths.length === 0 ? WANTED_METADATA : both(WANTED_METADATA, ofPaths);
    this.wanted = only({ ...WANTED, metadata });
  }
}

const NO_PATHS = new MetadataPaths([]);

/**
 * Reads the XML of a domain, running or not, as virDomainGetXMLDesc gives it. Elements this
 * project has no use for are passed over, above all what tenants write into `<metadata>`. A value
 * that cannot be understood is absent and named in `faults`; only XML without a root `<domain>`, a
 * type, a name or a uuid is malformed.
 *
 * @param subject whose XML it is, for the error.
 * @param metadata what is read of its metadata besides whose guest it is.
 */
export function parseDomainXml(
  xml: string,
  subject: string,
  metadata: MetadataPaths = NO_PATHS,
): Result<DomainConfig> {
  return configFrom(parseXml(xml, subject, metadata.wanted), subject, metadata);
}

/**
 * As `parseDomainXml`, without keeping others from their work.
 *
 * @param deadline a failed result of kind `timeout` after it.
 */
export async function parseDomainXmlInSlices(
  xml: string,
  subject: string,
  deadline: Deadline,
  metadata: MetadataPaths = NO_PATHS,
): Promise<Result<DomainConfig>> {
  const root = await parseXmlInSlices(xml, subject, metadata.wanted, deadline);
  return configFrom(root, subject, metadata);
}

function configFrom(
  root: Result<XmlElement>,
  subject: string,
  { paths }: MetadataPaths,
): Result<DomainConfig> {
  if (!root.ok) return root;
  if (root.value.name !== 'domain') {
    return failed('malformed', subject, `root element <${root.value.name}>, not <domain>`);
  }
  try {
    return found(parseConfig(root.value, paths));
  } catch (error) {
    if (error instanceof DomainXmlError) return failed('malformed', subject, error.message);
    throw error;
  }
}

function parseConfig(domain: XmlElement, paths: readonly MetadataPath[]): DomainConfig {
  const osType = domain.at('os', 'type');
  const cpu = domain.child('cpu');
  const blkio = domain.child('blkiotune');
  const devices = domain.child('devices');
  const devicesCalled = (name: string): readonly XmlElement[] => devices?.all(name) ?? [];
  const name = required(parseElementText(domain.child('name')), 'name');
  const memory = parseMemory(domain);
  const roots = new NamespacedElement(domain).children
    .filter((child) => child.element.name === 'metadata')
    .flatMap((metadata) => metadata.children);
  const { nova, owner, minimumBytes } = parseManagement(name, roots, memory.currentBytes);
  return {
    name,
    uuid: required(parseElementText(domain.child('uuid')), 'uuid')
      .trim()
      .toLowerCase(),
    type: requiredAttribute(domain, 'type'),
    os: {
      type: parseElementText(osType),
      arch: osType?.attribute('arch'),
      machine: osType?.attribute('machine'),
    },
    memory: { ...memory, minimumBytes: memory.minimumBytes ?? minimumBytes },
    vcpu: parseVcpus(domain),
    cpu: {
      mode: cpu?.attribute('mode'),
      model: parseElementText(cpu?.child('model')),
      topology: parseTopology(cpu?.child('topology')),
    },
    cputune: parseCputune(domain.child('cputune')),
    iothreads:
      domain.child('iothreads') === undefined ? 0 : parseInteger(domain.child('iothreads')),
    numa: parseNuma(domain),
    blkio: {
      weight: parseInteger(blkio?.child('weight')),
      devices: readable(blkio?.all('device') ?? [], (device) => ({
        path: required(parseElementText(device.child('path')), 'blkiotune><device><path'),
        weight: parseInteger(device.child('weight')),
      })),
    },
    balloon: parseBalloon(devices?.child('memballoon')),
    disks: readable(devicesCalled('disk'), parseDisk),
    throttleGroups: (domain.child('throttlegroups')?.all('throttlegroup') ?? []).map(parseLimits),
    interfaces: readable(devicesCalled('interface'), parseInterface),
    hostdevs: readable(devicesCalled('hostdev'), parseHostDevice),
    launchSecurity: domain.child('launchSecurity')?.attribute('type'),
    ownerUid: parseOwnerUid(domain.all('seclabel')),
    partition: parseElementText(domain.at('resource', 'partition')),
    nova,
    owner,
    ...(paths.length === 0 ? {} : { metadataLabels: metadataLabels(roots, paths) }),
    // Last: by now everything was read.
    faults: domain.faults,
  };
}

/** `+107:+107` (libvirt's own labels) or `107:107`; a label of names says nothing here. */
function parseOwnerUid(labels: readonly XmlElement[]): number | undefined {
  const dac = labels.find((label) => label.attribute('model') === 'dac');
  const match = /^\+?(\d{1,10}):/.exec(parseElementText(dac?.child('label')) ?? '');
  return match === null ? undefined : Number(match[1]);
}

function parseHostDevice(hostdev: XmlElement): HostDevice {
  return {
    type: requiredAttribute(hostdev, 'type'),
    mode: hostdev.attribute('mode') ?? 'subsystem',
    model: hostdev.attribute('model'),
    alias: hostdev.child('alias')?.attribute('name'),
  };
}
