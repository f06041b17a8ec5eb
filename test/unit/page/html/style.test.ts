import { describe, expect, it } from 'vitest';

import { STYLE } from '../../../../src/page/html/style.ts';

/** Custom properties of a `:root` block, colours only. */
function palettes(): { readonly light: Palette; readonly dark: Palette } {
  const [light, dark] = [...STYLE.content.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, block = '']) =>
      new Map(
        [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', colour = '']) => [
          name,
          colour,
        ]),
      ),
  );
  if (light === undefined || dark === undefined) throw new Error('two palettes expected');
  return { light, dark };
}

type Palette = ReadonlyMap<string, string>;

function channels(palette: Palette, name: string): readonly [number, number, number] {
  const colour = palette.get(name);
  if (colour === undefined) throw new Error(`no colour ${name}`);
  const at = (index: number): number => Number.parseInt(colour.slice(index, index + 2), 16);
  return [at(1), at(3), at(5)];
}

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance([red, green, blue]: readonly [number, number, number]): number {
  const linear = (channel: number): number => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function contrast(palette: Palette, one: string, other: string): number {
  const [high, low] = [one, other]
    .map((name) => luminance(channels(palette, name)))
    .sort((a, b) => b - a);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

const TEXT: readonly (readonly [string, string])[] = [
  ...['page', 'card'].flatMap((ground) =>
    ['ink', 'soft', 'link', 'level-3'].map((ink) => [ink, ground] as const),
  ),
  ...[0, 1, 2, 3].flatMap((level) => [
    [`level-${level}`, `tint-${level}`] as const,
    [`level-${level}`, 'card'] as const,
  ]),
  ['soft', 'tint-none'],
];

const SHAPES: readonly (readonly [string, string])[] = [
  'promised',
  'capacity',
  'used',
  'claim',
  'supply',
].map((shape) => [shape, 'track'] as const);

describe.each(['light', 'dark'] as const)('the %s palette', (scheme) => {
  const palette = palettes()[scheme];

  it.each(TEXT)('lets %s be read on %s (WCAG AA, 4.5 : 1)', (ink, ground) => {
    expect(contrast(palette, ink, ground)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(SHAPES)('lets bars of %s be seen on their %s (WCAG AA, 3 : 1)', (shape, ground) => {
    expect(contrast(palette, shape, ground)).toBeGreaterThanOrEqual(3);
  });
});

describe('the risk scale', () => {
  const { light } = palettes();
  /** Viénot, Brettel and Mollon (1999), on linear RGB. */
  const VISIONS: Readonly<Record<string, readonly (readonly number[])[]>> = {
    protanopia: [
      [0.11238, 0.88762, 0],
      [0.11238, 0.88762, 0],
      [0.00401, -0.00401, 1],
    ],
    deuteranopia: [
      [0.29275, 0.70725, 0],
      [0.29275, 0.70725, 0],
      [-0.02234, 0.02234, 1],
    ],
  };

  it.each(Object.entries(VISIONS))('keeps neighbours apart under %s', (_name, matrix) => {
    const seen = [0, 1, 2, 3].map((level) => {
      const rgb = channels(light, `level-${level}`).map((channel) => (channel / 255) ** 2.2);
      return matrix.map(
        (row) =>
          Math.max(
            0,
            row.reduce((sum, factor, index) => sum + factor * (rgb[index] ?? 0), 0),
          ) **
          (1 / 2.2),
      );
    });
    for (const [index, colour] of seen.slice(1).entries()) {
      const distance = Math.hypot(
        ...colour.map((channel, at) => channel - (seen[index]?.[at] ?? 0)),
      );
      expect(distance).toBeGreaterThan(0.1);
    }
  });
});
