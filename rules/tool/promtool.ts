import { execFile } from 'node:child_process';

export interface CommandResult {
  readonly ok: boolean;
  readonly standardOutput: string;
  /** Standard output and error, in that order. */
  readonly output: string;
}

const MAXIMUM_OUTPUT_BYTES = 64 * 2 ** 20;

/** Runs a command to its end; a command that fails is a result, not an exception. */
export function run(
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const options = { maxBuffer: MAXIMUM_OUTPUT_BYTES, env: { ...process.env, ...variables } };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      // Without output there is only the reason why it did not run at all.
      const output = stdout + stderr;
      resolve({
        ok: error === null,
        standardOutput: stdout,
        output: output === '' && error ? error.message : output,
      });
    });
  });
}
