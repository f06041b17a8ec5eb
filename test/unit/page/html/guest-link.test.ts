import { describe, expect, it } from 'vitest';

import { guestFacts } from '../../../../src/page/facts/guest-facts.ts';
import { pageFacts } from '../../../../src/page/facts/page-facts.ts';
import { guestSegment } from '../../../../src/page/html/guest-link.ts';
import { exampleView, NOTHING_RECENT } from '../../../support/metrics/example-snapshot.ts';
import { A, smallHost, uuidOf } from '../small-host.ts';

const UUID = uuidOf(7);

/** Whom an address leads to, of guests with these names. */
function guestAt(segment: string, names: readonly string[]): string | undefined {
  const view = exampleView(
    smallHost({ seconds: 0, guests: names.map((name) => ({ ...A, name })) }),
  );
  const facts = pageFacts(view, NOTHING_RECENT);
  return guestFacts(view, NOTHING_RECENT, facts, segment)?.row.uuid;
}

describe('the address of a guest', () => {
  it.each(['web-01', 'a b?c#d%', '<b>', 'ü', '...'])('has its name: %s', (name) => {
    expect(guestSegment({ name, uuid: UUID })).toBe(encodeURIComponent(name));
  });

  it.each([
    ['nothing', ''],
    ['a folder', '.'],
    ['the folder above', '..'],
    ['half a character', 'a\ud800'],
    ['a slash, which proxies decode: Proxmox VE', '104/web'],
    ['the uuid of another', uuidOf(1)],
    ['the uuid of another in capitals', uuidOf(0xabcdef).toUpperCase()],
    ['the number of a container of Proxmox VE', 'pve:104'],
    ['the process of another', 'pid:1:2'],
  ])('has its uuid where its name is %s', (_what, name) => {
    expect(guestSegment({ name, uuid: UUID })).toBe(UUID);
  });

  it('leads to the guest with that uuid, whoever took it for a name', () => {
    const names = [uuidOf(1), 'victim'];
    expect(guestAt(uuidOf(1), names)).toBe(uuidOf(1));
    expect(guestAt(uuidOf(0), names)).toBe(uuidOf(0));
    expect(guestAt('victim', names)).toBe(uuidOf(1));
  });

  it('leads by the name also to a guest whose link has its uuid, for who types it', () => {
    expect(guestAt(encodeURIComponent('104/web'), ['104/web'])).toBe(uuidOf(0));
  });

  it('leads nowhere when nobody is called so, or it is no UTF-8', () => {
    expect(guestAt('b', ['a'])).toBeUndefined();
    expect(guestAt('%ff', ['a'])).toBeUndefined();
  });
});
