/** A libvirt storage pool as its XML describes it (libvirt docs/formatstorage.rst). */
export interface StoragePoolDescription {
  /** `dir`, `fs`, `netfs`, `logical`, `disk`, `iscsi`, `iscsi-direct`, `scsi`, `mpath`, `rbd`, … */
  readonly type: string;
  readonly name: string;
  readonly uuid: string | undefined;
  /** Where the pool is mapped into the host's file tree; network pools have none. */
  readonly targetPath: string | undefined;
  readonly source: StoragePoolSource;
}

export interface StoragePoolSource {
  /** Volume group, RBD pool, ZFS dataset … */
  readonly name: string | undefined;
  readonly hosts: readonly { readonly name: string; readonly port: number | undefined }[];
  /** Exported directory (netfs) or path in the volume (gluster). */
  readonly directory: string | undefined;
  readonly devices: readonly string[];
  readonly format: string | undefined;
  readonly adapter: string | undefined;
}
