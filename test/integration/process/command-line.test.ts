import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { NO_LIBVIRT, runToEnd, startExporter } from './exporter-process.ts';

const PROGRAM = 'kvm-overcommit-exporter';

describe('the command line', () => {
  let directory: string;
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'command-line-'));
  });

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['an unknown flag', ['--web.listen-adress=:9177'], '(Did you mean --web.listen-address?)'],
    ['libvirt over ssh', ['--libvirt.uri=qemu+ssh://root@kvm1/system'], 'transport ssh'],
    ['libvirt over TLS', ['--libvirt.uri=qemu+tls://kvm1/system'], 'transport tls'],
    ['libvirt of another host', ['--libvirt.uri=qemu://kvm1/system'], 'remote hosts'],
    ["a URI without its driver's path", ['--libvirt.uri=qemu://'], 'expected driver:///path'],
    ['an unknown mode of libvirt', ['--libvirt.uri=qemu:///system?mode=x'], 'mode x'],
    ['an escape in a URI', ['--libvirt.uri=qemu+\u001b[2J://x/'], 'URI'],
    ['an unknown collector', ['--collector.vms'], '--collector.vms'],
    ['a bad address', ['--web.listen-address=localhost'], 'localhost'],
    ['a bad number', ['--web.max-requests=0'], '0'],
    ['a bad duration', ['--scrape.timeout=soon'], 'soon'],
    [
      'an offset beyond the timeout',
      ['--scrape.timeout=1s', '--scrape.timeout-offset=2s'],
      '--scrape.timeout-offset',
    ],
    ['a bad log level', ['--log.level=loud'], 'loud'],
    ['a bad URI', ['--libvirt.uri=/run/libvirt/libvirt-sock'], '/run/libvirt/libvirt-sock'],
    ['an argument that is no flag', ['--demo', 'now'], 'argument'],
    ['a newline in a flag', ['--bad\nflag'], '--bad flag'],
  ])('answers %s with one line and exit code 2', async (_, flags, named) => {
    const { code, stdout, stderr } = await runToEnd(flags);
    expect(stderr).toMatch(new RegExp(`^${PROGRAM}: [^\\n]+\\n$`));
    expect(stderr).toContain(named);
    expect([code, stdout]).toEqual([2, '']);
  });

  it.each([
    ['an unknown key', 'cpu:\n  promise_ration:\n    warning: 3\n', 'promise_ration'],
    ['a value out of range', 'cpu:\n  delay_ratio:\n    warning: 20\n', 'delay_ratio'],
    ['a text that is no YAML', 'cpu: [\n', 'policy.yaml:'],
  ])('answers a policy with %s with one line and exit code 2', async (_, text, named) => {
    const path = file('policy.yaml', text);
    const { code, stdout, stderr } = await runToEnd(['--demo', `--policy.file=${path}`]);
    expect(stderr).toMatch(new RegExp(`^${PROGRAM}: [^\\n]+\\n$`));
    expect(stderr).toContain(path);
    expect(stderr).toContain(named);
    // It never said that it listens.
    expect([code, stdout]).toEqual([2, '']);
  });

  it('answers a policy file that is not there the same way', async () => {
    const path = join(directory, 'nowhere.yaml');
    const { code, stderr } = await runToEnd(['--demo', `--policy.file=${path}`]);
    // The path once, and no call of the operating system.
    expect(stderr).toBe(`${PROGRAM}: ${path}: ENOENT: no such file or directory\n`);
    expect(code).toBe(2);
  });

  it('checks a policy and starts nothing', async () => {
    const path = file('checked.yaml', 'cpu: { promised_ratio: { warning: 3 } }\n');
    const check = () => runToEnd(['--policy.check', `--policy.file=${path}`]);
    expect(await check()).toEqual({
      code: 0,
      stdout: `${path}: the policy is sound\n`,
      stderr: '',
    });

    file('checked.yaml', 'cpu: { promised_ratio: { warning: 12 } }\nreserves: { storage: 5 }\n');
    const { code, stdout, stderr } = await check();
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining(`${PROGRAM}: ${path}:1: cpu.promised_ratio: `),
      expect.stringContaining(`${PROGRAM}: ${path}:2: reserves.storage: `),
      '',
    ]);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('checks what another program promises, too, and never repeats its text', async () => {
    const path = file('nova.conf', '[DEFAULT]\ncpu_allocation_ratio = hunter2\n');
    const check = () => runToEnd(['--policy.check', `--policy.from=nova:${path}`]);
    const { code, stdout, stderr } = await check();
    expect(stderr).toMatch(`${PROGRAM}: ${path}:2: cpu_allocation_ratio: `);
    expect(stderr).not.toContain('hunter2');
    expect([code, stdout]).toEqual([2, '']);

    file('nova.conf', '[DEFAULT]\ncpu_allocation_ratio = 4.0\n');
    expect(await check()).toEqual({
      code: 0,
      stdout: `${path}: the policy is sound\n`,
      stderr: '',
    });
  });

  it.each([
    ['with --demo', '--demo'],
    ['on a host', NO_LIBVIRT],
  ])('answers an address in use with one line and exit code 2, %s', async (_, flag) => {
    const { server, port } = await listenAnywhere();
    const free = await listenAnywhere();
    await close(free.server);
    const { code, stdout, stderr } = await runToEnd([
      flag,
      `--web.listen-address=127.0.0.1:${free.port}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    await close(server);
    expect(stderr).toMatch(new RegExp(`^${PROGRAM}: [^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*\\n$`));
    expect([code, stdout]).toEqual([2, '']);
  });

  it('prints name and version of package.json', async () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')));
    expect(await runToEnd(['--version'])).toEqual({
      code: 0,
      stdout: `${PROGRAM} ${version}\n`,
      stderr: '',
    });
  });

  it('prints a help that names every flag', async () => {
    const { code, stdout, stderr } = await runToEnd(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const flag of [
      '--web.listen-address',
      '--web.telemetry-path',
      '--web.max-requests',
      '--web.disable-exporter-metrics',
      '--web.config.file',
      '--libvirt.uri',
      '--path.procfs',
      '--path.sysfs',
      '--path.rootfs',
      '--collector.smaps',
      '--collector.ksm',
      '--no-collector.',
      '--scrape.timeout',
      '--scrape.timeout-offset',
      '--policy.file',
      '--policy.check',
      '--demo',
      '--log.level',
      '--log.format',
      '--version',
    ]) {
      expect(stdout).toContain(flag);
    }
  });

  it('listens on every address it is given', async () => {
    await using exporter = await startExporter('--demo', '--web.listen-address=127.0.0.1:0');
    const addresses = [...exporter.log.matchAll(/msg=listening address=(\S+)/g)];
    expect(new Set(addresses.map(([, address]) => address)).size).toBe(2);
    for (const [, address = ''] of addresses) {
      expect((await fetch(`http://${address}/-/healthy`)).status).toBe(200);
    }
  });
});

async function listenAnywhere(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
