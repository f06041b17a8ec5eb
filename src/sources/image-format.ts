/** Image formats told apart by their first bytes; `raw` is what is left. QEMU's driver names. */
export type ImageFormat =
  | 'raw'
  | 'qcow2'
  | 'qcow'
  | 'qed'
  | 'vmdk'
  | 'vdi'
  | 'vhdx'
  | 'vpc'
  | 'luks'
  | 'parallels'
  | 'other';
