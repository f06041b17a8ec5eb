import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { eventually } from '../../lab/harness/polling.ts';
import { get } from '../../lab/support/http.ts';
import { children } from '../../lab/support/process-readings.ts';
import { scrape } from '../../lab/support/scrape.ts';
import { NO_LIBVIRT, startExporter } from './exporter-process.ts';

describe('an exporter that gets a signal', () => {
  it.each([
    ['SIGTERM', '--demo'],
    ['SIGINT', '--demo'],
    ['SIGTERM', NO_LIBVIRT],
    ['SIGINT', NO_LIBVIRT],
  ] as const)('stops on %s within 2 s with code 0 and no child left (%s)', async (name, flag) => {
    await using exporter = await startExporter(flag);
    await get(`${exporter.url}/metrics`);
    // Clients that keep a connection open, with and without having asked anything.
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      request(`${exporter.url}/-/healthy`, { agent }, (response) => {
        response.resume().on('end', resolve);
      })
        .on('error', reject)
        .end();
    });
    const silent = connect(exporter.port, '127.0.0.1');
    await once(silent, 'connect');
    const family = children(exporter.pid);

    const from = performance.now();
    exporter.signal(name);
    const { code, stderr } = await exporter.ended;
    expect(performance.now() - from).toBeLessThan(2000);
    expect(code).toBe(0);
    expect(stderr).toContain(`msg=stopping signal=${name}`);
    await eventually('its children have ended', 2000, () => {
      return family.every((pid) => !existsSync(`/proc/${pid}`));
    });
    agent.destroy();
    silent.destroy();
  });

  it('is ready no more, and takes no new connection, once it is stopping', async () => {
    await using exporter = await startExporter(NO_LIBVIRT);
    expect((await get(`${exporter.url}/-/ready`)).status).toBe(200);
    exporter.signal('SIGTERM');
    await exporter.ended;
    await expect(get(`${exporter.url}/-/ready`)).rejects.toThrow('ECONNREFUSED');
  });

  it('reads its policy again on SIGHUP, and keeps the old one when the new one is broken', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'policy-'));
    const file = join(directory, 'policy.yaml');
    const write = (warning: string) => {
      writeFileSync(file, `cpu:\n  promise_ratio:\n    warning: ${warning}\n    critical: 9\n`);
    };
    write('2');
    await using exporter = await startExporter('--demo', `--policy.file=${file}`);
    const inForce = async () => {
      const scraped = await scrape(exporter);
      return [
        scraped.value('kvm_policy_cpu_promise_ratio', { severity: 'warning' }),
        scraped.value('kvm_policy_cpu_promise_ratio', { severity: 'critical' }),
        scraped.value('kvm_policy_last_reload_successful'),
      ];
    };
    const becomes = (wanted: readonly number[]) =>
      eventually(`the policy is ${wanted.join()}`, 10_000, async () => {
        return (await inForce()).join() === wanted.join();
      });
    await becomes([2, 9, 1]);
    write('3');
    // Only a signal makes it look.
    expect(await inForce()).toEqual([2, 9, 1]);
    exporter.signal('SIGHUP');
    await becomes([3, 9, 1]);
    write('plenty');
    exporter.signal('SIGHUP');
    await becomes([3, 9, 0]);
    expect(exporter.log).toContain('policy file is broken, the old policy stays in force');
    expect(exporter.log).toContain(`${file}:3`);
    rmSync(file);
    exporter.signal('SIGHUP');
    await eventually('the log says that the file is gone', 10_000, () =>
      exporter.log.includes('ENOENT'),
    );
    expect(await inForce()).toEqual([3, 9, 0]);
    write('4');
    exporter.signal('SIGHUP');
    await becomes([4, 9, 1]);
    rmSync(directory, { recursive: true });
  });
});
