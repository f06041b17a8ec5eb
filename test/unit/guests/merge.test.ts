import { describe, expect, it } from 'vitest';

import { bareConfig, bareDomain } from '../../../src/guests/bare-guest.ts';
import { mergeGuests } from '../../../src/guests/merge.ts';
import type { Domain, GuestProcess } from '../../../src/model/domain.ts';
import type { GuestSourceName } from '../../../src/model/guest-source.ts';
import { HOST, valueIn } from '../../support/sources/kernel-fixtures.ts';
import { readProcessStat } from '../../../src/sources/process/stat.ts';

const WEB = '6f2d0b5a-1111-4222-8333-0123456789ab';

function process(pid: number, startSeconds = 100): GuestProcess {
  return {
    pid,
    startSeconds,
    stat: { ...valueIn(readProcessStat(HOST, 4242)), pid },
    status: undefined,
    threads: undefined,
    ksm: undefined,
    smaps: undefined,
  };
}

function guest(
  source: GuestSourceName,
  name: string,
  more: Partial<Domain> & { readonly smbios?: string } = {},
): Domain {
  const { smbios = '', ...known } = more;
  const uuid = source === 'libvirt' ? WEB : `pid:${known.process?.pid ?? 0}:1`;
  const config = bareConfig(name, smbios, 'kvm');
  return bareDomain({ name, uuid, source, active: true, config, ...known });
}

const namesOf = (guests: readonly Domain[]): readonly string[] => guests.map(({ name }) => name);

describe('guests of several sources', () => {
  it('that have one process are one guest, as the first source names it', () => {
    const merged = mergeGuests([
      [guest('libvirt', 'web', { process: process(10) })],
      [guest('process', 'other', { process: process(10) })],
    ]);
    expect(namesOf(merged)).toEqual(['web']);
  });

  it('are two when the pid is the same and the process is not', () => {
    const merged = mergeGuests([
      [guest('libvirt', 'web', { process: process(10, 100) })],
      [guest('process', 'later', { process: process(10, 200) })],
    ]);
    expect(namesOf(merged)).toEqual(['web', 'later']);
  });

  it('that have one uuid are one where libvirt knows no process, which is then filled in', () => {
    const merged = mergeGuests([
      [guest('libvirt', 'web')],
      [guest('process', 'web', { smbios: WEB, process: process(10) })],
    ]);
    expect(namesOf(merged)).toEqual(['web']);
    expect(merged[0]?.process?.pid).toBe(10);
  });

  it('that have one uuid and two processes are two, and the names are told apart', () => {
    const merged = mergeGuests([
      [guest('libvirt', 'web', { process: process(10) })],
      [guest('process', 'web', { smbios: WEB, process: process(11) })],
    ]);
    expect(namesOf(merged)).toEqual(['web', 'web (11)']);
  });

  it('are two when one is off and the other runs under its uuid', () => {
    const merged = mergeGuests([
      [guest('libvirt', 'web', { active: false })],
      [guest('process', 'web', { smbios: WEB, process: process(10) })],
    ]);
    expect(merged).toMatchObject([
      { name: 'web', active: false },
      { name: 'web (10)', active: true },
    ]);
  });

  it('of one source are never one another', () => {
    const merged = mergeGuests([
      [],
      [
        guest('process', 'a', { smbios: WEB, process: process(10) }),
        guest('process', 'b', { smbios: WEB, process: process(11) }),
      ],
    ]);
    expect(namesOf(merged)).toEqual(['a', 'b']);
  });
});
