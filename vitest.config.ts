import { defineConfig } from 'vitest/config';

import { hostName } from './lab/host.ts';
import { LEFT_OUT } from './lab/hosts.ts';

const leftOut = Object.keys(LEFT_OUT[hostName()]).map((file) => `test/lab/${file}`);

/**
 * Five projects, from cheap to expensive: `unit` needs nothing but Node, `integration` starts real
 * daemons (libvirtd with its test driver, Prometheus, qemu-img), `lab` starts real QEMU guests, and
 * `paging` has real guests get into trouble until Alertmanager pages; `package`, which is not part of
 * `npm test`, builds everything people install and installs it. Daemons and guests share one
 * small machine, so these never run files side by side.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'src/**/*.test.ts'],
          setupFiles: 'test/unit/no-programs.ts',
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          globalSetup: 'test/build.ts',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'lab',
          globalSetup: 'test/build.ts',
          include: ['test/lab/**/*.test.ts'],
          exclude: leftOut,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'paging',
          globalSetup: 'test/build.ts',
          include: ['test/paging/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'package',
          globalSetup: 'test/package/support/build.ts',
          include: ['test/package/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
