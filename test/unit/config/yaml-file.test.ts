import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { loadPolicy, parsePolicy } from '../../../src/config/policy-file.ts';
import { loadWebConfig } from '../../../src/config/web-config-file.ts';

function faultsIn(text: string): readonly string[] {
  const result = parsePolicy(text, 'policy.yaml');
  if (result.ok) throw new Error('it was accepted');
  return result.error;
}

async function fileWith(text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'yaml-')), 'file.yaml');
  await writeFile(path, text);
  return path;
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');
}

/** CPU time of this thread in seconds: another process on the machine does not count. */
function cpuSeconds(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}

describe('a policy file with faults without end', () => {
  it('has the first ten unknown keys named, and the number of the others', () => {
    const faults = faultsIn(lines(5000, (index) => `key${index}: 1`));
    expect(faults).toHaveLength(11);
    expect(faults[0]).toMatch(/^policy\.yaml:1: key0: unknown key; allowed are cpu, /);
    expect(faults[9]).toMatch(/^policy\.yaml:10: key9: unknown key/);
    expect(faults[10]).toBe('policy.yaml: and 4990 more');
  });

  it('is refused by its size, with the first ten keys all the same', () => {
    const faults = faultsIn(lines(200_000, (index) => `key${index}: 1`));
    expect(faults[0]).toBe('policy.yaml: larger than 256 KiB; the policy needs a few');
    expect(faults[1]).toMatch(/^policy\.yaml:1: key0: unknown key/);
    expect(faults).toHaveLength(12);
  });

  it.each<[string, string]>([
    ['200,000 keys', lines(200_000, (index) => `key${index}: 1`)],
    ['200,000 keys of a section', `cpu:\n${lines(200_000, (index) => `  key${index}: 1`)}`],
    ['as many keys as fit', lines(21_000, (index) => `k${index}: 1`)],
    ['as many keys as fit in one line', `{${lines(25_000, (index) => `k${index}, `)}}`],
    ['the same key again and again', lines(40_000, () => 'cpu:')],
    ['one key of 200 KiB', `${'k'.repeat(200_000)}: 1`],
    ['lists in lists', '['.repeat(20_000)],
    ['maps in maps', `${'{a: '.repeat(20_000)}${'}'.repeat(20_000)}`],
    ['what is no YAML', '\t:"'.repeat(20_000)],
    ['one value of 250,000 digits', `cpu: { promised_ratio: { warning: ${'9'.repeat(250_000)} } }`],
  ])('is refused in seconds and in few words: %s', (_, text) => {
    let faults: readonly string[] = [];
    const seconds = cpuSeconds(() => (faults = faultsIn(text)));
    expect(faults.length).toBeLessThanOrEqual(12);
    expect(faults.join('\n').length).toBeLessThan(12_000);
    expect(seconds).toBeLessThan(5);
  });

  it('does not multiply by aliases', () => {
    const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const laughs = lines(letters.length, (index) => {
      const before = index === 0 ? '1' : `*${letters[index - 1] ?? ''}`;
      return `${letters[index] ?? ''}: &${letters[index] ?? ''} [${Array(10).fill(before).join(', ')}]`;
    });
    expect(faultsIn(laughs)).toEqual([expect.stringMatching(/^policy\.yaml: Excessive alias/)]);
  });

  it('has each key once', () => {
    expect(faultsIn('cpu: {}\nmemory: {}\ncpu: {}\n')).toEqual([
      'policy.yaml:3: Map keys must be unique',
    ]);
    expect(faultsIn('cpu:\n  promised_ratio:\n    warning: 3\n    "warning": 4\n')).toEqual([
      'policy.yaml:4: Map keys must be unique',
    ]);
    expect(faultsIn(lines(40_000, () => 'cpu:'))).toHaveLength(11);
  });

  it('has no number beyond all numbers', () => {
    const digits = '9'.repeat(400);
    for (const limit of [
      `cpu: { promised_ratio: { warning: ${digits} } }`,
      `storage: { fill_seconds: { warning: ${digits}d } }`,
      `reserves: { memory: ${digits}B }`,
      `reserves: { cpus: ${digits} }`,
    ])
      expect(faultsIn(limit)).toHaveLength(1);
  });
});

describe('a file that is too large to be one', () => {
  it('is not read to its end', async () => {
    const result = await loadPolicy('/dev/zero');
    expect(result).toEqual({ ok: false, error: ['/dev/zero: larger than 4 MiB'] });
    expect(await loadWebConfig('/dev/zero')).toEqual(result);
  });

  it('is refused as the web configuration as well', async () => {
    const path = await fileWith(lines(200_000, (index) => `key${index}: 1`));
    const result = await loadWebConfig(path);
    if (result.ok) throw new Error('it was accepted');
    expect(result.error[0]).toBe(`${path}: larger than 256 KiB; the web configuration needs a few`);
    expect(result.error).toHaveLength(12);
  });

  it('is none when it holds the passwords of a thousand users', async () => {
    const hash = `$2y$10$${'a'.repeat(53)}`;
    const users = lines(1000, (index) => `  user${index}: ${hash}`);
    const result = await loadWebConfig(await fileWith(`basic_auth_users:\n${users}`));
    expect(result.ok && result.value.users.size).toBe(1000);
  });
});
