import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { z } from 'zod';

import type { Guest } from '../../lab/index.ts';

const message = z.object({
  id: z.number().optional(),
  return: z.unknown().optional(),
  error: z.unknown().optional(),
});

/**
 * A QMP connection to a guest's second monitor (`GuestSpec.sideMonitor`): makes a QEMU hang, and
 * tells whether it does, without the daemon having any part in it.
 */
export class SideMonitor implements Disposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: z.infer<typeof message>) => void>();
  #text = '';
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      this.#receive(text);
    });
  }

  /** Connects to a QEMU that answers. */
  static async open(guest: Pick<Guest, 'sideMonitorSocket'>): Promise<SideMonitor> {
    const socket = connect(guest.sideMonitorSocket);
    await once(socket, 'connect');
    const monitor = new SideMonitor(socket);
    // Until then it takes no other command (QEMU docs/interop/qmp-spec).
    await monitor.execute('qmp_capabilities');
    return monitor;
  }

  /** Sends a command; resolves with what it returns. @throws Error when QEMU refuses it. */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ error, return: value }) => {
        if (error === undefined) resolve(value);
        else reject(new Error(`${command}: ${JSON.stringify(error)}`));
      });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** A command of the human monitor. @throws Error when it prints one. */
  async human(line: string): Promise<void> {
    const said = await this.execute('human-monitor-command', { 'command-line': line });
    if (typeof said !== 'string' || said.startsWith('Error')) {
      throw new Error(`${line}: ${String(said)}`);
    }
  }

  /** Whether the main loop takes commands: true when it answers within the time. */
  async answers(withinMs = 1000): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, withinMs, false);
    });
    const answer = this.execute('query-name').then(() => true as const);
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      // Events and the greeting have no id.
      const answer = message.parse(JSON.parse(line));
      if (answer.id === undefined) continue;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    }
  }
}
