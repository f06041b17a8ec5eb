import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, '../../fixtures/storage');

export function storageFixture(name: string): string {
  return readFileSync(join(DIRECTORY, name), 'utf8');
}
