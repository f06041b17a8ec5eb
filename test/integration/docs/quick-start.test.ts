import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../../..');
/** The ports the page names, which may be taken on this machine. */
const PORTS = ['19177', '19090', '19093'] as const;
/** The step that ends and removes all that the others made. */
const CLEAN_UP = /^kill /m;

/** Where the steps for Grafana put what they would put below `/`. */
const grafanaRoot = (): string => join(workdir, 'root');

/** A copy of it from before they were taken away again. */
const grafanaBefore = (): string => join(workdir, 'root-before');

let workdir: string;
const ports = new Map<string, number>();
let result: { readonly code: number | null; readonly output: string };

/** Every shell block of the page, in order, as one script. */
function commandsOf(page: string): readonly string[] {
  return [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

function pageText(): string {
  return readFileSync(join(REPOSITORY, 'docs/quick-start.md'), 'utf8');
}

async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.on('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => {
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
  return promise;
}

function bash(script: string, cwd: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, by which all it started is ended.
      detached: true,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    // Not `close`: programs left in the background would keep the pipes open.
    child.on('exit', (code) => {
      if (child.pid !== undefined) killGroup(child.pid);
      resolve({ code, output });
    });
  });
}

/** What a checkout has that the steps make use of. */
const PARTS = [
  'bin',
  'docs',
  'grafana',
  'rules',
  'src',
  'tools',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
] as const;

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // Nothing is left of it: the rule.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

beforeAll(async () => {
  workdir = mkdtempSync(join(tmpdir(), 'quick-start-of-exporter-'));
  for (const part of PARTS) {
    cpSync(join(REPOSITORY, part), join(workdir, part), { recursive: true });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(workdir, 'node_modules'));
  const page = readFileSync(join(workdir, 'docs/quick-start.md'), 'utf8');
  let script = [
    "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT",
    ...commandsOf(page).map((block, index) => {
      const step = `echo "== step ${index + 1}"\n`;
      if (!CLEAN_UP.test(block)) return `${step}${block}`;
      // Here, since nothing of a process group is left once its script has ended.
      const listening = PORTS.map((port) => `curl -s -o /dev/null 127.0.0.1:${port}/`);
      const told = listening.map((asked) => `if ${asked}; then echo "still listens: ${asked}"; fi`);
      return [`${step}cp -a ${grafanaRoot()} ${grafanaBefore()}`, block, ...told].join('\n');
    }),
    'echo "== all steps done"',
  ].join('\n');
  const files = ['docs/quick-start/prometheus.yml', 'docs/quick-start/targets.yml'];
  for (const port of PORTS) {
    const free = await freePort();
    ports.set(port, free);
    script = script.replaceAll(`:${port}`, `:${free}`);
    for (const file of files) {
      const path = join(workdir, file);
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`:${port}`, `:${free}`));
    }
  }
  script = script
    .replaceAll('/tmp/kvm-overcommit-quick-start', join(workdir, 'data'))
    // Nor is there a Grafana on the machine under test.
    .replaceAll(/(?<= )\/(?=(var\/lib|etc)\/grafana\/)/g, `${grafanaRoot()}/`)
    // The tree under test is installed already.
    .replace(/^npm ci$/m, 'npm ls --depth=0 >/dev/null');
  result = await bash(script, workdir);
}, 300_000);

afterAll(() => {
  rmSync(workdir, { recursive: true, force: true });
});

describe('the quick start', () => {
  it('runs to its end, command by command', () => {
    expect(result.output).toContain('== all steps done');
    expect(result.code).toBe(0);
  });

  it('leaves Grafana with all dashboards where its provider looks for them', () => {
    const provisioning = join(grafanaBefore(), 'etc/grafana/provisioning');
    const provider = readFileSync(join(provisioning, 'dashboards/kvm-overcommit.yaml'), 'utf8');
    const path = /path: (\S+)/.exec(provider)?.[1] ?? '';
    expect(readdirSync(join(grafanaBefore(), path))).toEqual(
      readdirSync(join(REPOSITORY, 'grafana/dashboards')),
    );
    const source = readFileSync(join(provisioning, 'datasources/kvm-overcommit.yaml'), 'utf8');
    expect(source).toContain('type: prometheus');
    // The Prometheus of this page, not the one Debian starts.
    expect(source).toContain(`url: http://127.0.0.1:${ports.get('19090')}\n`);
  });

  it('leaves nothing behind: no server, and no file outside the checkout', () => {
    expect(CLEAN_UP.test(commandsOf(pageText()).at(-1) ?? '')).toBe(true);
    expect(result.output).not.toContain('still listens');
    expect(existsSync(join(workdir, 'data'))).toBe(false);
    const left = readdirSync(grafanaRoot(), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
  });

  it('uses no port that a package of Debian takes by itself', () => {
    // The data source is for a Prometheus in its usual place until sed is done with it.
    const commands = commandsOf(pageText())
      .join('')
      .replaceAll(/^sed .*$/gm, '');
    expect(commands.match(/:(?:9177|9090|9093|3000)\b/g)).toBeNull();
  });

  it('ends with a target that is up and a ratio from the rules', () => {
    expect(result.output).toMatch(/^up\{[^}]*job="kvm-overcommit"[^}]*\} => 1 /m);
    expect(result.output).toMatch(/^instance:kvm_memory_promised_per_capacity:ratio\{.*=> \d/m);
  });
});
