import type { Guest } from './guests.ts';
import { GIB, KIB } from './units.ts';

export const GUEST_MEMORY_BYTES = GIB;
export const GUEST_DISK_BYTES = 100 * GIB;
export const IMAGE_DIRECTORY = '/var/lib/libvirt/images';
export const BASE_IMAGE = `${IMAGE_DIRECTORY}/debian-12-base.qcow2`;
export const BRIDGE = 'br0';
/** Seconds between two balloon statistics of a guest. */
export const STATS_PERIOD_SECONDS = 10;

/** Databases have raw images, web servers are clones of one base image. */
export function toImage({ name, role }: Guest): {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly isClone: boolean;
} {
  const format = role === 'db' ? 'raw' : 'qcow2';
  const extension = format === 'raw' ? 'img' : 'qcow2';
  return { path: `${IMAGE_DIRECTORY}/${name}.${extension}`, format, isClone: role === 'web' };
}

/**
 * A guest as libvirt describes it while it runs, so that the demo uses the same parser.
 *
 * @param id of this run of the guest.
 * @param askedBytes `<currentMemory>`: what its balloon is asked to leave it.
 */
export function guestXml(guest: Guest, id: number, askedBytes: number): string {
  const { path, format, isClone } = toImage(guest);
  const backing = isClone
    ? `<backingStore type='file' index='2'>
        <format type='qcow2'/>
        <source file='${BASE_IMAGE}'/>
        <backingStore/>
      </backingStore>`
    : '<backingStore/>';
  return `<domain type='kvm' id='${id}'>
  <name>${guest.name}</name>
  <uuid>${guest.uuid}</uuid>${metadata(guest)}
  <memory unit='KiB'>${GUEST_MEMORY_BYTES / KIB}</memory>
  <currentMemory unit='KiB'>${askedBytes / KIB}</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <shares>${guest.cpuWeight}</shares>
  </cputune>
  <resource>
    <partition>/machine</partition>
  </resource>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <boot dev='hd'/>
  </os>
  <cpu mode='host-model' check='partial'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='${format}' cache='none' discard='unmap' iothread='1'/>
      <source file='${path}' index='1'/>
      ${backing}
      <target dev='vda' bus='virtio'/>
      <alias name='virtio-disk0'/>
    </disk>
    <interface type='bridge'>
      <mac address='${guest.mac}'/>
      <source bridge='${BRIDGE}'/>
      <target dev='${guest.tap}'/>
      <model type='virtio'/>
      <alias name='net0'/>
    </interface>
    <memballoon model='virtio' freePageReporting='on'>
      <stats period='${STATS_PERIOD_SECONDS}'/>
      <alias name='balloon0'/>
    </memballoon>
  </devices>
</domain>`;
}

const OPERATOR_ID = 'd3d9446802a44259755d38e6d163e820';

/** As Nova writes it, of guests somebody ordered from it. */
function metadata({ name, project }: Guest): string {
  if (project === undefined) return '';
  return `
  <metadata>
    <nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>
      <nova:name>${name}</nova:name>
      <nova:flavor name='m1.tiny'/>
      <nova:owner>
        <nova:user uuid='${OPERATOR_ID}'>operator</nova:user>
        <nova:project uuid='${project.id}'>${project.name}</nova:project>
      </nova:owner>
    </nova:instance>
  </metadata>`;
}
