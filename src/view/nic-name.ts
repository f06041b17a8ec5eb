/** What a NIC can be called by, from its XML. */
export interface NicNaming {
  /** Device on the host, e.g. `vnet0`; undefined while the guest is off, and for passed-through NICs. */
  readonly target: string | undefined;
  /** libvirt's own name of the device, e.g. `net0` or `hostdev0`; undefined while the guest is off. */
  readonly alias: string | undefined;
}

/**
 * A name for each NIC of one guest, in their order and never the same twice: the host device,
 * else the alias, else `nic<index>`. NICs without a host device (SR-IOV, user networking) made
 * other exporters write the same series twice.
 */
export function nicNames(nics: readonly NicNaming[]): readonly string[] {
  const names: (string | undefined)[] = nics.map(() => undefined);
  const taken = new Set<string>();
  // Host devices first: counters carry that name, so nobody's alias may take it.
  const claim = (nameOf: (nic: NicNaming, index: number) => string | undefined): void => {
    for (const [index, nic] of nics.entries()) {
      const name = nameOf(nic, index);
      if (names[index] !== undefined || name === undefined || name === '') continue;
      if (taken.has(name)) continue;
      taken.add(name);
      names[index] = name;
    }
  };
  claim((nic) => nic.target);
  claim((nic) => nic.alias);
  claim((_nic, index) => `nic${index}`);
  return names.map((name, index) => name ?? unusedName(`nic${index}`, taken));
}

/** Somebody called another device `nic<index>`. */
function unusedName(base: string, taken: Set<string>): string {
  for (let suffix = 2; ; suffix += 1) {
    const name = `${base}-${suffix}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
