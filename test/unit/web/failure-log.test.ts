import { describe, expect, it } from 'vitest';

import { createLogger } from '../../../src/config/logger.ts';
import type { CollectorOutcome } from '../../../src/snapshot/model.ts';
import { FailureLog } from '../../../src/web/failure-log.ts';

function failing(detail: string, kind: 'absent' | 'timeout' = 'absent'): CollectorOutcome {
  const errors = [{ kind, subject: 'libvirt', detail }];
  return { collector: 'domain', success: false, durationSeconds: 0, errors };
}

const working: CollectorOutcome = {
  collector: 'domain',
  success: true,
  durationSeconds: 0,
  errors: [],
};

function logOf(...scrapes: readonly CollectorOutcome[]): readonly string[] {
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line.replace(/^time=\S+ /, '').trim());
  };
  const log = new FailureLog(createLogger({ level: 'info', format: 'logfmt', write }));
  for (const outcome of scrapes) log.report([outcome]);
  return lines;
}

describe('the log of failing collectors', () => {
  it('says once that a collector fails, however many scrapes it fails in', () => {
    expect(logOf(failing('no socket'), failing('no socket'), failing('no socket'))).toEqual([
      'level=warn msg="collector failed" collector=domain kind=absent subject=libvirt ' +
        'detail="no socket" errors=1',
    ]);
  });

  it('says that it fails for another reason', () => {
    expect(logOf(failing('no socket'), failing('slow', 'timeout'))).toHaveLength(2);
  });

  it('says once that it works again', () => {
    expect(logOf(failing('no socket'), working, working).slice(1)).toEqual([
      'level=info msg="collector succeeds again" collector=domain',
    ]);
  });

  it('leaves out what could not run for want of another, which has a line of its own', () => {
    const error = { kind: 'absent', subject: 'guests', detail: 'the list is missing' } as const;
    const waiting: CollectorOutcome = {
      collector: 'block',
      success: false,
      durationSeconds: 0,
      lacking: 'domain',
      errors: [error],
    };
    const well: CollectorOutcome = { ...working, collector: 'block' };
    expect(logOf(failing('no socket'), waiting, working, well)).toEqual([
      expect.stringContaining('collector=domain'),
      'level=info msg="collector succeeds again" collector=domain',
    ]);
  });

  it('is silent about what works', () => {
    expect(logOf(working)).toEqual([]);
  });
});
