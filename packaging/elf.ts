import { run } from './run.ts';

/** What a program needs of the machine it runs on. */
export interface ProgramNeeds {
  /** As readelf names the processor. */
  readonly machine: string;
  /** The loader, which itself is a library. */
  readonly interpreter: string;
  /** Libraries by name, sorted. */
  readonly libraries: readonly string[];
  /** The newest version of each set of symbols: `GLIBC` → `2.28`. */
  readonly versions: ReadonlyMap<string, string>;
}

/** Reads the headers of an ELF program; it is not run. */
export async function programNeeds(program: string): Promise<ProgramNeeds> {
  const text = await run('readelf', ['--wide', '-h', '-l', '-d', '-V', program]);
  const versions = new Map<string, string>();
  for (const [, set = '', version = ''] of text.matchAll(/Name: ([A-Z]+)_(\d+(?:\.\d+)+)/g)) {
    const before = versions.get(set);
    if (before === undefined || compareVersions(before, version) < 0) versions.set(set, version);
  }
  const [, machine = '', interpreter = ''] =
    /Machine:\s+(.*)[^]*interpreter: ([^\]]+)\]/.exec(text) ?? [];
  if (machine === '') throw new Error(`readelf does not tell what ${program} needs`);
  return {
    machine,
    interpreter,
    libraries: [...text.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name ?? '').sort(),
    versions,
  };
}

/** Below 0 if the first is older: 2.9 is older than 2.28. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number));
  for (let at = 0; at < Math.max(a?.length ?? 0, b?.length ?? 0); at += 1) {
    const difference = (a?.[at] ?? 0) - (b?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
