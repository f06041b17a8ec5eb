/**
 * Where the host's file trees are mounted, as seen by the exporter. In a container they are bind
 * mounts (`--path.procfs=/host/proc` …); tests point them at fixture trees.
 */
export interface Roots {
  /** The host's /proc, without trailing slash. */
  readonly procfs: string;
  /** The host's /sys. */
  readonly sysfs: string;
  /** Prefix of the host's own file system, empty when it is ours. */
  readonly rootfs: string;
}
