import { defineConfig } from 'vitest/config';

/**
 * Three projects, from cheap to dear: `unit` needs nothing but Node, `integration` starts real
 * daemons (libvirtd with its test driver, Prometheus, qemu-img), `lab` starts real QEMU guests.
 * Daemons and guests share one small machine, so those two never run files side by side.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'src/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
