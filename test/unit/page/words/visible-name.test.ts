import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { visibleName } from '../../../../src/page/words/visible-name.ts';

/** Every code unit, lone surrogates and control characters included. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })))
  .map((units) => String.fromCharCode(...units));

describe('a name', () => {
  it('of any language stays as it is', () => {
    expect(visibleName('web-01 数据库 сервер 🐧 عربي')).toBe('web-01 数据库 сервер 🐧 عربي');
  });

  it('shows what would turn the direction of text', () => {
    expect(visibleName('prod\u202ecod.tset')).toBe('prod\\u{202e}cod.tset');
  });

  it('shows control characters, line ends and what has no width', () => {
    expect(visibleName('a\nb\u0000c\u200bd')).toBe('a\\u{a}b\\u{0}c\\u{200b}d');
  });

  it('shows escapes of terminals, marks of direction, tags, and what else nobody sees', () => {
    expect(visibleName('\u001b[2J\u007f\u009b\u2066\u061c\u00ad\u{e0041}')).toBe(
      '\\u{1b}[2J\\u{7f}\\u{9b}\\u{2066}\\u{61c}\\u{ad}\\u{e0041}',
    );
  });

  it('loses its middle when it is longer than 120 characters', () => {
    expect(visibleName(`${'a'.repeat(90)}${'b'.repeat(60)}`)).toBe(
      `${'a'.repeat(80)}…${'b'.repeat(30)}`,
    );
    expect(visibleName('🐧'.repeat(120))).toBe('🐧'.repeat(120));
  });

  it('never holds a lone surrogate or a control character afterwards', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const shown = visibleName(name);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u);
      }),
    );
  });
});
