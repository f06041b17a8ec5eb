import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { z } from 'zod';

/** One XML of the corpus with the reading a person gave it. */
export interface Case {
  /** Of the files, without their ends. */
  readonly name: string;
  readonly file: string;
  readonly xml: string;
  /** Where libvirt says so. */
  readonly why: readonly string[];
  /**
   * The reading, or what the reason names for which it can be of no use. Complete: what the file
   * leaves out is filled in as absent.
   */
  readonly right: { readonly reading: JsonObject } | { readonly malformed: string };
}

type JsonObject = Readonly<Record<string, Json>>;
type Json = z.infer<ReturnType<typeof z.json>>;

const caseFile = z.strictObject({
  why: z.array(z.string()).min(1),
  reading: z.record(z.string(), z.json()).optional(),
  malformed: z.string().optional(),
});

/** What is so of every domain that does not say otherwise. */
const BLANK_DOMAIN: JsonObject = {
  os: {},
  memory: {
    backing: { noSharePages: false, locked: false, discard: false },
    devices: [],
  },
  vcpu: { list: [] },
  cpu: {},
  cputune: { vcpu: {}, global: {}, emulator: {}, iothread: {}, vcpuPins: [], iothreadPins: [] },
  iothreads: 0,
  numa: { cells: [], guestCells: [] },
  blkio: { devices: [] },
  disks: [],
  throttleGroups: [],
  interfaces: [],
  hostdevs: [],
  faults: [],
};

/** The same of parts that need not be there, by their place in a reading. */
const BLANK_PARTS: Readonly<Record<string, JsonObject>> = {
  'memory.devices': { readOnly: false },
  'numa.guestCells': { discard: false },
  balloon: { freePageReporting: false, autodeflate: false },
  disks: {
    driver: {},
    readOnly: false,
    shareable: false,
    transient: false,
    backing: [],
    backingComplete: false,
    throttleFilters: [],
  },
  interfaces: { source: {}, linkUp: true },
};

const BLANK_POOL: JsonObject = { source: { hosts: [], devices: [] } };

/** Domains with their right readings, in the form of `DomainConfig`. */
export function domainCases(): readonly Case[] {
  return casesIn('domains', BLANK_DOMAIN);
}

/** Storage pools with theirs, in the form of `StoragePoolDescription`. */
export function poolCases(): readonly Case[] {
  return casesIn('pools', BLANK_POOL);
}

function casesIn(directory: string, blank: JsonObject): readonly Case[] {
  const path = join(import.meta.dirname, directory);
  const files = readdirSync(path).filter((name) => name.endsWith('.xml'));
  return files.sort().map((xmlFile) => {
    const name = basename(xmlFile, '.xml');
    const text = readFileSync(join(path, `${name}.json`), 'utf8');
    const { why, reading, malformed } = caseFile.parse(JSON.parse(text));
    const file = join(path, xmlFile);
    if ((reading === undefined) === (malformed === undefined)) {
      throw new Error(`${name}.json: either a reading or a reason why there is none`);
    }
    return {
      name,
      file,
      xml: readFileSync(file, 'utf8'),
      why,
      right:
        malformed === undefined
          ? { reading: object(filled(reading ?? {}, blank, '')) }
          : { malformed },
    };
  });
}

/** A part of a reading, with what it leaves out. */
function filled(value: Json, blank: JsonObject, place: string): Json {
  const within = { ...blank, ...BLANK_PARTS[place] };
  if (Array.isArray(value)) return value.map((one) => filled(one, within, place));
  if (!isObject(value)) return bytes(value, place);
  const whole: Record<string, Json> = { ...within };
  for (const [key, one] of Object.entries(value)) {
    const blankOfKey = within[key];
    const path = place === '' ? key : `${place}.${key}`;
    whole[key] = filled(one, isObject(blankOfKey) ? blankOfKey : {}, path);
  }
  return whole;
}

const UNITS: Readonly<Record<string, number>> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Sizes are written with a unit where a person would. */
function bytes(value: Json, place: string): Json {
  if (typeof value !== 'string' || !place.endsWith('Bytes')) return value;
  const [number, unit] = value.split(' ');
  const factor = UNITS[unit ?? ''];
  if (factor === undefined) throw new Error(`${place}: ${value} has no unit known here`);
  return Number(number) * factor;
}

function object(value: Json): JsonObject {
  if (!isObject(value)) throw new Error('a reading is an object');
  return value;
}

function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
