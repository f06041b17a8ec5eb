import { describe, expect, it } from 'vitest';

import { createLogger } from '../../../src/config/logger.ts';
import { RefusalLog } from '../../../src/web/refusal-log.ts';

describe('the log of refusals', () => {
  it('has a line a minute for each kind, which tells how many it left out', () => {
    const lines: string[] = [];
    let now = 0;
    const logger = createLogger({
      level: 'info',
      format: 'logfmt',
      write: (line) => lines.push(line.replace(/^time=\S+ /, '')),
    });
    const refusals = new RefusalLog(logger, () => now);
    for (let i = 0; i < 1000; i += 1) refusals.report('refused', { status: 400 });
    refusals.fault('failed', new Error('why'));
    now = 59_999;
    refusals.report('refused', { status: 401 });
    now = 60_000;
    refusals.report('refused', { status: 402 });
    expect(lines).toEqual([
      'level=warn msg=refused status=400\n',
      'level=error msg=failed error=why\n',
      'level=warn msg=refused status=402 more_before=1000\n',
    ]);
  });
});
