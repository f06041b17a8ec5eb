import { cpus, loadavg, release, totalmem } from 'node:os';

import { attempt } from '../../../lab/command.ts';

/** One line about each thing the numbers depend on, as a Markdown list. */
export async function describeMachine(
  commands: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {},
): Promise<string> {
  const processors = cpus();
  const lines = [
    `date: ${new Date().toISOString().slice(0, 10)}`,
    `CPU: ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    `memory: ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `kernel: ${release()}`,
    `Node: ${process.version}`,
    `load average at the start: ${loadavg()[0]?.toFixed(2) ?? 'unknown'}`,
  ];
  for (const [name, [command, ...args]] of Object.entries(commands)) {
    const { stdout, stderr } = await attempt(command, args);
    lines.push(`${name}: ${`${stdout}${stderr}`.trim().split('\n')[0] ?? ''}`);
  }
  return lines.map((line) => `- ${line}`).join('\n');
}
