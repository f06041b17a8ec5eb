import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { propertyAt } from '../src/sources/json-text.ts';
import { REPOSITORY, type Project } from './project.ts';

/**
 * The software bill of materials (CycloneDX 1.5, JSON) of what runs: made from package-lock.json
 * alone, without network, and the same bytes for the same lockfile and version. npm would put in the
 * time and a random number.
 */
export function billOfMaterials({ name, version }: Project): string {
  const arguments_ = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev'];
  const made: unknown = JSON.parse(
    execFileSync('npm', [...arguments_, '--offline'], { cwd: REPOSITORY, encoding: 'utf8' }),
  );
  const lock = readFileSync(join(REPOSITORY, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).update(version).digest();
  const metadata = propertyAt(made, 'metadata');
  const sbom = {
    ...record(made),
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    metadata: {
      ...record(metadata),
      timestamp: undefined,
      // npm takes the name of the folder.
      component: { ...record(propertyAt(metadata, 'component')), name, version },
    },
  };
  return `${JSON.stringify(sbom, undefined, 2)}\n`;
}

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
