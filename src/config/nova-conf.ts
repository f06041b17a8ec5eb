import { DEFAULT_POLICY, type Policy, type PolicyOrigin, type Reserves } from './policy.ts';
import { failedWith, found, type Result } from '../runtime/result.ts';
import { readText, type FileFaults } from './yaml-file.ts';

const MIB = 2 ** 20;

/** What an option of Nova changes in the policy (nova/conf/compute.py, nova/conf/base.py). */
interface Option {
  readonly section: 'DEFAULT' | 'compute';
  /** What of the policy it sets. */
  readonly key: string;
  /** The policy with it; undefined: the value makes no sense. */
  readonly apply: (policy: Policy, text: string) => Policy | undefined;
  readonly allowed: string;
}

/** The only options that are read: the file holds passwords too. */
const OPTIONS: ReadonlyMap<string, Option> = new Map([
  ['cpu_allocation_ratio', ratio('cpu')],
  ['ram_allocation_ratio', ratio('memory')],
  ['disk_allocation_ratio', ratio('storage')],
  ['reserved_host_memory_mb', reserve('memory', (mb) => ({ memoryBytes: mb * MIB }))],
  ['reserved_host_cpus', reserve('cpus', (cpus) => ({ cpus }))],
  ['reserved_host_disk_mb', reserve('storage', (mb) => ({ storage: { bytes: mb * MIB } }))],
  ['cpu_shared_set', cpuSet('shared')],
  ['cpu_dedicated_set', cpuSet('dedicated')],
]);

/** What the scheduler may promise at most: beyond it something is wrong, at either severity. */
function ratio(resource: 'cpu' | 'memory' | 'storage'): Option {
  return {
    section: 'DEFAULT',
    key: `${resource}.promised_ratio`,
    allowed: 'a ratio like 1.5',
    apply: (policy, text) => {
      const value = /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
      if (value === undefined) return undefined;
      // 0.0 of old: whatever placement has.
      if (value === 0) return policy;
      return {
        ...policy,
        limits: policy.limits.map((limit) =>
          limit.resource === resource && limit.name === 'promised_ratio'
            ? { ...limit, warning: value, critical: value }
            : limit,
        ),
      };
    },
  };
}

function reserve(key: string, toReserve: (value: number) => Partial<Reserves>): Option {
  return {
    section: 'DEFAULT',
    key: `reserves.${key}`,
    allowed: 'a whole number from 0',
    apply: (policy, text) =>
      /^\d{1,9}$/.test(text)
        ? { ...policy, reserves: { ...policy.reserves, ...toReserve(Number(text)) } }
        : undefined,
  };
}

function cpuSet(name: 'shared' | 'dedicated'): Option {
  return {
    section: 'compute',
    key: `cpu_sets.${name}`,
    allowed: 'CPUs like 4-12,^8,15',
    apply: (policy, text) => {
      const cpus = parseCpus(text);
      return cpus && { ...policy, cpuSets: { ...policy.cpuSets, [name]: cpus } };
    },
  };
}

const HIGHEST_CPU = 65_535;

/** As nova.virt.hardware.parse_cpu_spec: what `^` takes out is out wherever it stands. */
function parseCpus(text: string): readonly number[] | undefined {
  const cpus = new Set<number>();
  const out = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(?:\^(\d{1,5})|(\d{1,5})(?:\s*-\s*(\d{1,5}))?)\s*$/.exec(part);
    if (match === null) return undefined;
    if (match[1] !== undefined) {
      out.add(Number(match[1]));
      continue;
    }
    const first = Number(match[2]);
    const last = Number(match[3] ?? first);
    if (last < first || last > HIGHEST_CPU) return undefined;
    for (let cpu = first; cpu <= last; cpu += 1) cpus.add(cpu);
  }
  const left = [...cpus.difference(out)].sort((one, other) => one - other);
  return left.length === 0 ? undefined : left;
}

/** Reads the built-in policy with what a nova.conf says laid over it. Never rejects. */
export async function loadNovaConf(path: string): Promise<Result<Policy, FileFaults>> {
  const text = await readText(path);
  return text.ok ? parseNovaConf(text.value, path) : text;
}

/**
 * Reads the text of a nova.conf in the form of oslo.config. Nothing of the text is ever repeated in a
 * fault, since it holds passwords. An option that is set twice counts the last time.
 *
 * @returns what is wrong: `file:line: option: what is allowed`.
 */
export function parseNovaConf(text: string, path: string): Result<Policy, FileFaults> {
  let policy = DEFAULT_POLICY;
  const origins = new Map<string, PolicyOrigin>();
  let section = '';
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    // Comments, and lines that go on with the value before, which no option here has.
    if (/^(?:[#;\s]|$)/.test(line)) continue;
    const header = /^\[([^\]]*)\]\s*$/.exec(line);
    if (header !== null) {
      section = header[1]?.trim() ?? '';
      continue;
    }
    const at = line.search(/[=:]/);
    if (at <= 0 || section === '') {
      return fault(`${path}:${index + 1}: not a line of nova.conf`);
    }
    const name = line.slice(0, at).trim();
    const option = OPTIONS.get(name);
    const value = line
      .slice(at + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, '$2');
    if (option?.section !== section || value === '') continue;
    const applied = option.apply(policy, value);
    if (applied === undefined) {
      return fault(`${path}:${index + 1}: ${name}: allowed is ${option.allowed}`);
    }
    if (applied !== policy) {
      origins.set(option.key, { key: option.key, origin: 'nova', file: path });
    }
    policy = applied;
  }
  return found({ ...policy, origins: [...origins.values()] });
}

function fault(line: string): Result<Policy, FileFaults> {
  return failedWith([line]);
}
