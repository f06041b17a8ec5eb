import type { LogFormat, LogLevel } from './flags.ts';
import { hasUnseen, quotedText, visibleText } from './visible-text.ts';

type LogValue = string | number | bigint | boolean | Error | undefined;
/** What a message is about; undefined values are left out. */
export type LogFields = Readonly<Record<string, LogValue>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one line with its newline. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

const IMPORTANCE: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * A logger of one line per message, in the logfmt or JSON form of Prometheus' own
 * programs (`time`, `level`, `msg`, then the fields). Whatever a field holds, the line has no
 * character that a terminal would obey or a reader would miss.
 */
export function createLogger(options: LoggerOptions): Logger {
  const now = options.now ?? (() => new Date());
  const render = options.format === 'json' ? jsonLine : logfmtLine;
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (IMPORTANCE[level] < IMPORTANCE[options.level]) return;
    const entries: [string, string | number | boolean][] = [
      ['time', now().toISOString()],
      ['level', level],
      ['msg', message],
    ];
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined) entries.push([key, plain(value)]);
    }
    options.write(`${render(entries)}\n`);
  };
  return {
    debug: (message, fields) => {
      log('debug', message, fields);
    },
    info: (message, fields) => {
      log('info', message, fields);
    },
    warn: (message, fields) => {
      log('warn', message, fields);
    },
    error: (message, fields) => {
      log('error', message, fields);
    },
  };
}

function plain(value: Exclude<LogValue, undefined>): string | number | boolean {
  if (value instanceof Error) return value.message;
  // JSON has no bigint and no NaN.
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function jsonLine(entries: readonly [string, string | number | boolean][]): string {
  const fields = entries.map(([key, value]) => {
    return `${quotedText(key)}:${typeof value === 'string' ? quotedText(value) : String(value)}`;
  });
  return `{${fields.join(',')}}`;
}

function logfmtLine(entries: readonly [string, string | number | boolean][]): string {
  return entries.map(([key, value]) => `${logfmtKey(key)}=${quote(String(value))}`).join(' ');
}

function logfmtKey(key: string): string {
  return visibleText(key).replaceAll(/[\s="\\]/g, '_');
}

/** Quotes what is empty or holds a space, a quote, an equals sign, or a character nobody sees. */
function quote(text: string): string {
  return /^[^\s="\\]+$/.test(text) && !hasUnseen(text) ? text : quotedText(text);
}
