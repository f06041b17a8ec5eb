import type {
  CpuBandwidth,
  CpuTopology,
  CpuTune,
  DomainNuma,
  DomainVcpus,
  GuestNumaCell,
  NumaPolicy,
} from './domain-config.ts';
import {
  bytesAttribute,
  integerAttribute,
  integerOf,
  isOn,
  limitOf,
  required,
  requiredInteger,
  setAttribute,
} from './domain-xml-values.ts';
import type { XmlElement } from './xml-element.ts';

/** `<vcpu>` and `<vcpus>`; libvirt takes a domain without them to have one. */
export function vcpusOf(domain: XmlElement): DomainVcpus {
  const vcpu = domain.child('vcpu');
  const maximum = integerOf(vcpu) ?? 1;
  return {
    maximum,
    current: integerAttribute(vcpu, 'current') ?? maximum,
    placement: vcpu?.attribute('placement'),
    cpus: setAttribute(vcpu, 'cpuset'),
    list: (domain.child('vcpus')?.all('vcpu') ?? []).map((one) => ({
      id: requiredInteger(one, 'id'),
      enabled: isOn(one, 'enabled'),
      hotpluggable: isOn(one, 'hotpluggable'),
    })),
  };
}

export function topologyOf(topology: XmlElement | undefined): CpuTopology | undefined {
  if (topology === undefined) return undefined;
  const count = (attribute: string): number => integerAttribute(topology, attribute) ?? 1;
  return {
    sockets: count('sockets'),
    dies: count('dies'),
    clusters: count('clusters'),
    cores: count('cores'),
    threads: count('threads'),
  };
}

/** `<cputune>`: weights, caps and pinning. */
export function cputuneOf(cputune: XmlElement | undefined): CpuTune {
  const bandwidth = (prefix: string): CpuBandwidth => ({
    periodMicroseconds: limitOf(cputune?.child(`${prefix}period`)),
    quotaMicroseconds: limitOf(cputune?.child(`${prefix}quota`)),
  });
  return {
    shares: integerOf(cputune?.child('shares')),
    vcpu: bandwidth(''),
    global: bandwidth('global_'),
    emulator: bandwidth('emulator_'),
    iothread: bandwidth('iothread_'),
    vcpuPins: (cputune?.all('vcpupin') ?? []).map((pin) => ({
      vcpu: requiredInteger(pin, 'vcpu'),
      cpus: pinnedTo(pin),
    })),
    emulatorPin: setAttribute(cputune?.child('emulatorpin'), 'cpuset'),
    iothreadPins: (cputune?.all('iothreadpin') ?? []).map((pin) => ({
      iothread: requiredInteger(pin, 'iothread'),
      cpus: pinnedTo(pin),
    })),
  };
}

function pinnedTo(pin: XmlElement): readonly number[] {
  return required(setAttribute(pin, 'cpuset'), `${pin.name} cpuset`);
}

/** `<numatune>` and `<cpu><numa>`. */
export function numaOf(domain: XmlElement): DomainNuma {
  const numatune = domain.child('numatune');
  const memory = numatune?.child('memory');
  return {
    memory: memory === undefined ? undefined : policyOf(memory),
    cells: (numatune?.all('memnode') ?? []).map((node) => ({
      cell: requiredInteger(node, 'cellid'),
      ...policyOf(node),
    })),
    guestCells: (domain.at('cpu', 'numa')?.all('cell') ?? []).map(guestCell),
  };
}

function policyOf(element: XmlElement): NumaPolicy {
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
