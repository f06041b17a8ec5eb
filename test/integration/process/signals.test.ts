import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';
import { get } from '../../support/http.ts';
import { children, openFiles } from '../../support/process-readings.ts';
import { scrape } from '../../support/scrape.ts';
import { RawConnection } from '../web/raw-http.ts';
import { NO_LIBVIRT, Started, startExporter } from './exporter-process.ts';

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
      writeFileSync(file, `cpu:\n  promised_ratio:\n    warning: ${warning}\n    critical: 9\n`);
    };
    write('2');
    await using exporter = await startExporter('--demo', `--policy.file=${file}`);
    const inForce = async () => {
      const scraped = await scrape(exporter);
      return [
        scraped.value('kvm_policy_cpu_promised_ratio', { severity: 'warning' }),
        scraped.value('kvm_policy_cpu_promised_ratio', { severity: 'critical' }),
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
    expect(exporter.log).toContain('policy file is invalid, the policy before it stays in force');
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

  describe('to stop, while connections are in the middle of something', () => {
    const TIMEOUT = '--scrape.timeout=3s';
    /** Its own, what it gives answers under way, and what a busy machine takes. */
    const LONGEST_MS = 3000 + 1000 + 2000;

    it.each([
      ['half a request line', 'GET /met'],
      ['half a header', 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-'],
      ['half a body', 'GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx'],
      ['an answer nobody reads', 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(8)],
    ])('%s: ends in bounded time', async (_, text) => {
      await using exporter = await startExporter('--demo', TIMEOUT);
      using connection = await RawConnection.open(exporter.port);
      connection.socket.pause();
      connection.send(text);
      // What was sent has been read when a later request is answered.
      await get(`${exporter.url}/-/ready`);
      const from = performance.now();
      exporter.signal('SIGTERM');
      const { code } = await exporter.ended;
      expect(performance.now() - from).toBeLessThan(LONGEST_MS);
      expect(code).toBe(0);
    });

    it('a second signal does not wait for them', async () => {
      await using exporter = await startExporter('--demo', '--scrape.timeout=1m');
      using connection = await RawConnection.open(exporter.port);
      connection.socket.pause();
      connection.send('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(8));
      await get(`${exporter.url}/-/ready`);
      exporter.signal('SIGINT');
      await eventually('it stops', 5000, () => exporter.log.includes('stopping'));
      const from = performance.now();
      exporter.signal('SIGINT');
      // null: the sockets took all that was sent, so the first stop was over and the signal ended the rest.
      expect([0, null]).toContain((await exporter.ended).code);
      expect(performance.now() - from).toBeLessThan(5000);
    });
  });

  describe('while it starts', () => {
    /** An exporter that cannot start further than to its policy, which is a pipe. */
    const held = () => {
      const directory = mkdtempSync(join(tmpdir(), 'held-'));
      const policy = join(directory, 'policy.yaml');
      execFileSync('mkfifo', [policy]);
      const exporter = new Started([
        '--demo',
        '--web.listen-address=127.0.0.1:0',
        `--policy.file=${policy}`,
      ]);
      return {
        exporter,
        pid: exporter.child.pid ?? 0,
        goOn: () => {
          writeFileSync(policy, '');
        },
        [Symbol.dispose]: () => {
          exporter.kill();
          rmSync(directory, { recursive: true });
        },
      };
    };
    /** The last that is taken, of those that Node itself leaves alone. */
    const takesSignals = (pid: number): boolean =>
      hasSignal(pid, 'SigCgt', constants.signals.SIGUSR1);

    it('goes on after SIGHUP, and reads its configuration again', async () => {
      using start = held();
      await eventually('signals are taken', 20_000, () => takesSignals(start.pid));
      for (let i = 0; i < 20; i += 1) start.exporter.child.kill('SIGHUP');
      start.goOn();
      await eventually('it listens', 30_000, () => {
        expect(start.exporter.child.exitCode, start.exporter.stderr).toBeNull();
        expect(start.exporter.child.signalCode).toBeNull();
        return start.exporter.stderr.includes('msg=listening');
      });
      // The pipe is empty again, and waits for whoever writes a policy to it.
      start.goOn();
      await eventually('it reads', 10_000, () => start.exporter.stderr.includes('policy read'));
    });

    it('ends on SIGTERM, though a thread of its own waits for a file', async () => {
      using start = held();
      await eventually('signals are taken', 20_000, () => takesSignals(start.pid));
      start.exporter.child.kill('SIGTERM');
      await start.exporter.ended;
      // As systemd expects of a clean end.
      expect(start.exporter.child.signalCode).toBe('SIGTERM');
    });
  });

  it('ends in bounded time while a file of its own does not answer', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stuck-'));
    const policy = join(directory, 'policy.yaml');
    writeFileSync(policy, '');
    await using exporter = await startExporter(
      '--demo',
      '--scrape.timeout=1s',
      `--policy.file=${policy}`,
    );
    rmSync(policy);
    execFileSync('mkfifo', [policy]);
    exporter.signal('SIGHUP');
    await eventually('a thread waits for the file', 10_000, () => threadWaits(exporter.pid));
    const from = performance.now();
    exporter.signal('SIGTERM');
    await exporter.ended;
    expect(performance.now() - from).toBeLessThan(1000 + 1000 + 3000);
    rmSync(directory, { recursive: true });
  });

  it('opens no debugger on SIGUSR1, from its start on, and lives', async () => {
    const exporter = new Started([NO_LIBVIRT, '--web.listen-address=127.0.0.1:0']);
    const pid = exporter.child.pid ?? 0;
    try {
      await eventually('Node holds it back', 20_000, () =>
        hasSignal(pid, 'SigBlk', constants.signals.SIGUSR1),
      );
      await eventually('it listens', 30_000, () => {
        exporter.child.kill('SIGUSR1');
        expect(exporter.child.signalCode).toBeNull();
        return exporter.stderr.includes('msg=listening');
      });
      exporter.child.kill('SIGUSR1');
      const port = /address=127\.0\.0\.1:(\d+)/.exec(exporter.stderr)?.[1] ?? '';
      // Those that read files for it are processes of Node as well.
      expect((await get(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
      const family = [pid, ...children(pid)];
      for (const member of family) process.kill(member, 'SIGUSR1');
      expect((await get(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
      for (const member of family) {
        expect(existsSync(`/proc/${member}`)).toBe(true);
        expect(listeningPorts(member)).toEqual(member === pid ? [Number(port)] : []);
      }
      expect(exporter.stderr).not.toMatch(/debugger/i);
    } finally {
      exporter.kill();
      await exporter.ended;
    }
  });
});

/** Whether a signal is in a set of /proc/pid/status. */
function hasSignal(pid: number, set: 'SigCgt' | 'SigBlk', signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Whether one of its threads waits for the other end of a named pipe. */
function threadWaits(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).some((task) => {
    return readFileSync(`/proc/${pid}/task/${task}/wchan`, 'utf8').includes('wait_for_partner');
  });
}

/** TCP ports a process listens on. */
function listeningPorts(pid: number): number[] {
  const sockets = new Set(
    openFiles(pid).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && sockets.has(fields[9] ?? ''))
      .map((fields) => Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)),
  );
}
