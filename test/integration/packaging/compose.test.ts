import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { composeFile } from '../../../packaging/manifests/compose.ts';
import { REPOSITORY } from '../../../packaging/project.ts';
import { run } from '../../../lab/command.ts';
import { ensurePackages } from '../../../lab/packages.ts';

const compose = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        command: z.array(z.string()).default([]),
        volumes: z.array(z.string()).default([]),
      }),
    ),
  })
  .parse(parse(composeFile()));

describe('what examples/compose mounts into its services', () => {
  let directory: string;
  /** Puts the files of a service where its container has them, and returns its `--config.file`. */
  const laidOut = async (service: string): Promise<string> => {
    const { command = [], volumes = [] } = compose.services[service] ?? {};
    for (const volume of volumes) {
      const [from = '', to = ''] = volume.split(':');
      await cp(join(REPOSITORY, 'examples/compose', from), join(directory, to), {
        recursive: true,
      });
    }
    const file = command.find((one) => one.startsWith('--config.file='))?.split('=')[1];
    if (file === undefined) throw new Error(`${service} is started without --config.file`);
    return join(directory, file);
  };

  beforeAll(async () => {
    await ensurePackages(['prometheus', 'prometheus-alertmanager']);
    directory = await mkdtemp(join(tmpdir(), 'compose-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('is a configuration Prometheus takes, with all rules found', async () => {
    const said = await run('promtool', ['check', 'config', await laidOut('prometheus')]);
    expect(said).toMatch(/SUCCESS: .*prometheus\.yml is valid/);
    expect(said.match(/SUCCESS: \d+ rules found/g)).toHaveLength(2);
  });

  it('is a configuration Alertmanager takes', async () => {
    expect(await run('amtool', ['check-config', await laidOut('alertmanager')])).toContain(
      'SUCCESS',
    );
  });
});
