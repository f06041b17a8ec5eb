/**
 * What libvirt 9.0 (Debian 12) does with files of the corpus other than keep what they say, each
 * with the reason. The test checks that it really does so, and that it does nothing else.
 */

/** Files that it refuses, by their names, with a part of what it says. */
export const REFUSED: Readonly<Record<string, { readonly message: string; readonly why: string }>> =
  {
    'no-name': { message: 'missing name information', why: 'a domain has to have a name' },
    'disk-of-a-type-unknown-here': { message: "'quantum'", why: 'no libvirt has such a type' },
    'disk-vhostvdpa': { message: "'vhostvdpa'", why: 'since 9.8' },
    'encrypted-sev-snp': { message: "'sev-snp'", why: 'since 10.5' },
    'encrypted-tdx': { message: "'tdx'", why: 'since 11.6' },
    'interface-user-by-passt': {
      message: "'passt'",
      why: 'since 9.0, but debian/patches/debian/Disable-passt-support.patch takes it out',
    },
  };

/** Files of no use to us that it takes all the same. */
export const MENDED: Readonly<Record<string, string>> = {
  'no-uuid': 'libvirtd makes up a uuid',
};

/** A value of a reading that comes back as another, or not at all. */
export interface Change {
  /** Where, in the words of `compare`. */
  readonly place: RegExp;
  /** Files in which it may be so; undefined: in any. */
  readonly files?: readonly string[];
  readonly why: string;
}

export const CHANGED: readonly Change[] = [
  {
    place: /^(?:type|os\.\w+)$/,
    why: 'the test drives libvirt without KVM, or with its test driver, which has i686 alone',
  },
  {
    place: /\.alias$/,
    why: 'aliases are of running guests; the files that have one are defined here, not started',
  },
  {
    place: /^disks\[\w+\]\.mirror\./,
    why: 'only the XML of a running guest has a mirror, and it is passed over on input (virDomainDiskDefFormatMirror)',
  },
  { place: /\.dataStore\./, why: 'since 10.10; older libvirt passes over it' },
  { place: /^throttleGroups|\.throttleFilters$/, why: 'since 11.2; older libvirt passes over it' },
  {
    place: /^cpu\.topology\.clusters$/,
    files: ['topology-with-clusters'],
    why: 'since 10.1; older libvirt passes over it',
  },
  {
    place: /^interfaces\[.*\]\.target$/,
    files: [
      'interface-bridge-with-bandwidth',
      'interface-network-running',
      'interface-open-vswitch-unplugged',
      'interface-macvtap',
    ],
    why: 'a name vnet0 or macvtap0 is made up at start, and dropped on input',
  },
  {
    place: /^interfaces\[.*\]\.source\.bridge$/,
    files: ['interface-network-running'],
    why: 'the bridge of a network is told of running guests',
  },
  {
    place: /^interfaces\[/,
    files: ['interface-without-mac'],
    why: 'libvirtd makes up an address, by which the interface goes in a comparison',
  },
  {
    place: /^memory\.devices\[\d\]\.currentBytes$/,
    files: ['virtio-mem'],
    why: 'documented as output-only',
  },
  {
    place: /^memory\.maximumBytes$/,
    files: ['memory-decimal-units'],
    why: 'libvirtd rounds up to whole KiB',
  },
  {
    place: /^numa\.guestCells\[\d\]/,
    files: ['numa-cells-out-of-order'],
    why: 'libvirtd writes the cells in the order of their ids',
  },
  {
    place: /^disks\[sdb\]\.type$/,
    files: ['drives-that-are-empty'],
    why: 'an empty drive is of type file',
  },
  {
    place: /^ownerUid$/,
    files: ['labels-of-a-running-guest'],
    why: 'a dynamic label is given at start, and dropped on input',
  },
];
