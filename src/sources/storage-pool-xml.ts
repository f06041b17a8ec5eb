import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';

import { failed, found, type Reading } from './reading.ts';

/** A libvirt storage pool as its XML describes it (libvirt docs/formatstorage.rst). */
export interface StoragePoolDescription {
  /** `dir`, `fs`, `netfs`, `logical`, `disk`, `iscsi`, `iscsi-direct`, `scsi`, `mpath`, `rbd`, … */
  readonly type: string;
  readonly name: string;
  readonly uuid: string | undefined;
  /** Where the pool is mapped into the host's file tree; network pools have none. */
  readonly targetPath: string | undefined;
  readonly source: StoragePoolSource;
}

export interface StoragePoolSource {
  /** Volume group, RBD pool, ZFS dataset … */
  readonly name: string | undefined;
  readonly hosts: readonly { readonly name: string; readonly port: number | undefined }[];
  /** Exported directory (netfs) or path in the volume (gluster). */
  readonly directory: string | undefined;
  readonly devices: readonly string[];
  readonly format: string | undefined;
  readonly adapter: string | undefined;
}

/**
 * Parses what virStoragePoolGetXMLDesc gives. Sizes are left out: ask for the pool's info, which
 * needs no XML.
 */
export function parseStoragePoolXml(xml: string): Reading<StoragePoolDescription> {
  let document: unknown;
  try {
    document = parser.parse(xml);
  } catch (error) {
    return failed('malformed', SUBJECT, error instanceof Error ? error.message : String(error));
  }
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) return failed('malformed', SUBJECT, z.prettifyError(parsed.error));
  const [pool] = parsed.data.pool;
  if (pool === undefined) return failed('malformed', SUBJECT, 'no <pool> element');
  const name = first(pool.name);
  if (name === undefined) return failed('malformed', SUBJECT, 'a pool without a name');
  const source = first(pool.source);
  return found({
    type: pool.type,
    name,
    uuid: first(pool.uuid),
    targetPath: first(first(pool.target)?.path),
    source: {
      name: first(source?.name),
      hosts: (source?.host ?? []).map((host) => ({
        name: host.name,
        port: host.port === undefined ? undefined : Number(host.port),
      })),
      directory: first(source?.dir)?.path,
      devices: (source?.device ?? []).map((device) => device.path),
      format: first(source?.format)?.type,
      adapter: first(source?.adapter)?.name,
    },
  });
}

const SUBJECT = 'storage pool XML';

/** Every element becomes a list, so that one and several look the same; no value is guessed. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
});

/** An element without content or attributes is parsed to ''. */
function elements<T extends z.ZodType>(
  schema: T,
): z.ZodOptional<z.ZodArray<z.ZodType<z.output<T>>>> {
  return z.array(z.preprocess((value) => (value === '' ? {} : value), schema)).optional();
}

const texts = z
  .array(z.union([z.string(), z.object({ '#text': z.string() }).transform((e) => e['#text'])]))
  .optional();

const sourceSchema = z.object({
  name: texts,
  host: elements(z.object({ name: z.string(), port: z.string().optional() })),
  dir: elements(z.object({ path: z.string().optional() })),
  device: elements(z.object({ path: z.string() })),
  format: elements(z.object({ type: z.string().optional() })),
  adapter: elements(z.object({ name: z.string().optional() })),
});

const documentSchema = z.object({
  pool: z.array(
    z.object({
      type: z.string(),
      name: texts,
      uuid: texts,
      source: elements(sourceSchema),
      target: elements(z.object({ path: texts })),
    }),
  ),
});

function first<T>(list: readonly T[] | undefined): T | undefined {
  return list?.[0];
}
