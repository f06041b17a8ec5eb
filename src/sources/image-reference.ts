import { createHash } from 'node:crypto';

import type { StorageSlice } from './domain-config.ts';

/** Where the name of a backing or data file leads. */
export type ImageReference =
  | {
      readonly kind: 'path';
      /** Absolute. */
      readonly path: string;
      /** Where the name itself says it (`json:`). */
      readonly format: string | undefined;
      /** The part of the file that holds the image, where the name says that (`json:`). */
      readonly slice?: StorageSlice;
    }
  | {
      readonly kind: 'remote';
      /** As the name has it: whatever stands before the colon. */
      readonly protocol: string;
      /**
       * Protocol and image name, the only parts fit to be shown: URLs, options and JSON carry
       * passwords, keys and cookies.
       */
      readonly visible: string;
      /** Tells two remote images apart that look the same; nothing can be read from it. */
      readonly digest: string;
    };

/**
 * Reads a backing file name as QEMU does (block.c, path_has_protocol(), path_combine()): a colon
 * before the first slash makes it a protocol; a relative path counts from the directory of the
 * overlay as it was named, symbolic links not followed. Of `json:` only a local file or device is
 * understood.
 */
export function imageReference(name: string, overlayPath: string): ImageReference {
  if (name.startsWith('json:')) return jsonReference(name, overlayPath);
  const protocol = /^([^/:]*):/.exec(name)?.[1];
  if (protocol === undefined) return local(name, overlayPath);
  const rest = name.slice(protocol.length + 1);
  // To QEMU a path all the same, but no file is called like that and somebody's password may be.
  const isUrl = /^\/\/[^/]*@/.test(rest);
  if (protocol === 'file' && !isUrl) return local(rest, overlayPath);
  return remote(name, protocol, nameBehind(protocol, rest));
}

/**
 * The name as it may be shown: a path as it is written, of anything else protocol and image name.
 */
export function visibleReference(name: string): string {
  const reference = imageReference(name, '/');
  if (reference.kind === 'remote') return reference.visible;
  return name.startsWith('json:') ? reference.path : name;
}

/** The same for a network disk of the domain XML, whose name can have options behind it. */
export function visibleNetworkName(protocol: string, name: string | undefined): string {
  return shown(protocol, name === undefined ? undefined : nameBehind(protocol, name));
}

function local(name: string, overlayPath: string): ImageReference & { readonly kind: 'path' } {
  const path = name.startsWith('/')
    ? name
    : `${overlayPath.slice(0, overlayPath.lastIndexOf('/') + 1)}${name}`;
  return { kind: 'path', path, format: undefined };
}

function remote(
  whole: string,
  protocol: string,
  image: string | undefined,
): ImageReference & { readonly kind: 'remote' } {
  return {
    kind: 'remote',
    protocol,
    visible: shown(protocol, image),
    digest: computeDigest(whole),
  };
}

/** Equal for equal names, and says nothing of them. */
export function computeDigest(whole: string): string {
  return createHash('sha256').update(whole).digest('hex');
}

/**
 * Protocols of QEMU (the protocol_name of its block drivers) and of libvirt's network disks. Any
 * other text before a colon could be a user's name.
 */
const PROTOCOLS: ReadonlySet<string> = new Set([
  ...['nbd', 'nbd+tcp', 'nbd+unix', 'nbds', 'nbds+tcp', 'nbds+unix'],
  ...['http', 'https', 'ftp', 'ftps', 'tftp', 'ssh', 'sftp', 'nfs'],
  ...['iscsi', 'iser', 'iscsi+iser', 'rbd', 'vxhs', 'vitastor'],
  ...['gluster', 'gluster+tcp', 'gluster+unix', 'gluster+rdma'],
  ...['sheepdog', 'sheepdog+tcp', 'sheepdog+unix'],
  ...['json', 'fat', 'nvme', 'blkdebug', 'blkverify', 'null-co', 'null-aio', 'host_device'],
  ...['host_cdrom', 'nvme-io_uring', 'virtio-blk-vhost-user', 'virtio-blk-vhost-vdpa'],
  ...['volume', 'file'],
]);

function shown(protocol: string, image: string | undefined): string {
  return `${PROTOCOLS.has(protocol) ? protocol : 'unknown'}:${image ?? ''}`;
}

