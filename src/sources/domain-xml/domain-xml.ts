import type {
  DomainConfig,
  HostDevice,
  NovaMetadata,
  NovaOwner,
} from '../../model/domain-config.ts';
import { parseCputune, parseNuma, parseTopology, parseVcpus } from './cpu.ts';
import { parseDisk, parseLimits } from './disks.ts';
import { parseInterface } from './interfaces.ts';
import { parseBalloon, parseMemory } from './memory.ts';
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
import { EVERYTHING, only, onlyOfTenant } from './xml-wanted.ts';

/** What of a domain's XML is read, here and in the files beside. */
const WANTED = only({
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
  metadata: onlyOfTenant({
    instance: onlyOfTenant({
      name: onlyOfTenant({}),
      flavor: onlyOfTenant({}),
      owner: onlyOfTenant({ user: onlyOfTenant({}), project: onlyOfTenant({}) }),
    }),
  }),
});

/**
 * Reads the XML of a domain, running or not, as virDomainGetXMLDesc gives it. Elements this
 * project has no use for are passed over, above all what tenants write into `<metadata>`. A value
 * that cannot be understood is absent and named in `faults`; only XML without a root `<domain>`, a
 * type, a name or a uuid is malformed.
 *
 * @param subject whose XML it is, for the error.
 */
export function parseDomainXml(xml: string, subject: string): Result<DomainConfig> {
  return configFrom(parseXml(xml, subject, WANTED), subject);
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
): Promise<Result<DomainConfig>> {
  return configFrom(await parseXmlInSlices(xml, subject, WANTED, deadline), subject);
}

function configFrom(root: Result<XmlElement>, subject: string): Result<DomainConfig> {
  if (!root.ok) return root;
  if (root.value.name !== 'domain') {
    return failed('malformed', subject, `root element <${root.value.name}>, not <domain>`);
  }
  try {
    return found(parseConfig(root.value));
  } catch (error) {
    if (error instanceof DomainXmlError) return failed('malformed', subject, error.message);
    throw error;
  }
}

function parseConfig(domain: XmlElement): DomainConfig {
  const osType = domain.at('os', 'type');
  const cpu = domain.child('cpu');
  const blkio = domain.child('blkiotune');
  const devices = domain.child('devices');
  const devicesCalled = (name: string): readonly XmlElement[] => devices?.all(name) ?? [];
  return {
    name: required(parseElementText(domain.child('name')), 'name'),
    uuid: required(parseElementText(domain.child('uuid')), 'uuid')
      .trim()
      .toLowerCase(),
    type: requiredAttribute(domain, 'type'),
    os: {
      type: parseElementText(osType),
      arch: osType?.attribute('arch'),
      machine: osType?.attribute('machine'),
    },
    memory: parseMemory(domain),
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
    nova: parseNova(domain.child('metadata')),
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

const NOVA_NAMESPACE = 'http://openstack.org/xmlns/libvirt/nova/';

/** Found by its namespace, since any prefix may stand for it. */
function parseNova(metadata: XmlElement | undefined): NovaMetadata | undefined {
  for (const instance of metadata?.children ?? []) {
    const [prefix, local] = instance.name.split(':');
    if (prefix === undefined || local !== 'instance') continue;
    const namespace = instance.attribute(`xmlns:${prefix}`);
    if (namespace?.startsWith(NOVA_NAMESPACE) !== true) continue;
    const owner = (role: string): NovaOwner | undefined => {
      const element = instance.at(`${prefix}:owner`, `${prefix}:${role}`);
      if (element === undefined) return undefined;
      const name = seriously(element.text);
      return name === undefined ? undefined : { name, id: seriously(element.attribute('uuid')) };
    };
    return {
      instanceName: seriously(parseElementText(instance.child(`${prefix}:name`))),
      flavor: seriously(instance.child(`${prefix}:flavor`)?.attribute('name')),
      user: owner('user'),
      project: owner('project'),
    };
  }
  return undefined;
}

/** Nova's names have up to 255 characters; a tenant who writes his own may have millions. */
const MAX_NOVA_CHARACTERS = 1024;

function seriously(text: string | undefined): string | undefined {
  return text === undefined || text.length > MAX_NOVA_CHARACTERS ? undefined : text;
}
