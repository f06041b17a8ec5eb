import { statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hashSync } from 'bcryptjs';

import { PrivateDaemon } from '../support/libvirt/private-daemon.ts';
import { run } from '../../lab/command.ts';
import { eventually } from '../../lab/polling.ts';
import { children } from '../support/process-readings.ts';
import { builtFile, VERSION } from './support/files.ts';
import { ANY_PORT, Started } from './support/started.ts';

/** Neither Node nor anything else of this machine's. */
const NOTHING = { env: { PATH: '/nonexistent' } };

/** Status, headers but for the time, and whether there is a body. */
async function answerOf(url: string, method: string) {
  const answer = await fetch(url, { method, headers: { 'accept-encoding': 'gzip' } });
  const headers = Object.fromEntries(answer.headers);
  delete headers['date'];
  return { status: answer.status, headers, empty: (await answer.text()) === '' };
}

describe('the executable, with nothing beside it', () => {
  const program = () => builtFile('first', '_linux_amd64');
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'executable-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  it('prints its version', async () => {
    expect(await run(program(), ['--version'])).toBe(`kvm-overcommit-exporter ${VERSION}\n`);
  });

  it('shows the simulated host and ends on SIGTERM', async () => {
    await using exporter = await Started.by(program(), ['--demo', ANY_PORT], NOTHING);
    expect(await exporter.metrics()).toContain('kvm_domain_info{');
    expect(await exporter.end()).toBe(0);
  });

  it('answers as a checkout does, with the same headers', async () => {
    const checkout = join(import.meta.dirname, '../../bin/kvm-overcommit-exporter');
    await run('npm', ['run', '--silent', 'build'], { timeoutMs: 300_000 });
    const flags = ['--demo', ANY_PORT];
    await using ours = await Started.by(program(), flags, NOTHING);
    await using theirs = await Started.by(checkout, flags);
    for (const [method, path] of [
      ['GET', '/'],
      ['HEAD', '/'],
      ['GET', '/metrics'],
      ['GET', '/metrics?collect[]=none'],
      ['GET', '/-/ready'],
      ['GET', '/no/such'],
      ['GET', '/%'],
      ['POST', '/metrics'],
      ['OPTIONS', '/'],
    ] as const) {
      const [one, other] = await Promise.all(
        [ours, theirs].map(({ url }) => answerOf(`${url}${path}`, method)),
      );
      expect(one, `${method} ${path}`).toEqual(other);
    }
  });

  it('holds less than half of itself in memory after the start, and warns of nothing', async () => {
    await using exporter = await Started.by(program(), [ANY_PORT], NOTHING);
    await exporter.metrics();
    const pages = Number(exporter.status('RssFile')[0]) * 1024;
    expect(pages).toBeLessThan(0.6 * statSync(program()).size);
    expect(exporter.said()).not.toMatch(/experimental|warning from Node/i);
  });

  it('opens no debugger on SIGUSR1 and reads again on SIGHUP', async () => {
    await using exporter = await Started.by(program(), ['--demo', ANY_PORT], NOTHING);
    process.kill(exporter.pid, 'SIGUSR1');
    process.kill(exporter.pid, 'SIGHUP');
    await eventually('the policy is read', 20_000, () => exporter.said().includes('policy read'));
    expect(exporter.said()).not.toContain('Debugger');
  });

  it('checks passwords on a thread, whose code it carries', async () => {
    const file = join(directory, 'web.yml');
    await writeFile(file, `basic_auth_users:\n  one: ${hashSync('right', 4)}\n`);
    const flags = ['--demo', ANY_PORT, `--web.config.file=${file}`];
    await using exporter = await Started.by(program(), flags, NOTHING);
    const status = async (password: string) => {
      const authorization = `Basic ${Buffer.from(`one:${password}`).toString('base64')}`;
      return (await fetch(`${exporter.url}/metrics`, { headers: { authorization } })).status;
    };
    expect(await status('right')).toBe(200);
    expect(await status('wrong')).toBe(401);
    expect(await exporter.end()).toBe(0);
  });

  it('reads images in a process that is itself once more, which ends with it', async () => {
    const image = join(directory, 'disk.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', image, '7G']);
    const host = join(directory, 'host.xml');
    await writeFile(
      host,
      `<node><domain type='test'><name>with-an-image</name>
        <uuid>6695eb01-f6a4-8304-79aa-97f2502e1941</uuid>
        <memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>
        <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
        <source file='${image}'/><target dev='vda' bus='virtio'/></disk></devices>
      </domain></node>`,
    );
    await using daemon = await PrivateDaemon.start();
    const uri = `test+unix://${host}?socket=${daemon.readOnlySocket}`;
    await using exporter = await Started.by(program(), [`--libvirt.uri=${uri}`, ANY_PORT], NOTHING);
    await eventually('the size in the header is there', 60_000, async () => {
      const text = await exporter.metrics();
      return new RegExp(`^kvm_\\w+\\{.*disk\\.qcow2.*\\} ${7 * 2 ** 30}$`, 'm').test(text);
    });
    const [worker, ...others] = children(exporter.pid);
    expect(others).toEqual([]);
    expect(worker).toBeDefined();
    await exporter.end();
    await eventually('the worker is gone', 20_000, async () => {
      const found = await run('sh', ['-c', `test -d /proc/${worker ?? 0} && echo yes || echo no`]);
      return found.trim() === 'no';
    });
  });
});
