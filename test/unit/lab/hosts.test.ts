import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { HOST_NAMES } from '../../../lab/host.ts';
import { labRun, LEFT_OUT } from '../../../lab/hosts.ts';

const LAB = resolve(import.meta.dirname, '../../lab');

describe('the arguments of a lab run', () => {
  it('are vitest’s, on this machine, unless a host is named', () => {
    expect(labRun([])).toEqual({ host: 'here', rest: [] });
    expect(labRun(['hang', '-t', 'in a row'])).toEqual({
      host: 'here',
      rest: ['hang', '-t', 'in a row'],
    });
  });

  it.each([[['--host=trixie', 'hang']], [['hang', '--host', 'trixie']]])(
    'name the host in either form and place: %j',
    (args) => {
      expect(labRun(args)).toEqual({ host: 'trixie', rest: ['hang'] });
    },
  );

  it.each([[['--host=forky']], [['--host=']], [['--host']]])(
    'that name none there is are refused: %j',
    (args) => {
      expect(() => labRun(args)).toThrow(/here, trixie/);
    },
  );
});

describe('what is left out on a host', () => {
  it.each(HOST_NAMES)('%s: is a test there is, and has a reason', (host) => {
    for (const [file, reason] of Object.entries(LEFT_OUT[host])) {
      expect(existsSync(join(LAB, file)), file).toBe(true);
      expect(reason).not.toBe('');
    }
  });

  it('is nothing on this machine', () => {
    expect(LEFT_OUT.here).toEqual({});
  });
});
