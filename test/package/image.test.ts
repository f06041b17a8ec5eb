import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { run } from '../../lab/command.ts';
import { builtFile, VERSION } from './support/files.ts';
import { ANY_PORT, Started } from './support/started.ts';

const inspected = z.object({
  OCIv1: z.object({
    architecture: z.string(),
    config: z.object({
      User: z.string(),
      Entrypoint: z.array(z.string()),
      Labels: z.record(z.string(), z.string()),
    }),
  }),
});

describe('the image of nothing but the executable and its libraries', () => {
  let directory: string;
  const buildah = (...args: readonly string[]) =>
    run('buildah', [...storage(), ...args], { timeoutMs: 300_000 });
  const storage = () => [
    `--root=${join(directory, 'root')}`,
    `--runroot=${join(directory, 'run')}`,
    '--storage-driver=vfs',
  ];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'image-'));
  });

  afterAll(async () => {
    await buildah('umount', '--all');
    await rm(directory, { recursive: true, force: true });
  });

  it.each([
    ['amd64', '_amd64.oci.tar'],
    ['arm64', '_arm64.oci.tar'],
  ])(
    'is read by a tool of images, and says it is for %s',
    async (architecture, ending) => {
      const id = (
        await buildah('pull', '--quiet', `oci-archive:${builtFile('first', ending)}`)
      ).trim();
      const { OCIv1 } = inspected.parse(JSON.parse(await buildah('inspect', '--type=image', id)));
      expect(OCIv1).toMatchObject({
        architecture,
        config: {
          User: '65534:65534',
          Entrypoint: ['/usr/bin/kvm-overcommit-exporter'],
          Labels: { 'org.opencontainers.image.version': VERSION },
        },
      });
    },
    300_000,
  );

  it('runs as nobody, and holds no shell', async () => {
    const archive = `oci-archive:${builtFile('first', '_amd64.oci.tar')}`;
    const id = (await buildah('pull', '--quiet', archive)).trim();
    const container = (await buildah('from', '--pull-never', id)).trim();
    const root = (await buildah('mount', container)).trim();
    expect((await readdir(join(root, 'usr/bin'))).sort()).toEqual(['kvm-overcommit-exporter']);
    await using exporter = await Started.by('buildah', [
      ...storage(),
      ...['run', '--isolation=chroot', container, '--', '/usr/bin/kvm-overcommit-exporter'],
      ...['--demo', ANY_PORT],
    ]);
    expect(exporter.status('Uid')).toEqual(['65534', '65534', '65534', '65534']);
    expect(exporter.status('CapEff')).toEqual(['0000000000000000']);
    expect(await exporter.metrics()).toContain('kvm_domain_info{');
    await exporter.end();
  }, 300_000);
});
