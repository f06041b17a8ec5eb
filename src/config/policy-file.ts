import { stat } from 'node:fs/promises';

import { z } from 'zod';

import { failedWith, found, type Result } from '../runtime/result.ts';
import { limitText } from './limit-text.ts';
import { DEFAULT_POLICY, type Amount, type Limit, type Policy } from './policy.ts';
import { LIMITS, RESOURCES, type LimitDeclaration } from './policy-defaults.ts';
import { parseBytes, parseDuration, parseRatio, SIZE_UNITS } from './quantity.ts';
import { parseYaml, readText, type FileFaults } from './yaml-file.ts';

interface LoadedPolicy {
  readonly policy: Policy;
  /** When the file was written, Unix time. */
  readonly writtenAtSeconds: number;
}

/** Reads and checks a policy file. Never throws: an unreadable file is a fault like any other. */
export async function loadPolicy(
  path: string,
  base: Policy = DEFAULT_POLICY,
): Promise<Result<LoadedPolicy, FileFaults>> {
  const text = await readText(path);
  if (!text.ok) return text;
  const policy = parsePolicy(text.value, path, base);
  if (!policy.ok) return policy;
  try {
    return found({
      policy: policy.value,
      writtenAtSeconds: (await stat(path)).mtimeMs / 1000,
    });
  } catch (error) {
    // Gone since it was read.
    return failedWith([`${path}: ${error instanceof Error ? error.message : 'no stat'}`]);
  }
}

/**
 * Checks the text of a policy file and lays it over the built-in policy: what it does not mention
 * keeps what `base` has, a limit set to null gives no alert. Unknown keys are faults.
 */
export function parsePolicy(
  text: string,
  path: string,
  base: Policy = DEFAULT_POLICY,
): Result<Policy, FileFaults> {
  const file = parseYaml(text, path, { schema: POLICY_FILE, whole: 'the policy', allowedKeys });
  if (!file.ok) return file;
  const origins = new Map((base.origins ?? []).map((one) => [one.key, one]));
  for (const key of keysOf(file.value)) {
    origins.set(key, { key, origin: 'policy_file', file: path });
  }
  const policy = toPolicy(file.value, base);
  return found(origins.size === 0 ? policy : { ...policy, origins: [...origins.values()] });
}

