import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nicNames } from '../../../src/view/nic-name.ts';

const nic = (target?: string, alias?: string) => ({ target, alias });

describe('the name of a NIC', () => {
  it('is its host device', () => {
    expect(nicNames([nic('vnet0', 'net0'), nic('vnet1', 'net1')])).toEqual(['vnet0', 'vnet1']);
  });

  it('is its alias where it has no host device, as a passed-through NIC', () => {
    expect(nicNames([nic('vnet0', 'net0'), nic(undefined, 'hostdev0')])).toEqual([
      'vnet0',
      'hostdev0',
    ]);
  });

  it('is its place in the XML where the guest is off', () => {
    expect(nicNames([nic(), nic()])).toEqual(['nic0', 'nic1']);
  });

  it('does not count an empty name as one', () => {
    expect(nicNames([nic('', ''), nic('', '')])).toEqual(['nic0', 'nic1']);
  });

  it('of two NICs with one host device is the alias for the second', () => {
    expect(nicNames([nic('vnet0', 'net0'), nic('vnet0', 'net1')])).toEqual(['vnet0', 'net1']);
  });

  it("is never taken away by another NIC's alias", () => {
    expect(nicNames([nic(undefined, 'tap1'), nic('tap1', 'net1')])).toEqual(['nic0', 'tap1']);
  });

  it('gives way where somebody called a device nic<n>', () => {
    expect(nicNames([nic('nic1', 'net0'), nic()])).toEqual(['nic1', 'nic1-2']);
  });

  it('is never the same twice and never empty, whatever they are called', () => {
    const name = fc.option(fc.constantFrom('', 'a', 'nic0', 'nic1', 'nic1-2', 'nic2'), {
      nil: undefined,
    });
    fc.assert(
      fc.property(fc.array(fc.record({ target: name, alias: name })), (nics) => {
        const names = nicNames(nics);
        return (
          names.length === nics.length && new Set(names).size === nics.length && !names.includes('')
        );
      }),
    );
  });
});
