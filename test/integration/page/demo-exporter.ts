import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface DemoExporter extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
}

/** The real program with `--demo`, on a port of its own. */
export async function startDemoExporter(): Promise<DemoExporter> {
  const child = spawn(
    'bin/kvm-overcommit-exporter',
    ['--demo', '--web.listen-address=127.0.0.1:0'],
    { stdio: ['ignore', 'inherit', 'pipe'] },
  );
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stderr })) {
    const address = /msg=listening address=(\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stderr.resume();
    return {
      url: `http://${address}/`,
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGTERM');
        await exited;
      },
    };
  }
  throw new Error('the exporter ended before it listened');
}
