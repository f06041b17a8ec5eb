import type { Deadline } from '../../runtime/deadline.ts';
import { failed, found, type Result } from '../../runtime/result.ts';
import { parseXml, parseXmlInSlices } from './xml-document.ts';
import type { XmlElement } from './xml-element.ts';
import { EVERYTHING, only } from './xml-wanted.ts';
import type { StoragePoolDescription, StoragePoolSource } from '../../model/storage.ts';

const WANTED = only({
  name: EVERYTHING,
  uuid: EVERYTHING,
  source: EVERYTHING,
  target: only({ path: EVERYTHING }),
});

/**
 * Parses what virStoragePoolGetXMLDesc gives. Sizes are left out: ask for the pool's info, which
 * needs no XML.
 */
export function parseStoragePoolXml(xml: string): Result<StoragePoolDescription> {
  return descriptionFrom(parseXml(xml, SUBJECT, WANTED));
}

/**
 * As `parseStoragePoolXml`, without keeping others from their work.
 *
 * @param deadline a failed result of kind `timeout` after it.
 */
export async function parseStoragePoolXmlInSlices(
  xml: string,
  deadline: Deadline,
): Promise<Result<StoragePoolDescription>> {
  return descriptionFrom(await parseXmlInSlices(xml, SUBJECT, WANTED, deadline));
}

function descriptionFrom(parsed: Result<XmlElement>): Result<StoragePoolDescription> {
  if (!parsed.ok) return parsed;
  const pool = parsed.value;
  if (pool.name !== 'pool') return failed('malformed', SUBJECT, 'no <pool> element');
  const type = pool.attribute('type');
  if (type === undefined) return failed('malformed', SUBJECT, 'a pool without a type');
  const name = parseElementText(pool, 'name');
  if (name === undefined) return failed('malformed', SUBJECT, 'a pool without a name');
  return found({
    type,
    name,
    uuid: parseElementText(pool, 'uuid')?.trim(),
    targetPath: parseElementText(pool, 'target', 'path'),
    source: parseSource(pool.child('source')),
  });
}

const SUBJECT = 'storage pool XML';

function parseSource(source: XmlElement | undefined): StoragePoolSource {
  return {
    name: parseElementText(source, 'name'),
    hosts: (source?.all('host') ?? []).flatMap((host) => {
      const [name, port] = [host.attribute('name'), host.attribute('port')];
      return name === undefined ? [] : { name, port: parsePort(port) };
    }),
    directory: source?.child('dir')?.attribute('path'),
    devices: (source?.all('device') ?? []).flatMap((device) => device.attribute('path') ?? []),
    format: source?.child('format')?.attribute('type'),
    adapter: source?.child('adapter')?.attribute('name'),
  };
}

function parsePort(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

function parseElementText(
  element: XmlElement | undefined,
  ...path: readonly string[]
): string | undefined {
  const text = element?.at(...path)?.text;
  return text === '' ? undefined : text;
}