/** A string or number of YAML, read by one of the quantity parsers. */
function quantity(parse: (text: string) => number | undefined, allowed: string) {
  return z.union([z.string(), z.number()], { error: () => allowed }).transform((value, context) => {
    const parsed = parse(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

const parsePlainNumber = (text: string): number | undefined =>
  /^\d{1,20}(?:\.\d{1,20})?$/.test(text) ? Number(text) : undefined;

/** Somebody who writes 20 for 20 % would switch the alert off, or on for ever. */
function parseShare(text: string): number | undefined {
  const ratio = parseRatio(text);
  return ratio !== undefined && ratio <= 1 ? ratio : undefined;
}

const SIZE_ALLOWED = `a size with its unit (${SIZE_UNITS.join(', ')})`;

const QUANTITY_OF: Readonly<Record<Limit['unit'], ReturnType<typeof quantity>>> = {
  share: quantity(parseShare, 'allowed is a part of the whole like 0.2 or 20%'),
  ratio: quantity(parseRatio, 'allowed is a ratio like 1.5 or 5%'),
  seconds: quantity(parseDuration, 'allowed is a duration like 24h, 90s or 90'),
  bytes: quantity(parseBytes, `allowed is ${SIZE_ALLOWED} like 2GiB`),
  bytes_per_second: quantity(parseBytes, `allowed is ${SIZE_ALLOWED} per second like 800KiB`),
  per_second: quantity(parsePlainNumber, 'allowed is a number from 0'),
  count: quantity(parsePlainNumber, 'allowed is a number from 0'),
};

function limitSchema(declared: LimitDeclaration) {
  const value = QUANTITY_OF[declared.unit].nullable().optional();
  return z
    .strictObject(
      { warning: value, critical: value },
      { error: 'allowed are warning and critical' },
    )
    .transform((set, context): Limit => {
      const limit = {
        ...declared,
        warning: set.warning === undefined ? declared.warning : (set.warning ?? undefined),
        critical: set.critical === undefined ? declared.critical : (set.critical ?? undefined),
      };
      const message = faultOfOrder(limit, set);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
      return limit;
    });
}

/**
 * Why a warning limit that is stricter than the critical one cannot be meant. One of the two may be
 * the built-in one, of which nothing is in the file.
 */
function faultOfOrder(
  limit: LimitDeclaration,
  set: { readonly [severity in Severity]?: number | null | undefined },
): string | undefined {
  const { warning, critical, bad } = limit;
  if (warning === undefined || critical === undefined) return undefined;
  if (bad === 'above' ? critical >= warning : critical <= warning) return undefined;
  const [strict, lax] = bad === 'above' ? ['below', 'above'] : ['above', 'below'];
  const named = (severity: Severity, value: number): string => {
    const builtIn = set[severity] === undefined ? 'built-in ' : '';
    return `the ${builtIn}${severity} limit ${limitText(limit, value)}`;
  };
  if (set.critical === undefined) {
    return (
      `${named('warning', warning)} is ${lax} ${named('critical', critical)}: ` +
      'set critical as well, or to null for no critical alert'
    );
  }
  const order = `${named('critical', critical)} is ${strict} ${named('warning', warning)}`;
  return set.warning === undefined
    ? `${order}: set warning as well, or to null for no warning`
    : `${order}: a critical limit must not be the stricter one`;
}

type Severity = 'warning' | 'critical';

const limitsSchema = (resource: Limit['resource']) =>
  z
    .strictObject(
      Object.fromEntries(
        LIMITS.filter((limit) => limit.resource === resource).map((limit) => [
          limit.name,
          limitSchema(limit).optional(),
        ]),
      ),
    )
    .nullish();

const pattern = z
  .string({ error: 'allowed is a regular expression' })
  .transform((source, context) => {
    try {
      return new RegExp(`^(?:${source})$`, 'u');
    } catch {
      context.addIssue({ code: 'custom', message: `not a regular expression: ${source}` });
      return z.NEVER;
    }
  });

const patterns = z.array(pattern, { error: 'allowed is a list of regular expressions' }).nullish();

const storageAmount = z
  .union([z.string(), z.number()], { error: () => STORAGE_ALLOWED })
  .transform((value, context): Amount => {
    const text = String(value);
    const ratio = text.endsWith('%') ? parseRatio(text) : undefined;
    if (ratio !== undefined && ratio < 1) return { ratio };
    const bytes = parseBytes(text);
    if (bytes !== undefined) return { bytes };
    context.addIssue({ code: 'custom', message: STORAGE_ALLOWED });
    return z.NEVER;
  });
const STORAGE_ALLOWED = `allowed is ${SIZE_ALLOWED} like 20GiB, or a part below 100% like 5%`;

const POLICY_FILE = z.strictObject({
  cpu: limitsSchema('cpu'),
  memory: limitsSchema('memory'),
  storage: limitsSchema('storage'),
  network: limitsSchema('network'),
  exporter: limitsSchema('exporter'),
  reserves: z
    .strictObject({
      memory: QUANTITY_OF.bytes.optional(),
      cpus: QUANTITY_OF.count.optional(),
      storage: storageAmount.optional(),
    })
    .nullish(),
  supply: z
    .strictObject({
      zfs_arc: z.boolean({ error: 'allowed are true and false' }).optional(),
    })
    .nullish(),
  domains: z.strictObject({ include: patterns, exclude: patterns }).nullish(),
  maintenance: QUANTITY_OF.seconds.nullish(),
});

/** What a file sets, as `section.name`, or the section where that is a value. */
function keysOf(file: z.output<typeof POLICY_FILE>): readonly string[] {
  return Object.entries(file).flatMap(([section, value]) => {
    if (value === null || value === undefined) return [];
    if (typeof value !== 'object') return [section];
    return Object.entries(value).flatMap(([name, own]) =>
      own === undefined || own === null ? [] : [`${section}.${name}`],
    );
  });
}

function toPolicy(file: z.output<typeof POLICY_FILE>, base: Policy): Policy {
  const { reserves, supply, domains, maintenanceSeconds } = base;
  return {
    ...base,
    limits: base.limits.map((limit) => file[limit.resource]?.[limit.name] ?? limit),
    reserves: {
      memoryBytes: file.reserves?.memory ?? reserves.memoryBytes,
      cpus: file.reserves?.cpus ?? reserves.cpus,
      storage: file.reserves?.storage ?? reserves.storage,
    },
    supply: { zfsArc: file.supply?.zfs_arc ?? supply.zfsArc },
    domains: {
      include: file.domains?.include ?? domains.include,
      exclude: file.domains?.exclude ?? domains.exclude,
    },
    maintenanceSeconds: file.maintenance ?? maintenanceSeconds,
  };
}

/** The keys the policy file may have under a path. */
function allowedKeys(path: readonly PropertyKey[]): string {
  const [section] = path;
  if (section === undefined) {
    return [...RESOURCES, 'reserves', 'supply', 'domains', 'maintenance'].join(', ');
  }
  if (section === 'reserves') return 'memory, cpus, storage';
  if (section === 'supply') return 'zfs_arc';
  if (section === 'domains') return 'include, exclude';
  if (path.length > 1) return 'warning, critical';
  return LIMITS.filter((limit) => limit.resource === section)
    .map((limit) => limit.name)
    .join(', ');
}
