import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { freePort } from '../../../tools/free-port.ts';
import { eventually } from '../../../lab/polling.ts';
import { get } from '../../support/http.ts';
import { Exposition } from '../../support/prometheus-text.ts';
import { statusBytes } from '../../support/process-readings.ts';

const EXPORTER = join(import.meta.dirname, '../../../bin/kvm-overcommit-exporter');
const DROPPED = 'kvm_exporter_log_lines_dropped_total';

/** Where standard output and standard error go, and what to put away afterwards. */
interface Outputs {
  readonly stdio: number | 'ignore' | 'pipe';
  /** Called when it runs. */
  readonly spoil?: (child: ChildProcess) => void;
}

describe('an exporter whose standard output and error', () => {
  let directory: string;
  let child: ChildProcess | undefined;
  const open: number[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'log-'));
  });

  afterEach(() => {
    child?.kill('SIGKILL');
    for (const fd of open.splice(0)) closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  /** Reading it again on SIGHUP gives a line of more than 3 kB. */
  const policyOfLongName = (): string => {
    const deep = join(directory, ...Array.from({ length: 15 }, () => 'x'.repeat(200)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'policy.yaml'), '');
    return join(deep, 'policy.yaml');
  };
  const answers = (port: number): Promise<unknown> =>
    eventually('it answers', 30_000, () =>
      get(`http://127.0.0.1:${port}/-/ready`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  const linesAreLost = (pid: number, port: number): Promise<unknown> =>
    eventually('lines are lost', 60_000, async () => {
      for (let i = 0; i < 100; i += 1) {
        process.kill(pid, 'SIGHUP');
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { status, body } = await get(`http://127.0.0.1:${port}/metrics`);
      expect(status).toBe(200);
      return Exposition.parse(body.toString()).value(DROPPED) > 0;
    });

  const unreadPipe = (): Outputs => {
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, constants.O_RDWR);
    open.push(fd);
    return { stdio: fd };
  };
  const fullDisk = (): Outputs => {
    const fd = openSync('/dev/full', 'w');
    open.push(fd);
    return { stdio: fd };
  };
  const goneReader = (): Outputs => ({
    stdio: 'pipe',
    spoil: ({ stdout, stderr }) => {
      stdout?.destroy();
      stderr?.destroy();
    },
  });

  it.each([
    ['are a pipe nobody reads', unreadPipe],
    ['are a full disk', fullDisk],
    ['are a pipe whose reader went', goneReader],
  ])('%s: answers, counts lost lines, stays small, and stops', async (_, outputs) => {
    const { stdio, spoil } = outputs();
    const port = await freePort();
    const policy = policyOfLongName();
    child = spawn(
      EXPORTER,
      ['--demo', `--web.listen-address=127.0.0.1:${port}`, `--policy.file=${policy}`],
      { stdio: ['ignore', stdio, stdio] },
    );
    const running = child;
    const pid = running.pid ?? 0;
    await answers(port);
    spoil?.(running);
    const before = statusBytes(pid, 'VmRSS');
    await linesAreLost(pid, port);
    expect(statusBytes(pid, 'VmRSS') - before).toBeLessThan(50 * 1024 * 1024);
    const ended = new Promise<number | null>((resolve) => running.once('exit', resolve));
    const from = performance.now();
    running.kill('SIGTERM');
    expect(await ended).toBe(0);
    // It does not wait for somebody to read its last lines.
    expect(performance.now() - from).toBeLessThan(5000);
  });

  it('are a terminal that was stopped: answers and counts lost lines', async () => {
    const port = await freePort();
    const pidFile = join(directory, 'pid');
    // util-linux' script gives it a terminal, and is then stopped itself, so that nobody reads it.
    const command = `echo $$ > ${pidFile}; exec ${EXPORTER} --demo --web.listen-address=127.0.0.1:${port} --policy.file=${policyOfLongName()}`;
    const script = spawn('script', ['--quiet', '--command', command, '/dev/null'], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    child = script;
    await answers(port);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    script.kill('SIGSTOP');
    try {
      await linesAreLost(pid, port);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('are closed: --help and a wrong flag end as they do else', async () => {
    for (const [flag, code] of [
      ['--help', 0],
      ['--nonsense', 2],
    ] as const) {
      const full = openSync('/dev/full', 'w');
      const run = spawn(EXPORTER, [flag], { stdio: ['ignore', full, full] });
      expect(await new Promise((resolve) => run.once('exit', resolve))).toBe(code);
      closeSync(full);
    }
  });
});
