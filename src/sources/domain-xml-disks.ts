import type {
  BackingImage,
  Disk,
  DiskSource,
  IoTune,
  Mirror,
  StorageSlice,
} from './domain-config.ts';
import {
  integerAttribute,
  parseLimit,
  required,
  requiredAttribute,
  parseElementText,
} from './domain-xml-values.ts';
import type { XmlElement } from './xml-element.ts';

/** `<disk>` (libvirt docs/formatdomain.rst, "Hard drives, floppy disks, CDROMs"). */
export function parseDisk(disk: XmlElement): Disk {
  const type = disk.attribute('type') ?? 'file';
  const driver = disk.child('driver');
  const target = required(disk.child('target'), 'disk><target');
  const { images, complete } = parseBacking(disk);
  return {
    type,
    device: disk.attribute('device') ?? 'disk',
    target: requiredAttribute(target, 'dev'),
    bus: target.attribute('bus'),
    // Of old <encryption> stands beside <source>.
    source: parseSource(type, disk.child('source'), disk.child('encryption')),
    driver: {
      name: driver?.attribute('name'),
      type: driver?.attribute('type'),
      cache: driver?.attribute('cache'),
      discard: driver?.attribute('discard'),
      detectZeroes: driver?.attribute('detect_zeroes'),
      io: driver?.attribute('io'),
      iothread: integerAttribute(driver, 'iothread'),
      errorPolicy: driver?.attribute('error_policy'),
      readErrorPolicy: driver?.attribute('rerror_policy'),
    },
    readOnly: disk.child('readonly') !== undefined,
    shareable: disk.child('shareable') !== undefined,
    transient: disk.child('transient') !== undefined,
    serial: parseElementText(disk.child('serial')),
    alias: disk.child('alias')?.attribute('name'),
    backing: images,
    backingComplete: complete,
    mirror: parseMirror(disk.child('mirror')),
    iotune: parseIotune(disk.child('iotune')),
    throttleFilters: (disk.child('throttlefilters')?.all('throttlefilter') ?? []).map((filter) =>
      requiredAttribute(filter, 'group'),
    ),
  };
}

/** The source of a disk or backing image; undefined when there is none (an empty drive). */
function parseSource(
  type: string,
  source: XmlElement | undefined,
  outerEncryption?: XmlElement,
): DiskSource | undefined {
  if (source === undefined) return undefined;
  const encryption = (source.child('encryption') ?? outerEncryption)?.attribute('format');
  switch (type) {
    case 'file':
      return pathSource('file', source.attribute('file'), source, encryption);
    case 'block':
      return pathSource('block', source.attribute('dev'), source, encryption);
    case 'dir':
      return pathSource('dir', source.attribute('dir'), source, encryption);
    case 'network':
      return {
        kind: 'network',
        protocol: requiredAttribute(source, 'protocol'),
        name: source.attribute('name'),
        hosts: source.all('host').map((host) => ({
          name: host.attribute('name') ?? host.attribute('socket'),
          port: host.attribute('port'),
        })),
      };
    case 'volume':
      return {
        kind: 'volume',
        pool: requiredAttribute(source, 'pool'),
        volume: requiredAttribute(source, 'volume'),
      };
    case 'nvme':
      return {
        kind: 'nvme',
        address: pciAddress(source.child('address')),
        namespace: source.attribute('namespace'),
      };
    default:
      return { kind: 'other', path: source.attribute('path') ?? source.attribute('dev') };
  }
}

function pathSource(
  kind: 'file' | 'block' | 'dir',
  path: string | undefined,
  source: XmlElement,
  encryption: string | undefined,
): DiskSource | undefined {
  if (path === undefined || path === '') return undefined;
  const slice = parseSlice(source.child('slices'));
  const dataStore = source.child('dataStore');
  return {
    kind,
    path,
    ...(slice === undefined ? {} : { slice }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(dataStore === undefined ? {} : { dataStore: parseImage(dataStore) }),
  };
}

/** The one slice libvirt knows: where in the file the image lies. */
function parseSlice(slices: XmlElement | undefined): StorageSlice | undefined {
  const slice = slices?.all('slice').find((one) => one.attribute('type') === 'storage');
  const offsetBytes = integerAttribute(slice, 'offset');
  const sizeBytes = integerAttribute(slice, 'size');
  return offsetBytes === undefined || sizeBytes === undefined
    ? undefined
    : { offsetBytes, sizeBytes };
}

/** The kernel's spelling, e.g. `0000:01:00.0`; libvirt takes decimal numbers too, and writes none. */
function pciAddress(address: XmlElement | undefined): string {
  const part = (name: string, digits: number): string => {
    const text = address?.attribute(name) ?? '0';
    const isNumber = /^(?:0x[\da-f]{1,8}|\d{1,8})$/i.test(text);
    return (isNumber ? Number(text).toString(16) : text).padStart(digits, '0');
  };
  return `${part('domain', 4)}:${part('bus', 2)}:${part('slot', 2)}.${part('function', 1)}`;
}

/** What `<backingStore>`, `<mirror>` and `<dataStore>` have in common. */
function parseImage(element: XmlElement): BackingImage {
  const type = element.attribute('type') ?? 'file';
  return {
    type,
    format: element.child('format')?.attribute('type'),
    source: parseSource(type, element.child('source')),
  };
}

function parseMirror(mirror: XmlElement | undefined): Mirror | undefined {
  if (mirror === undefined) return undefined;
  // Before 1.2.6 a copy to a file was told in attributes alone, and there was no other job.
  const job = mirror.attribute('job') ?? 'copy';
  const path = mirror.attribute('file');
  const { images, complete } = parseBacking(mirror);
  const image = parseImage(mirror);
  return {
    ...image,
    format: image.format ?? mirror.attribute('format'),
    source: image.source ?? (path === undefined ? undefined : { kind: 'file', path }),
    job,
    backing: images,
    backingComplete: complete,
  };
}

/** Walks the nested `<backingStore>` elements; an empty one says that the chain ends there. */
function parseBacking(disk: XmlElement): {
  readonly images: readonly BackingImage[];
  readonly complete: boolean;
} {
  const images: BackingImage[] = [];
  let store = disk.child('backingStore');
  while (store !== undefined) {
    if (store.attribute('type') === undefined) return { images, complete: true };
    images.push(parseImage(store));
    store = store.child('backingStore');
  }
  return { images, complete: false };
}

function parseIotune(iotune: XmlElement | undefined): IoTune | undefined {
  return iotune && parseLimits(iotune);
}

/** The limits in an `<iotune>` or `<throttlegroup>`, which are of one form. */
export function parseLimits(iotune: XmlElement): IoTune {
  const limit = (name: string): number | undefined => parseLimit(iotune.child(name));
  return {
    totalBytesPerSecond: limit('total_bytes_sec'),
    readBytesPerSecond: limit('read_bytes_sec'),
    writeBytesPerSecond: limit('write_bytes_sec'),
    totalRequestsPerSecond: limit('total_iops_sec'),
    readRequestsPerSecond: limit('read_iops_sec'),
    writeRequestsPerSecond: limit('write_iops_sec'),
    totalBytesPerSecondMax: limit('total_bytes_sec_max'),
    readBytesPerSecondMax: limit('read_bytes_sec_max'),
    writeBytesPerSecondMax: limit('write_bytes_sec_max'),
    totalRequestsPerSecondMax: limit('total_iops_sec_max'),
    readRequestsPerSecondMax: limit('read_iops_sec_max'),
    writeRequestsPerSecondMax: limit('write_iops_sec_max'),
    group: parseElementText(iotune.child('group_name')),
  };
}
