import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { openLibvirt, type LibvirtConnection } from '../../../src/libvirt/index.ts';
import { parseDomainXml } from '../../../src/sources/domain-xml/domain-xml.ts';
import { parseStoragePoolXml } from '../../../src/sources/domain-xml/storage-pool-xml.ts';
import type { Case } from '../../corpus/cases.ts';
import { secondReadings } from '../../corpus/second-reading.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';

const run = promisify(execFile);

/** One file of the corpus after libvirt had it. */
export interface Returned {
  readonly name: string;
  /** Which driver took it. */
  readonly driver: Driver;
  /** The name by which the daemon lists it. */
  readonly listedAs: string;
  /** What our client and parser read. */
  readonly ours: unknown;
  /** What virsh and python's expat read. */
  readonly theirs: unknown;
}

/** One that no driver took. */
export interface Refused {
  readonly name: string;
  readonly messages: Readonly<Record<Driver, string>>;
}

type Driver = 'qemu' | 'test';

const DRIVERS: readonly Driver[] = ['qemu', 'test'];

/** How libvirt calls the one and the other kind of object. */
const KINDS = {
  domain: { define: 'define', dump: 'dumpxml', undefine: 'undefine' },
  pool: { define: 'pool-define', dump: 'pool-dumpxml', undefine: 'pool-undefine' },
} as const;

type Kind = keyof typeof KINDS;

/** The version of the libvirtd that has the test, e.g. `9.0`. */
export async function libvirtVersion(): Promise<string> {
  await using daemon = await PrivateDaemon.start();
  const connection = await openLibvirt({ uri: daemon.uri });
  try {
    const { major, minor } = await connection.getLibVersion();
    return `${major}.${minor}`;
  } finally {
    await connection.close();
  }
}

/** Has a real libvirtd take each file, and reads what it gives back in two ways. */
export async function throughLibvirt(
  kind: Kind,
  cases: readonly Case[],
): Promise<{ readonly returned: readonly Returned[]; readonly refused: readonly Refused[] }> {
  await using daemon = await PrivateDaemon.start();
  const directory = await mkdtemp(join(tmpdir(), 'corpus-'));
  const connections = {
    qemu: await openLibvirt({ uri: daemon.uri.replace('test+unix:///default', QEMU) }),
    test: await openLibvirt({ uri: daemon.uri }),
  };
  const returned: (Omit<Returned, 'theirs'> & { readonly file: string })[] = [];
  const refused: Refused[] = [];
  try {
    for (const one of cases) {
      const messages = { qemu: '', test: '' };
      for (const driver of DRIVERS) {
        const file = join(directory, `${one.name}.${driver}.xml`);
        await writeFile(file, kind === 'domain' ? forDriver(one.xml, driver) : one.xml);
        const answer = await virsh(daemon, driver, KINDS[kind].define, file);
        if ('refusal' in answer) {
          messages[driver] = answer.refusal;
          continue;
        }
        const read = await readOurs(kind, connections[driver]);
        const dumped = await virsh(daemon, driver, KINDS[kind].dump, read.uuid);
        if ('refusal' in dumped) throw new Error(`${one.name}: ${dumped.refusal}`);
        await writeFile(file, dumped.output);
        returned.push({ name: one.name, driver, listedAs: read.name, ours: read.value, file });
        await virsh(daemon, driver, KINDS[kind].undefine, read.uuid);
        break;
      }
      if (returned.at(-1)?.name !== one.name) refused.push({ name: one.name, messages });
    }
    const theirs = secondReadings(returned.map(({ file }) => file));
    return {
      returned: returned.map(({ file, ...one }, index) => {
        const reading = theirs[index];
        if (reading === undefined || 'error' in reading) {
          throw new Error(`read_xml.py cannot read ${file}: ${reading?.error ?? 'no answer'}`);
        }
        return { ...one, theirs: reading.reading };
      }),
      refused,
    };
  } finally {
    await Promise.all(Object.values(connections).map((connection) => connection.close()));
    await rm(directory, { recursive: true });
  }
}

const QEMU = 'qemu+unix:///system';

/** Our client's way: the one object there is besides those the daemon begins with. */
async function readOurs(
  kind: Kind,
  connection: LibvirtConnection,
): Promise<{ readonly uuid: string; readonly name: string; readonly value: unknown }> {
  const builtIn = new Set(['test', 'default-pool']);
  const listed =
    kind === 'domain'
      ? await connection.listAllDomains(0)
      : await connection.listAllStoragePools(0);
  const [object, another] = listed.filter(({ name }) => !builtIn.has(name));
  if (object === undefined || another !== undefined) throw new Error('not one object is defined');
  if (kind === 'domain') {
    const [domain] = (await connection.listAllDomains(0)).filter(
      ({ uuid }) => uuid === object.uuid,
    );
    if (domain === undefined) throw new Error('the domain is gone');
    const config = parseDomainXml(await connection.domainGetXmlDesc(domain), 'a domain');
    if (!config.ok) throw new Error(config.error.detail);
    return { ...object, value: config.value };
  }
  const pool = parseStoragePoolXml(await connection.storagePoolGetXmlDesc(object));
  if (!pool.ok) throw new Error(pool.error.detail);
  return { ...object, value: pool.value };
}

async function virsh(
  daemon: PrivateDaemon,
  driver: Driver,
  ...command: readonly string[]
): Promise<{ readonly output: string } | { readonly refusal: string }> {
  const socket = join(daemon.directory, 'sockets', 'libvirt-sock');
  const uri = `${driver === 'qemu' ? QEMU : 'test+unix:///default'}?socket=${socket}`;
  try {
    const { stdout } = await run('virsh', ['-c', uri, ...command], { timeout: 30_000 });
    return { output: stdout };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { refusal: 'stderr' in error ? String(error.stderr).trim() : error.message };
  }
}

/**
 * A driver takes domains of its own types only, and the test driver's machines are i686. Nothing
 * else of the file is changed.
 */
function forDriver(xml: string, driver: Driver): string {
  if (driver === 'qemu') {
    return hasKvm() ? xml : xml.replace(/(<domain\b[^>]*?type=["'])kvm(["'])/, '$1qemu$2');
  }
  return xml
    .replace(/(<domain\b[^>]*?type=["'])\w+(["'])/, '$1test$2')
    .replace(/<type\b[^>]*>(?:hvm|exe|linux)<\/type>/, "<type arch='i686'>hvm</type>");
}

function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