/** The image's name in what follows `protocol:`; undefined where it is not known for certain. */
function nameBehind(protocol: string, rest: string): string | undefined {
  const family = protocol.split('+')[0] ?? '';
  switch (family) {
    case 'rbd':
      return rbdName(rest);
    case 'nbd':
    case 'nbds':
      return rest.startsWith('//') ? findLastPart(pathOfUrl(rest)) : nbdExport(rest);
    case 'sheepdog':
      return rest.startsWith('//') ? findLastPart(pathOfUrl(rest)) : sheepdogDisk(rest);
    case 'iscsi':
    case 'iser':
      return iscsiName(pathOfUrl(rest));
    case 'gluster':
      return pathOfUrl(rest) || undefined;
    case 'http':
    case 'https':
    case 'ftp':
    case 'ftps':
    case 'tftp':
    case 'ssh':
    case 'sftp':
    case 'nfs':
    case 'vxhs':
    case 'file':
      return findLastPart(pathOfUrl(rest));
    default:
      return undefined;
  }
}

/**
 * The path of a URL behind its host, or a path alone; neither user nor query nor parameters. A
 * password may hold a slash, so nothing before an `@` is taken.
 */
function pathOfUrl(rest: string): string {
  const [plain = ''] = rest.split(/[?#;]/, 1);
  const at = plain.lastIndexOf('@');
  if (at !== -1) return afterHost(plain.slice(at + 1));
  return plain.startsWith('//') ? afterHost(plain.slice(2)) : plain;
}

function afterHost(text: string): string {
  const slash = text.indexOf('/');
  return slash === -1 ? '' : text.slice(slash + 1);
}

function findLastPart(path: string): string | undefined {
  const last = path.slice(path.lastIndexOf('/') + 1);
  return last === '' ? undefined : last;
}

/** `pool/image@snapshot`, up to the options; `\:` is a colon of the name (QEMU block/rbd.c). */
function rbdName(rest: string): string | undefined {
  const name = /^(?:\\.|[^:\\])*/.exec(rest)?.[0].replaceAll(/\\(.)/g, '$1');
  return name === undefined || name === '' || name.startsWith('//') ? undefined : name;
}

/** `host:port:exportname=name`, `unix:path:exportname=name`; of libvirt the export alone. */
function nbdExport(rest: string): string | undefined {
  const marked = /:exportname=(.+)$/.exec(rest)?.[1];
  if (marked !== undefined) return marked;
  return /[:@?]/.test(rest) ? undefined : rest;
}

/** `disk[:snapshot]` or `host:port:disk[:snapshot]`. */
function sheepdogDisk(rest: string): string | undefined {
  const parts = rest.split(':');
  return parts.length >= 3 ? parts[2] : parts[0];
}

/** `target/lun`, only if the target is named as one (RFC 3720, 3.2.6). */
function iscsiName(path: string): string | undefined {
  return /(?:^|\/)((?:iqn|eui|naa)\.[^/@%]+(?:\/\d+)?)$/.exec(path)?.[1];
}

/**
 * QEMU's pseudo-protocol: block-device options as JSON, nested or with dotted keys (qdict_crumple()
 * in QEMU qobject/block-qdict.c), any number of layers down to the file.
 */
function jsonReference(name: string, overlayPath: string): ImageReference {
  let json: unknown;
  try {
    json = JSON.parse(name.slice('json:'.length));
  } catch {
    return remote(name, 'json', undefined);
  }
  return layerReference(nested(json), overlayPath, name, LAYERS_AT_MOST);
}

/** Far more than QEMU is ever given; a name is 1023 bytes long at most. */
const LAYERS_AT_MOST = 32;

type Layer = ReadonlyMap<string, unknown>;

/** `a.b` of an object as `b` of `a`, down to the last level. Undefined where it is no object. */
function nested(json: unknown, depth = LAYERS_AT_MOST): Layer | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || depth === 0) {
    return undefined;
  }
  const plain = new Map<string, unknown>();
  const dotted = new Map<string, Record<string, unknown>>();
  for (const [key, value] of Object.entries(json)) {
    const dot = key.indexOf('.');
    if (dot <= 0) {
      plain.set(key, value);
      continue;
    }
    const inner = dotted.get(key.slice(0, dot)) ?? {};
    Object.defineProperty(inner, key.slice(dot + 1), { value, enumerable: true });
    dotted.set(key.slice(0, dot), inner);
  }
  // One option given in both ways: QEMU refuses that.
  for (const [key, inner] of dotted) plain.set(key, plain.has(key) ? undefined : inner);
  const layer = new Map<string, unknown>();
  for (const [key, value] of plain) layer.set(key, nested(value, depth - 1) ?? value);
  return layer;
}

