import { describe, expect, it } from 'vitest';

import { findFamilyFaults, openMetricsName } from '../../../src/exposition/family.ts';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';

describe('the catalogue', () => {
  it('declares every family soundly', () => {
    expect(CATALOGUE.flatMap(findFamilyFaults)).toEqual([]);
  });

  it('has no two families whose names clash in either format', () => {
    const names = CATALOGUE.map(openMetricsName);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('keeps to our prefix', () => {
    expect(CATALOGUE.filter(({ name }) => !name.startsWith('kvm_'))).toEqual([]);
  });

  it('puts the guest first in families about guests, and only there', () => {
    for (const { name, scope, labels } of CATALOGUE) {
      expect([name, labels.indexOf('domain')]).toEqual([name, scope === 'domain' ? 0 : -1]);
    }
  });

  it('explains each family in one sentence on one line of at most 200 characters', () => {
    const unreadable = CATALOGUE.map(({ name, help }) => ({ name, help })).filter(
      ({ help }) =>
        !/^[A-Za-z0-9].{15,}\.$/.test(help) || /[.!?]\s/.test(help) || help.length > 200,
    );
    expect(unreadable).toEqual([]);
  });

  it('names the source last, so that the meaning comes first', () => {
    const early = CATALOGUE.filter(({ help }) =>
      /\((?:\/proc|\/sys|libvirt )[^)]*\)./.test(help.slice(0, -1)),
    );
    expect(early.map(({ help }) => help)).toEqual([]);
  });

  it('has whole sentences in its notes', () => {
    const notes = CATALOGUE.flatMap(({ note }) => (note === undefined ? [] : [note]));
    expect(notes.filter((note) => !/\.$/.test(note))).toEqual([]);
    expect(notes).not.toEqual([]);
  });
});
