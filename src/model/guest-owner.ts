/** Software that starts and moves guests, or that said something about them. */
export type GuestManager =
  | 'openstack'
  | 'ovirt'
  | 'opennebula'
  | 'cloudstack'
  | 'kubevirt'
  | 'proxmox'
  | 'incus'
  | 'libosinfo';

/**
 * Whose guest it is, in the same words for every manager; undefined: this manager does not say, or has
 * no such thing. All of it is text somebody else chose.
 */
export interface GuestOwner {
  readonly manager: GuestManager;
  /**
   * Whom to ask or to bill, and what sums are grouped by: OpenStack's project, OpenNebula's group,
   * CloudStack's account, KubeVirt's namespace, the pool of Proxmox VE, the project of Incus.
   */
  readonly tenant: string | undefined;
  /** Of managers that have projects. */
  readonly project: string | undefined;
  /** Who had it made. */
  readonly user: string | undefined;
  /** The size it was ordered in. */
  readonly flavor: string | undefined;
  /** What it was made from, or the operating system it was made for. */
  readonly image: string | undefined;
  /** Of Kubernetes. */
  readonly namespace: string | undefined;
}

/** A manager of which nothing else is known. */
export function emptyOwner(manager: GuestManager): GuestOwner {
  return {
    manager,
    tenant: undefined,
    project: undefined,
    user: undefined,
    flavor: undefined,
    image: undefined,
    namespace: undefined,
  };
}

/** An element or attribute of a guest's metadata that the administrator wants as a label. */
export interface MetadataPath {
  readonly label: string;
  /**
   * The namespace of an element directly in `<metadata>`, a slash, the name of that element, and the
   * names of those inside; `@name` at the end stands for an attribute. Names are without prefix.
   */
  readonly path: string;
}

/** What a guest's metadata have at such a path. */
export interface MetadataLabel {
  readonly label: string;
  readonly value: string;
}
