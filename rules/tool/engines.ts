/** The programs besides Debian 12's own promtool that the pack is tested with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { DebianArchive, type UnpackedPackage } from '../../tools/debian-archive.ts';
import { run } from './promtool.ts';

/** The suite that has what Debian 12 has not; of each package it has one version at a time. */
const NEWER_SUITE = 'sid';
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/kvm-overcommit-exporter/debian');

/** A program by its path; `name` has the version, e.g. `promtool 3.5.3`. */
export interface Program {
  readonly name: string;
  readonly path: string;
}

export interface NewerEngines {
  /** Of Prometheus 3, whose ranges are open to the left. */
  readonly promtool: Program;
  /** Of VictoriaMetrics, whose language is MetricsQL. */
  readonly vmalertTool: Program;
}

/**
 * Unpacks them beside what is installed; downloads some 85 MB once for each `npm ci`.
 *
 * @throws NoPackagesError when no mirror of Debian can be reached.
 * @throws Error when what the mirror has is not what the pack is to be tested with.
 */
export async function newerEngines(): Promise<NewerEngines> {
  mkdirSync(CACHE, { recursive: true });
  const archive = new DebianArchive(CACHE, NEWER_SUITE, 'deb');
  let updated = false;
  const unpacked = (name: string): UnpackedPackage => {
    const present = archive.unpackedBinary(name);
    if (present !== undefined) return present;
    if (!updated) archive.update();
    updated = true;
    return archive.unpackBinary(name);
  };
  const promtool = unpacked('promtool');
  const victoriaMetrics = unpacked('victoria-metrics');
  return {
    promtool: await programOf(promtool, 'promtool', 3),
    vmalertTool: await programOf(victoriaMetrics, 'vmalert-tool', 1),
  };
}

/** @throws Error when it does not start here, or is of another major version. */
async function programOf(
  { directory, version }: UnpackedPackage,
  name: string,
  major: number,
): Promise<Program> {
  if (!version.startsWith(`${major}.`)) {
    throw new Error(`Debian's ${name} is ${version}, and the pack is to be tested with ${major}.x`);
  }
  const path = join(directory, 'usr/bin', name);
  const { ok, output } = await run(path, ['--help']);
  if (!ok) throw new Error(`${name} of Debian's ${version} does not start: ${output.trim()}`);
  return { name: `${name} ${/^[0-9.]+/.exec(version)?.[0] ?? version}`, path };
}
