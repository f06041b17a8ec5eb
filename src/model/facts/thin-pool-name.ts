/** A thin pool by volume group and name, `vg/pool`; dmsetup does not tell the volume group. */
export function thinPoolName(vgName: string | undefined, name: string): string {
  return vgName === undefined ? name : `${vgName}/${name}`;
}
