import type { DomainConfig, HostDevice, NovaMetadata, NovaOwner } from './domain-config.ts';
import { cputuneOf, numaOf, topologyOf, vcpusOf } from './domain-xml-cpu.ts';
import { diskOf } from './domain-xml-disks.ts';
import { interfaceOf } from './domain-xml-interfaces.ts';
import { balloonOf, memoryOf } from './domain-xml-memory.ts';
import {
  DomainXmlError,
  integerOf,
  required,
  requiredAttribute,
  textOf,
} from './domain-xml-values.ts';
import { failed, found, type Reading } from './reading.ts';
import { parseXml, type XmlElement } from './xml-element.ts';

export type * from './domain-config.ts';

/**
 * Reads the XML of a domain, running or not, as virDomainGetXMLDesc gives it. Elements this
 * project has no use for are passed over; one it uses that cannot be understood makes the whole
 * reading malformed, and the detail names it.
 *
 * @param subject whose XML it is, for the error.
 */
export function parseDomainXml(xml: string, subject: string): Reading<DomainConfig> {
  const root = parseXml(xml, subject);
  if (!root.ok) return root;
  if (root.value.name !== 'domain') {
    return failed('malformed', subject, `root element <${root.value.name}>, not <domain>`);
  }
  try {
    return found(configOf(root.value));
  } catch (error) {
    if (error instanceof DomainXmlError) return failed('malformed', subject, error.message);
    throw error;
  }
}

function configOf(domain: XmlElement): DomainConfig {
  const osType = domain.at('os', 'type');
  const cpu = domain.child('cpu');
  const blkio = domain.child('blkiotune');
  const devices = domain.child('devices');
  const devicesCalled = (name: string): readonly XmlElement[] => devices?.all(name) ?? [];
  return {
    name: required(textOf(domain.child('name')), 'name'),
    uuid: required(textOf(domain.child('uuid')), 'uuid').toLowerCase(),
    type: requiredAttribute(domain, 'type'),
    os: {
      type: textOf(osType),
      arch: osType?.attribute('arch'),
      machine: osType?.attribute('machine'),
    },
    memory: memoryOf(domain),
    vcpu: vcpusOf(domain),
    cpu: {
      mode: cpu?.attribute('mode'),
      model: textOf(cpu?.child('model')),
      topology: topologyOf(cpu?.child('topology')),
    },
    cputune: cputuneOf(domain.child('cputune')),
    iothreads: integerOf(domain.child('iothreads')) ?? 0,
    numa: numaOf(domain),
    blkio: {
      weight: integerOf(blkio?.child('weight')),
      devices: (blkio?.all('device') ?? []).map((device) => ({
        path: required(textOf(device.child('path')), 'blkiotune><device><path'),
        weight: integerOf(device.child('weight')),
      })),
    },
    balloon: balloonOf(devices?.child('memballoon')),
    disks: devicesCalled('disk').map(diskOf),
    interfaces: devicesCalled('interface').map(interfaceOf),
    hostdevs: devicesCalled('hostdev').map(hostDeviceOf),
    launchSecurity: domain.child('launchSecurity')?.attribute('type'),
    partition: textOf(domain.at('resource', 'partition')),
    nova: novaOf(domain.child('metadata')),
  };
}

function hostDeviceOf(hostdev: XmlElement): HostDevice {
  return {
    type: requiredAttribute(hostdev, 'type'),
    mode: hostdev.attribute('mode') ?? 'subsystem',
    model: hostdev.attribute('model'),
    alias: hostdev.child('alias')?.attribute('name'),
  };
}

const NOVA_NAMESPACE = 'http://openstack.org/xmlns/libvirt/nova/';

/** Found by its namespace, since any prefix may stand for it. */
function novaOf(metadata: XmlElement | undefined): NovaMetadata | undefined {
  for (const instance of metadata?.children ?? []) {
    const [prefix, local] = instance.name.split(':');
    if (prefix === undefined || local !== 'instance') continue;
    const namespace = instance.attribute(`xmlns:${prefix}`);
    if (namespace?.startsWith(NOVA_NAMESPACE) !== true) continue;
    const owner = (name: string): NovaOwner | undefined => {
      const element = instance.at(`${prefix}:owner`, `${prefix}:${name}`);
      if (element === undefined) return undefined;
      return { name: element.text, id: element.attribute('uuid') };
    };
    return {
      instanceName: textOf(instance.child(`${prefix}:name`)),
      flavor: instance.child(`${prefix}:flavor`)?.attribute('name'),
      user: owner('user'),
      project: owner('project'),
    };
  }
  return undefined;
}
