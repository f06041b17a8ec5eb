import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { escapeLabelValue, formatValue } from '../../../src/exposition/escape.ts';
import { closeLabels, labelText, openLabels } from '../../../src/exposition/labels.ts';

/** A reader of label text, written from the format's grammar and not from our writer. */
function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 1;
  while (text[at] !== '}') {
    const equals = text.indexOf('=', at);
    const name = text.slice(at, equals);
    let value = '';
    at = equals + 2;
    for (; text[at] !== '"'; at += 1) {
      const character = text.charAt(at);
      if (character === '\n' || at >= text.length) throw new Error('open string');
      if (character !== '\\') {
        value += character;
        continue;
      }
      at += 1;
      value += text[at] === 'n' ? '\n' : text.charAt(at);
    }
    labels[name] = value;
    at += 1;
    if (text[at] === ',') at += 1;
  }
  expect(at).toBe(text.length - 1);
  return labels;
}

describe('label values', () => {
  it('read back as they were written, whatever they hold', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', '}', ',', '=', 'ü', '🐧') }),
    );
    fc.assert(
      fc.property(anything, anything, (domain, device) => {
        const text = labelText(['domain', 'device'], [domain, device]);
        const overTheWire = Buffer.from(text, 'utf8').toString('utf8');
        expect(parseLabels(overTheWire)).toEqual({ domain, device });
      }),
      { numRuns: 2000 },
    );
  });

  it('replace a lone surrogate, which UTF-8 cannot carry, and keep a pair', () => {
    expect(escapeLabelValue('a\ud800b')).toBe('a\ufffdb');
    expect(escapeLabelValue('🐧')).toBe('🐧');
  });

  it('stay the same string when nothing needs escaping', () => {
    expect(escapeLabelValue('instance-0001.ü')).toBe('instance-0001.ü');
  });
});

describe('label text', () => {
  it('is empty without labels', () => {
    expect(labelText([], [])).toBe('');
  });

  it('can be begun once and finished many times', () => {
    const domain = openLabels(['domain'], ['a"b']);
    expect(closeLabels(domain)).toBe('{domain="a\\"b"}');
    expect(closeLabels(domain, ['vcpu'], ['0'])).toBe('{domain="a\\"b",vcpu="0"}');
  });

  it('never leaves a value out silently', () => {
    expect(() => labelText(['domain', 'vcpu'], ['a'])).toThrow('no value for label vcpu');
  });
});

describe('sample values', () => {
  it.each<[number | bigint, string]>([
    [0, '0'],
    [-0, '0'],
    [1.5, '1.5'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [9007199254740993n, '9007199254740993'],
    [18446744073709551615n, '18446744073709551615'],
  ])('%s is written %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it('read back as the same double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(formatValue(value)) - value).toBe(0);
      }),
    );
  });
});
