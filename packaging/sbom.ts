import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { propertyAt, textAt } from '../src/sources/json-text.ts';

/**
 * Writes the software bill of materials (CycloneDX 1.5, JSON) of what runs to standard output: made
 * from package-lock.json alone, without network, and the same bytes for the same lockfile. npm would
 * put in the time and a random number.
 */
const REPOSITORY = join(import.meta.dirname, '..');

const arguments_ = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev'];
const made: unknown = JSON.parse(
  execFileSync('npm', [...arguments_, '--offline'], { cwd: REPOSITORY, encoding: 'utf8' }),
);
const digest = createHash('sha256').update(readFileSync(join(REPOSITORY, 'package-lock.json')));
const name = textAt(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')), 'name');
const metadata = propertyAt(made, 'metadata');
const sbom = {
  ...record(made),
  serialNumber: `urn:uuid:${uuidOf(digest.digest())}`,
  metadata: {
    ...record(metadata),
    timestamp: undefined,
    // npm takes the name of the folder.
    component: { ...record(propertyAt(metadata, 'component')), name },
  },
};
process.stdout.write(`${JSON.stringify(sbom, undefined, 2)}\n`);

function record(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** RFC 9562, version 8: whatever the maker likes, here the digest. */
function uuidOf(bytes: Buffer): string {
  const uuid = Buffer.from(bytes.subarray(0, 16));
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x80;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  return uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
