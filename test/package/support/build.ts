import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { build } from '../../../packaging/build.ts';
import { sourceDateEpoch } from '../../../packaging/project.ts';
import { ensurePackages } from '../../../lab/packages.ts';

/** What the tests of packages are about, in folders. */
export interface Built {
  /** Everything, for both processors. */
  readonly first: string;
  /** The same once more, for x64. */
  readonly again: string;
  /** The next version, .deb and .rpm for x64. */
  readonly next: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    readonly built: Built;
  }
}

/** What packaging/README.md asks for, and what the tests add. */
const PACKAGES = [
  'binutils',
  'binutils-aarch64-linux-gnu',
  'rpm',
  'mmdebstrap',
  'lintian',
  'buildah',
  'man-db',
  'qemu-utils',
  'libvirt-daemon-system',
] as const;

export const NEXT_VERSION = '99.0.0';

/** Builds what all tests use, once, with levels of compression nobody would ship. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  await ensurePackages(PACKAGES);
  const folder = await mkdtemp(join(tmpdir(), 'kvm-overcommit-package-test-'));
  const built = {
    first: join(folder, 'first'),
    again: join(folder, 'again'),
    next: join(folder, 'next'),
  };
  const teardown = () => rm(folder, { recursive: true, force: true });
  const report = (line: string) => process.stdout.write(`${line}\n`);
  // A commit made meanwhile must not make the second build another one.
  process.env['SOURCE_DATE_EPOCH'] ??= String(sourceDateEpoch());
  const kinds = ['deb', 'rpm', 'image', 'npm', 'manifest'] as const;
  const common = { fast: true, report };
  try {
    await build({
      ...common,
      kinds,
      architectures: ['x64', 'arm64'],
      out: built.first,
      scratch: join(folder, 'one'),
    });
    // In another folder, whose name must not be in what comes out.
    await build({
      ...common,
      kinds,
      architectures: ['x64'],
      out: built.again,
      scratch: join(folder, 'some-other-folder'),
    });
    await build({
      ...common,
      kinds: ['deb', 'rpm'],
      architectures: ['x64'],
      out: built.next,
      scratch: join(folder, 'next-scratch'),
      version: NEXT_VERSION,
    });
  } catch (error) {
    await teardown();
    throw error;
  }
  provide('built', built);
  return teardown;
}
