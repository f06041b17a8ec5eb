import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

/** Of lines that nobody takes; a reader that is only slow loses none. */
const MAX_WAITING_BYTES = 64 * 1024;
/** Given at the end to who reads them. */
const LAST_LINES_MS = 500;

/** Where lines go that people read. */
export interface LogOutput {
  /** Takes one line with its newline. Never throws, never waits. */
  readonly write: (line: string) => void;
  /** Lines that were lost: nobody reads, the disk is full, the other end is gone. */
  readonly dropped: () => number;
  /** Gives the last lines a moment to be taken; after that nothing waits for their reader. */
  readonly close: () => void;
}

/**
 * Standard error, such that it can vanish or fill up without harm. A pipe or socket is written to as
 * its reader takes it, with a bounded queue; a file takes a line or gives an error; a terminal is
 * opened anew, because Node would wait for one that is stopped (^S).
 */
export function standardError(): LogOutput {
  return isatty(process.stderr.fd) ? (terminalOutput() ?? streamOutput()) : streamOutput();
}

/** Lets text go to standard output or be lost, as with `--help | head -1`. */
export function printOut(text: string): void {
  process.stdout.on('error', () => undefined);
  process.stdout.write(text);
}

function streamOutput(): LogOutput {
  let lost = 0;
  const stream = stderrStream();
  // Each lost line is counted where it is written.
  stream.on('error', () => undefined);
  const write = (line: string): void => {
    if (stream.writableLength > MAX_WAITING_BYTES) {
      lost += 1;
      return;
    }
    try {
      stream.write(line, (error) => {
        if (error !== null && error !== undefined) lost += 1;
      });
    } catch {
      lost += 1;
    }
  };
  const close = (): void => {
    // What still waits then would keep the process alive.
    setTimeout(() => stream.destroy(), LAST_LINES_MS).unref();
  };
  return { write, dropped: () => lost, close };
}

/** Pipes and sockets through a stream of our own, because Node's cannot be closed. */
function stderrStream(): Writable {
  const { fd } = process.stderr;
  const kind = fstatSync(fd);
  if (!kind.isFIFO() && !kind.isSocket()) return process.stderr;
  return new Socket({ fd, readable: false, writable: true });
}

/** @returns undefined where the terminal may not be opened, as after `su`. */
function terminalOutput(): LogOutput | undefined {
  let terminal: number;
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    terminal = openSync(`/proc/self/fd/${process.stderr.fd}`, flags);
    if (!fstatSync(terminal).isCharacterDevice()) {
      closeSync(terminal);
      return undefined;
    }
  } catch {
    return undefined;
  }
  let lost = 0;
  let torn = false;
  const write = (line: string): void => {
    const bytes = Buffer.from(torn ? `\n${line}` : line);
    try {
      const written = writeSync(terminal, bytes);
      torn = written < bytes.length;
      if (torn) lost += 1;
    } catch {
      lost += 1;
    }
  };
  return { write, dropped: () => lost, close: () => undefined };
}
