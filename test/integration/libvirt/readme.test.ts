import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, '../../../src/libvirt');

describe('the example of the README', () => {
  it('runs as printed, prints what it says, and ends by itself', async () => {
    const readme = await readFile(join(source, 'README.md'), 'utf8');
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const daemon = await PrivateDaemon.start();
    try {
      const file = join(daemon.directory, 'example.ts');
      await writeFile(file, example.replace("'./index.ts'", `'${join(source, 'index.ts')}'`));
      const { stdout } = await run(process.execPath, [file, daemon.uri], { timeout: 20_000 });
      expect(stdout).toMatch(
        /^libvirt \d+\.\d+\.\d+, test:\/\/\/default\ntest state=1 interfaces=unknown\n$/,
      );
    } finally {
      await daemon.dispose();
    }
  });
});
