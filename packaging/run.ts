import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a tool to its end; what it wrote to standard output.
 *
 * @throws Error with the command and all it said, if it does not end with 0.
 */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new Error(`${command} is not installed; packaging/README.md says what is needed`)
          : error,
      );
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else {
        const said = `${stderr}${stdout}`.trim();
        reject(new Error(`${[command, ...args].join(' ')}: ${code ?? signal ?? ''}: ${said}`));
      }
    });
  });
}