const LOCAL_DRIVERS: ReadonlySet<string> = new Set(['file', 'host_device', 'host_cdrom']);

/** Drivers that pass on what is below them, unchanged. */
const PASSING_DRIVERS: ReadonlySet<string> = new Set([
  'copy-on-read',
  'throttle',
  'preallocate',
  'compress',
]);

function layerReference(
  layer: Layer | undefined,
  overlayPath: string,
  whole: string,
  depth: number,
): ImageReference {
  const driver = findText(layer, 'driver');
  const fileName = findText(layer, 'filename');
  const file = layer?.get('file');
  if (driver !== undefined && LOCAL_DRIVERS.has(driver)) {
    return fileName === undefined ? remote(whole, 'json', undefined) : local(fileName, overlayPath);
  }
  // Then the JSON says what is below or beside the image, and its header may say something else.
  if (layer?.has('backing') === true || layer?.has('data-file') === true) {
    return remote(whole, 'json', undefined);
  }
  if (file instanceof Map && depth > 0) {
    const below = layerReference(file, overlayPath, whole, depth - 1);
    if (below.kind === 'remote') return below;
    return over(driver, layer, below) ?? remote(whole, 'json', undefined);
  }
  if (driver === undefined && fileName !== undefined) {
    const named = fileName.startsWith('json:') ? undefined : imageReference(fileName, overlayPath);
    if (named?.kind === 'path') return named;
    return named === undefined
      ? remote(whole, 'json', undefined)
      : { ...named, digest: computeDigest(whole) };
  }
  return remote(whole, driver ?? 'json', driver && protocolLayerName(driver, layer));
}

/** What a layer makes of the file below it; undefined where that is not one image any more. */
function over(
  driver: string | undefined,
  layer: Layer | undefined,
  below: ImageReference & { readonly kind: 'path' },
): ImageReference | undefined {
  if (driver === undefined || PASSING_DRIVERS.has(driver)) return below;
  if (driver !== 'raw') {
    const hasFormat = below.format !== undefined && below.format !== 'raw';
    return hasFormat ? undefined : { ...below, format: driver };
  }
  const [offset, size] = [layer?.get('offset'), layer?.get('size')];
  if (offset === undefined && size === undefined)
    return { ...below, format: below.format ?? 'raw' };
  // A slice of a slice, of an image rather than of a file, or without an end: nobody makes these.
  const whole = below.slice === undefined && (below.format ?? 'raw') === 'raw';
  const offsetBytes = offset === undefined ? 0 : parseBytes(offset);
  const sizeBytes = parseBytes(size);
  if (!whole || offsetBytes === undefined || sizeBytes === undefined) return undefined;
  return { ...below, format: below.format ?? 'raw', slice: { offsetBytes, sizeBytes } };
}

/** Numbers may be text in a `json:` name. */
function parseBytes(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
    ? number
    : undefined;
}

/** The image's name among the options of a protocol driver (QEMU qapi/block-core.json). */
function protocolLayerName(driver: string, layer: Layer | undefined): string | undefined {
  const url = findText(layer, 'url');
  switch (driver) {
    case 'rbd': {
      const [pool, image] = [findText(layer, 'pool'), findText(layer, 'image')];
      return pool === undefined || image === undefined ? undefined : rbdName(`${pool}/${image}`);
    }
    case 'nbd':
      return findText(layer, 'export');
    case 'sheepdog':
      return findText(layer, 'vdi');
    case 'vxhs':
      return findText(layer, 'vdisk-id');
    case 'iscsi': {
      const target = findText(layer, 'target');
      const lun = layer?.get('lun') ?? 0;
      return target === undefined
        ? undefined
        : iscsiName(`${target}/${String(parseBytes(lun) ?? 0)}`);
    }
    case 'gluster': {
      const [volume, path] = [findText(layer, 'volume'), findText(layer, 'path')];
      return volume === undefined ? undefined : `${volume}/${(path ?? '').replace(/^\//, '')}`;
    }
    case 'ssh':
    case 'nfs':
      return findLastPart(findText(layer, 'path') ?? '');
    case 'http':
    case 'https':
    case 'ftp':
    case 'ftps':
      return url === undefined ? undefined : findLastPart(pathOfUrl(url.replace(/^[^/:]*:/, '')));
    default:
      return undefined;
  }
}

function findText(layer: Layer | undefined, name: string): string | undefined {
  const value = layer?.get(name);
  return typeof value === 'string' ? value : undefined;
}
