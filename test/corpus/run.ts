/**
 * `npm run corpus`: reads the test data of libvirt and QEMU, which nobody here wrote, and holds each
 * value against a second reading. Nothing of it is kept in the repository: Debian's source packages
 * are downloaded when this runs. Ends with 1 where a difference is not explained in `explained.ts`,
 * and where the packages cannot be had.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import {
  DebianArchive,
  NoPackagesError,
  type UnpackedPackage,
} from '../../tools/debian-archive.ts';
import { EXPLAINED } from './explained.ts';
import { compareCapabilities, compareCgroups, compareHostCpus } from './libvirt-hosts.ts';
import { compareDomains, comparePools } from './libvirt-xml.ts';
import { compareImages } from './qemu-images.ts';
import { unexplained, type Report } from './report.ts';

const { values: options } = parseArgs({
  options: {
    cache: { type: 'string', default: defaultCache() },
    /** Of Debian, instead of those this machine has. */
    suite: { type: 'string' },
  },
});

const { libvirt, qemu } = download();
const scratch = join(options.cache, `scratch-${process.pid}`);
const reports: Report[] = [];
try {
  const tests = join(libvirt.directory, 'tests');
  reports.push(
    compareDomains(tests, join(scratch, 'domains')),
    comparePools(tests, join(scratch, 'pools')),
    compareCapabilities(tests, join(scratch, 'capabilities')),
    compareHostCpus(tests, join(scratch, 'cpus')),
    compareCgroups(tests),
    await compareImages(
      join(qemu.directory, 'tests/qemu-iotests/sample_images'),
      join(scratch, 'images'),
    ),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

console.log(`libvirt ${libvirt.version}, QEMU ${qemu.version}\n`);
for (const { what, files, values, differences, notes } of reports) {
  console.log(`${what}: ${files} files, ${values} values, ${differences.length} differences`);
  for (const note of notes) console.log(`  ${note}`);
}
const differences = reports.flatMap((report) => report.differences);
const left = unexplained(differences, EXPLAINED);
for (const { file, text } of left.differences) console.error(`not explained: ${file}: ${text}`);
for (const { why } of left.unused) console.log(`nothing to explain here: ${why}`);
const empty = reports.filter(({ values }) => values === 0);
for (const { what } of empty) console.error(`nothing was compared: ${what}`);
console.log(
  `\n${reports.reduce((sum, { files }) => sum + files, 0)} files, ` +
    `${reports.reduce((sum, { values }) => sum + values, 0)} values, ` +
    `${differences.length} differences, ${left.differences.length} not explained`,
);
if (left.differences.length > 0 || empty.length > 0) process.exitCode = 1;

function download(): Record<'libvirt' | 'qemu', UnpackedPackage> {
  try {
    mkdirSync(options.cache, { recursive: true });
    const sources = new DebianArchive(options.cache, options.suite, 'deb-src');
    sources.update();
    return {
      libvirt: sources.unpackSource('libvirt', '*/tests/*'),
      qemu: sources.unpackSource('qemu', '*/tests/qemu-iotests/sample_images/*'),
    };
  } catch (error) {
    if (!(error instanceof NoPackagesError)) throw error;
    console.error(`no source packages, so nothing was compared: ${error.message}`);
    process.exit(1);
  }
}

function defaultCache(): string {
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(caches, 'kvm-overcommit-exporter', 'corpus');
}
