import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { run } from '../../../lab/command.ts';
import { makeBaseContext } from './base-image.ts';
import { Container } from './container.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const BASE = 'localhost/node-base';
const IMAGE = 'localhost/kvm-overcommit-exporter';
/** No kernel feature beyond chroot and mounts: a container runtime is not at hand everywhere. */
const SANDBOX = ['--isolation=chroot', '--network=host'];
const BUILD_TIMEOUT_MS = 600_000;

const inspected = z.object({
  OCIv1: z.object({
    config: z.object({
      User: z.string(),
      Entrypoint: z.array(z.string()),
      ExposedPorts: z.record(z.string(), z.unknown()),
      Env: z.array(z.string()),
    }),
  }),
});

export type ImageConfig = z.infer<typeof inspected>['OCIv1']['config'];

/** A store of images of our own, with the image of this repository's Dockerfile in it. */
export class ImageStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Builds the image, as a person would with a base image of their own. */
  static async build(): Promise<ImageStore> {
    const store = new ImageStore(await mkdtemp(join(tmpdir(), 'image-test-')));
    try {
      await store.#build();
    } catch (error) {
      await store.dispose();
      throw error;
    }
    return store;
  }

  async config(): Promise<ImageConfig> {
    const text = await this.#buildah('inspect', '--type=image', IMAGE);
    return inspected.parse(JSON.parse(text)).OCIv1.config;
  }

  /** Makes a container's file tree; returns its name for the other methods. */
  async create(): Promise<string> {
    return (await this.#buildah('from', IMAGE)).trim();
  }

  /** Runs a command in a container to its end; what it printed. */
  async runToEnd(container: string, ...command: readonly string[]): Promise<string> {
    return this.#buildah('run', '--isolation=chroot', container, '--', ...command);
  }

  /** Starts the exporter in a container that sees the host's processes. */
  start(
    container: string,
    volumes: readonly string[],
    command: readonly string[],
  ): Promise<Container> {
    const mounts = volumes.map((volume) => `--volume=${volume}`);
    const args = ['run', '--isolation=chroot', ...mounts, container, '--', ...command];
    return Container.of(spawn('buildah', [...this.#storage, ...args]));
  }

  /** Starts the exporter as process 1 of a process namespace, as containers run by default. */
  async startAsInit(
    container: string,
    config: ImageConfig,
    flags: readonly string[],
  ): Promise<Container> {
    const root = (await this.#buildah('mount', container)).trim();
    const script = 'mount -t proc proc "$1/proc"; shift; exec "$@"';
    const chroot = ['chroot', `--userspec=${config.User}`, root];
    const command = ['env', '-i', ...config.Env, ...config.Entrypoint, ...flags];
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
    return Container.of(
      spawn('unshare', [...namespaces, 'sh', '-ec', script, 'sh', root, ...chroot, ...command]),
    );
  }

  async dispose(): Promise<void> {
    if (existsSync(join(this.#directory, 'root'))) {
      // Container trees stay mounted otherwise, and cannot be removed.
      await this.#buildah('umount', '--all');
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #build(): Promise<void> {
    const base = join(this.#directory, 'base');
    await mkdir(base);
    await makeBaseContext(base);
    await this.#buildah('build', ...SANDBOX, `--tag=${BASE}`, base);
    await rm(base, { recursive: true });
    await this.#buildah(
      'build',
      ...SANDBOX,
      ...(await this.#registryOptions()),
      `--build-arg=NODE_IMAGE=${BASE}`,
      `--tag=${IMAGE}`,
      REPOSITORY,
    );
  }

  /** This machine's registry and its certificates, for the build alone. */
  async #registryOptions(): Promise<readonly string[]> {
    const setting = async (name: string) => (await run('npm', ['config', 'get', name])).trim();
    const npmrc = join(this.#directory, 'npmrc');
    const options = [`--secret=id=npmrc,src=${npmrc}`];
    const lines = [`registry=${await setting('registry')}`];
    const certificates = await setting('cafile');
    if (certificates !== 'null') {
      options.push(`--volume=${certificates}:/run/npm-certificates.pem:ro`);
      lines.push('cafile=/run/npm-certificates.pem');
    }
    await writeFile(npmrc, `${lines.join('\n')}\n`);
    return options;
  }

  get #storage(): readonly string[] {
    return [
      `--root=${join(this.#directory, 'root')}`,
      `--runroot=${join(this.#directory, 'run')}`,
      '--storage-driver=vfs',
    ];
  }

  #buildah(...args: readonly string[]): Promise<string> {
    return run('buildah', [...this.#storage, ...args], { timeoutMs: BUILD_TIMEOUT_MS });
  }
}
