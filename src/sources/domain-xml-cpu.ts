import type {
  CpuBandwidth,
  GuestCpuTopology,
  CpuTune,
  DomainNuma,
  DomainVcpus,
  GuestNumaCell,
  NumaPolicy,
} from './domain-config.ts';
import {
  allOrNone,
  bytesAttribute,
  countFrom,
  integerAttribute,
  parseInteger,
  isOn,
  parseLimit,
  numberSet,
  orAbsent,
  readable,
  required,
  requiredAttribute,
  requiredInteger,
  setAttribute,
} from './domain-xml-values.ts';
import type { XmlElement } from './xml-element.ts';

/** `<vcpu>` and `<vcpus>`; libvirt takes a domain without them to have one. */
export function parseVcpus(domain: XmlElement): DomainVcpus {
  const vcpu = domain.child('vcpu');
  const count = (text: string): number | undefined =>
    vcpu && orAbsent(vcpu, ({ name }) => countFrom(name, text));
  const maximum = vcpu === undefined ? 1 : count(vcpu.text.trim());
  const current = vcpu?.attribute('current');
  return {
    maximum,
    current: current === undefined ? maximum : count(current),
    placement: vcpu?.attribute('placement'),
    cpus: setAttribute(vcpu, 'cpuset'),
    list: allOrNone(domain.child('vcpus')?.all('vcpu') ?? [], (one) => ({
      id: requiredInteger(one, 'id'),
      enabled: isOn(one, 'enabled'),
      hotpluggable: isOn(one, 'hotpluggable'),
    })),
  };
}

export function parseTopology(topology: XmlElement | undefined): GuestCpuTopology | undefined {
  if (topology === undefined) return undefined;
  const count = (attribute: string): number =>
    topology.attribute(attribute) === undefined ? 1 : requiredInteger(topology, attribute);
  return orAbsent(topology, () => ({
    sockets: count('sockets'),
    dies: count('dies'),
    clusters: count('clusters'),
    cores: count('cores'),
    threads: count('threads'),
  }));
}

/** `<cputune>`: weights, caps and pinning. */
export function parseCputune(cputune: XmlElement | undefined): CpuTune {
  const bandwidth = (prefix: string): CpuBandwidth => ({
    periodMicroseconds: parseLimit(cputune?.child(`${prefix}period`)),
    quotaMicroseconds: parseLimit(cputune?.child(`${prefix}quota`)),
  });
  return {
    shares: parseInteger(cputune?.child('shares')),
    vcpu: bandwidth(''),
    global: bandwidth('global_'),
    emulator: bandwidth('emulator_'),
    iothread: bandwidth('iothread_'),
    vcpuPins: readable(cputune?.all('vcpupin') ?? [], (pin) => ({
      vcpu: requiredInteger(pin, 'vcpu'),
      cpus: pinnedTo(pin),
    })),
    emulatorPin: setAttribute(cputune?.child('emulatorpin'), 'cpuset'),
    iothreadPins: readable(cputune?.all('iothreadpin') ?? [], (pin) => ({
      iothread: requiredInteger(pin, 'iothread'),
      cpus: pinnedTo(pin),
    })),
  };
}

function pinnedTo(pin: XmlElement): readonly number[] {
  return numberSet(`${pin.name} cpuset`, requiredAttribute(pin, 'cpuset'));
}

/** `<numatune>` and `<cpu><numa>`. */
export function parseNuma(domain: XmlElement): DomainNuma {
  const numatune = domain.child('numatune');
  const memory = numatune?.child('memory');
  return {
    memory: memory === undefined ? undefined : parsePolicy(memory),
    cells: allOrNone(numatune?.all('memnode') ?? [], (node) => ({
      cell: requiredInteger(node, 'cellid'),
      ...parsePolicy(node),
    })),
    guestCells: allOrNone(domain.at('cpu', 'numa')?.all('cell') ?? [], guestCell),
  };
}

function parsePolicy(element: XmlElement): NumaPolicy {
  return { mode: element.attribute('mode'), hostNodes: setAttribute(element, 'nodeset') };
}

/** Old libvirt left the cell's number to its place in the list. */
function guestCell(cell: XmlElement, index: number): GuestNumaCell {
  return {
    id: integerAttribute(cell, 'id') ?? index,
    vcpus: setAttribute(cell, 'cpus'),
    memoryBytes: required(bytesAttribute(cell, 'memory'), 'cell memory'),
    access: cell.attribute('memAccess'),
    discard: isOn(cell, 'discard'),
  };
}
