import { join } from 'node:path';

import { AddressError } from './errors.ts';

/** Where to connect, in order, and what to say in CONNECT_OPEN. */
export interface LibvirtAddress {
  /** The driver's URI without transport and socket, for example qemu:///system. */
  readonly uri: string;
  /** Unix sockets to try; the first that accepts is used. */
  readonly sockets: readonly string[];
}

/** Directories for tests and for hosts mounted elsewhere. */
export interface AddressEnvironment {
  /** Where system daemons keep their sockets. Default /run/libvirt, then /var/run/libvirt. */
  readonly systemDirectories?: readonly string[] | undefined;
  /** $XDG_RUNTIME_DIR of the user whose session daemon is meant. */
  readonly userRuntimeDirectory?: string | undefined;
}

const SYSTEM_DIRECTORIES = ['/run/libvirt', '/var/run/libvirt'];

/** Socket name of the monolithic daemon, libvirtd, and of virtproxyd in its place. */
const MONOLITHIC = 'libvirt';

/** The modular daemon of each driver (docs/daemons.rst); the others live in libvirtd alone. */
const MODULAR_DAEMONS: ReadonlyMap<string, string> = new Map([
  ['qemu', 'virtqemud'],
  ['lxc', 'virtlxcd'],
  ['xen', 'virtxend'],
  ['vbox', 'virtvboxd'],
  ['bhyve', 'virtbhyved'],
]);

/**
 * Turns a libvirt URI into sockets. Known: driver:///path (test:///default, qemu:///system,
 * qemu:///session) with the transport `+unix` and the parameters `socket` and `mode`
 * (auto, direct = modular daemon, legacy = libvirtd), as in docs/uri.rst. System daemons are
 * reached over their read-only sockets; session daemons have none, there the connection is made
 * read-only by its open flag alone. Throws AddressError.
 */
export function resolveAddress(
  uri: string,
  environment: AddressEnvironment = { userRuntimeDirectory: process.env['XDG_RUNTIME_DIR'] },
): LibvirtAddress {
  const url = URL.parse(uri);
  if (url === null) throw new AddressError(`not a URI: ${uri}`);
  const [driver = '', transport = 'unix'] = url.protocol.slice(0, -1).split('+');
  if (transport !== 'unix') {
    throw new AddressError(`${uri}: transport ${transport} is not supported, only unix sockets`);
  }
  if (url.host !== '') throw new AddressError(`${uri}: remote hosts are not supported`);
  if (driver === '' || url.pathname === '') {
    throw new AddressError(`${uri}: expected driver:///path, for example qemu:///system`);
  }
  const driverUri = `${driver}://${url.pathname}`;
  const socket = url.searchParams.get('socket');
  if (socket !== null) {
    if (!socket.startsWith('/')) throw new AddressError(`${uri}: socket is not an absolute path`);
    return { uri: driverUri, sockets: [socket] };
  }
  const daemons = daemonsFor(driver, url.searchParams.get('mode') ?? 'auto', uri);
  const names = daemons.map((daemon) => `${daemon}-sock`);
  if (url.pathname === '/session') {
    const runtime = environment.userRuntimeDirectory;
    if (runtime === undefined || runtime === '') {
      throw new AddressError(`${uri}: XDG_RUNTIME_DIR is not set, name the socket in the URI`);
    }
    return { uri: driverUri, sockets: names.map((name) => join(runtime, 'libvirt', name)) };
  }
  const directories = environment.systemDirectories ?? SYSTEM_DIRECTORIES;
  return {
    uri: driverUri,
    sockets: directories.flatMap((directory) => names.map((name) => join(directory, `${name}-ro`))),
  };
}

function daemonsFor(driver: string, mode: string, uri: string): readonly string[] {
  const modular = MODULAR_DAEMONS.get(driver);
  switch (mode) {
    case 'auto':
      return modular === undefined ? [MONOLITHIC] : [modular, MONOLITHIC];
    case 'direct':
      if (modular === undefined) throw new AddressError(`${uri}: ${driver} has no modular daemon`);
      return [modular];
    case 'legacy':
      return [MONOLITHIC];
    default:
      throw new AddressError(`${uri}: mode ${mode} is not auto, direct or legacy`);
  }
}
