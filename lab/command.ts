import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Text for standard input. */
  readonly input?: string;
  /** Kill the command after this time; default 120 s. */
  readonly timeoutMs?: number;
}

/** A command that ended with another status than 0. */
export class CommandError extends Error {
  readonly result: CommandResult;

  constructor(command: string, args: readonly string[], result: CommandResult) {
    const said = result.stderr.trim() || result.stdout.trim();
    super(`${[command, ...args].join(' ')} ended with ${result.status}: ${said}`);
    this.name = 'CommandError';
    this.result = result;
  }
}

/** Runs a command to its end and returns what it printed, whatever its exit status (signal: 128). */
export function attempt(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 120_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status: status ?? 128, stdout, stderr });
    });
    // A command that does not read its input closes the pipe; its status tells enough.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a command and returns its standard output. Throws CommandError when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await attempt(command, args, options);
  if (result.status !== 0) throw new CommandError(command, args, result);
  return result.stdout;
}
