import type { Bandwidth, Interface } from './domain-config.ts';
import { integerAttribute, requiredAttribute } from './domain-xml-values.ts';
import type { XmlElement } from './xml-element.ts';

/** `<interface>` (libvirt docs/formatdomain.rst, "Network interfaces"). */
export function parseInterface(element: XmlElement): Interface {
  const source = element.child('source');
  const driver = element.child('driver');
  const bandwidth = element.child('bandwidth');
  return {
    type: requiredAttribute(element, 'type'),
    mac: element.child('mac')?.attribute('address'),
    target: element.child('target')?.attribute('dev'),
    source: {
      bridge: source?.attribute('bridge'),
      network: source?.attribute('network'),
      portgroup: source?.attribute('portgroup'),
      device: source?.attribute('dev'),
      mode: source?.attribute('mode'),
      path: source?.attribute('path'),
    },
    virtualPort: element.child('virtualport')?.attribute('type'),
    model: element.child('model')?.attribute('type'),
    driver: driver?.attribute('name'),
    queues: integerAttribute(driver, 'queues'),
    mtuBytes: integerAttribute(element.child('mtu'), 'size'),
    linkUp: element.child('link')?.attribute('state') !== 'down',
    inbound: parseBandwidth(bandwidth?.child('inbound')),
    outbound: parseBandwidth(bandwidth?.child('outbound')),
    alias: element.child('alias')?.attribute('name'),
  };
}

const MOST_BYTES = 2 ** 64;

function parseBandwidth(element: XmlElement | undefined): Bandwidth | undefined {
  if (element === undefined) return undefined;
  const times = (attribute: string, factor: number): number | undefined => {
    const value = integerAttribute(element, attribute);
    if (value === undefined || value === 0) return undefined;
    if (value * factor <= MOST_BYTES) return value * factor;
    element.complain(`<${element.name} ${attribute}>: more bytes than 64 bits can count`);
    return undefined;
  };
  return {
    averageBytesPerSecond: times('average', 1000),
    peakBytesPerSecond: times('peak', 1000),
    burstBytes: times('burst', 1024),
    floorBytesPerSecond: times('floor', 1000),
  };
}
