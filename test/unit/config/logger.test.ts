import { describe, expect, it } from 'vitest';

import type { LogFormat, LogLevel } from '../../../src/config/flags.ts';
import { createLogger, type Logger } from '../../../src/config/logger.ts';

function logTo(lines: string[], level: LogLevel, format: LogFormat): Logger {
  return createLogger({
    level,
    format,
    write: (line) => lines.push(line),
    now: () => new Date(0),
  });
}

describe('a log line', () => {
  it('in logfmt quotes only what needs it', () => {
    const lines: string[] = [];
    logTo(lines, 'info', 'logfmt').warn('libvirt gone', {
      socket: '/run/libvirt/libvirt-sock-ro',
      attempts: 3,
      bytes: 2n ** 63n,
      empty: '',
      name: 'a "b"\n=c',
      error: new Error('no such file'),
      absent: undefined,
    });
    expect(lines).toEqual([
      'time=1970-01-01T00:00:00.000Z level=warn msg="libvirt gone" ' +
        'socket=/run/libvirt/libvirt-sock-ro attempts=3 bytes=9223372036854775808 empty="" ' +
        'name="a \\"b\\"\\n=c" error="no such file"\n',
    ]);
  });

  it('in JSON is one object', () => {
    const lines: string[] = [];
    logTo(lines, 'info', 'json').error('x', {
      n: 1,
      big: 5n,
      nan: Number.NaN,
      up: false,
      none: undefined,
    });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'error',
      msg: 'x',
      n: 1,
      big: '5',
      nan: 'NaN',
      up: false,
    });
  });

  it.each<LogFormat>(['logfmt', 'json'])('in %s holds nothing a terminal obeys', (format) => {
    const lines: string[] = [];
    // ESC, CR, BEL, DEL, CSI of C1, next line, overrides of direction, no width, tags, a half.
    const name =
      'a\u001b[2J\r\u0007\u007f\u009b\u0085\u202e\u2066\u200b\u2060\ufeff\u2028\u{e0041}\ud800z';
    logTo(lines, 'info', format).warn(`guest ${name}`, { name, [`key\u001b${name}`]: 1 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[ -~]+\n$/);
    expect(lines[0]).toContain('\\u001b[2J\\r\\u0007\\u007f\\u009b\\u0085\\u202e');
    if (format === 'json') expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name });
  });

  it.each<[LogLevel, readonly string[]]>([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ])('at level %s is written for %j', (level, written) => {
    const lines: string[] = [];
    const logger = logTo(lines, level, 'logfmt');
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    logger.error('d');
    expect(lines.map((line) => /level=(\w+)/.exec(line)?.[1])).toEqual(written);
  });
});
