import { describe, expect, it } from 'vitest';

import { emptyOwner } from '../../../src/model/guest-owner.ts';
import { exampleConfig } from '../../support/metrics/example-config.ts';
import { exampleSnapshot, exampleView, webGuest } from '../../support/metrics/example-snapshot.ts';
import { familyOf } from './samples.ts';
import type { DomainConfig } from '../../../src/model/domain-config.ts';

const ownersOf = (config: Partial<DomainConfig>) =>
  familyOf(
    exampleView(exampleSnapshot({ domains: [{ ...webGuest(), config: exampleConfig(config) }] })),
    'kvm_domain_owner_info',
  );

const labels = (tenant: string, more = '', manager = 'opennebula'): string =>
  `{domain="web",manager="${manager}",tenant="${tenant}",project="",user="",flavor="",image="",namespace=""${more}}`;

describe('kvm_domain_owner_info', () => {
  const of = (tenant: string) => ownersOf({ owner: { ...emptyOwner('opennebula'), tenant } });

  it('has one series for each guest with an owner, and none for the others', async () => {
    expect(await of('shop')).toEqual({ [labels('shop')]: 1 });
    expect(await ownersOf({})).toEqual({});
  });

  it('has the labels the administrator asked for, with or without an owner', async () => {
    const metadataLabels = [{ label: 'team', value: 'floor' }];
    expect(await ownersOf({ metadataLabels })).toEqual({ [labels('', ',team="floor"', '')]: 1 });
  });

  it.each([
    ['a line end', 'a\nb', String.raw`a\\u{a}b`],
    ['a quote and a backslash', 'a"\\', String.raw`a\"\\`],
    ['an escape character', '\u001b[2J', String.raw`\\u{1b}[2J`],
    ['text that turns around', 'a\u202eb', String.raw`a\\u{202e}b`],
    ['what cannot be seen', 'a\u200bb', String.raw`a\\u{200b}b`],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['another alphabet', 'Ünïcode 店', 'Ünïcode 店'],
  ])('shows %s in a name of a tenant', async (_, tenant, shown) => {
    expect(await of(tenant)).toEqual({ [labels(shown)]: 1 });
  });

  it('cuts a name that is longer than any that is meant seriously', async () => {
    expect(await of('x'.repeat(1000))).toEqual({ [labels(`${'x'.repeat(255)}…`)]: 1 });
    expect(await of(`${'x'.repeat(254)}😀x`)).toEqual({ [labels(`${'x'.repeat(254)}\ufffd…`)]: 1 });
  });
});
