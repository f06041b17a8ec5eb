import type { Row } from '../common/dashboard.ts';
import { of } from '../common/promql.ts';
import { table } from '../common/table.ts';

export const IDENTITY: Row = {
  title: 'What the host is',
  folded: true,
  tiles: [
    table({
      title: 'Hardware, kernel and operating system',
      description: 'The inventory of the host. Good: like its neighbours.',
      keys: [
        { label: 'hostname', title: 'Name' },
        { label: 'cpu_model', title: 'CPU' },
        { label: 'kernel', title: 'Kernel' },
        { label: 'os', title: 'Operating system' },
      ],
      values: [
        {
          title: 'CPUs',
          expr: `max by (cluster, job, instance) (${of('kvm_host_online_cpus')})`,
          unit: 'short',
        },
        {
          title: 'Cores',
          expr: `max by (cluster, job, instance) (${of('kvm_host_cores')})`,
          unit: 'short',
        },
        {
          title: 'RAM',
          expr: `max by (cluster, job, instance) (${of('kvm_host_memory_size_bytes')})`,
          unit: 'bytes',
        },
        {
          title: 'Booted',
          expr: `max by (cluster, job, instance) (${of('kvm_host_boot_time_seconds')} * 1000)`,
          unit: 'dateTimeFromNow',
        },
      ],
      infos: [
        `max by (cluster, job, instance, hostname, cpu_model, kernel, os) (${of('kvm_host_info')})`,
      ],
      sortBy: 'Host',
      ascending: true,
      width: 24,
      height: 6,
    }),
    table({
      title: 'KVM and libvirt',
      description:
        'How KVM is set up. Good: second-level paging and accessed/dirty bits on: without them ' +
        'finding cold guest memory is expensive, and over-committing memory hurts sooner.',
      keys: [
        { label: 'vendor', title: 'Vendor' },
        { label: 'second_level_paging', title: 'Second-level paging' },
        { label: 'accessed_dirty_bits', title: 'Accessed and dirty bits' },
        { label: 'nested', title: 'Nested' },
        { label: 'libvirt_version', title: 'libvirt' },
        { label: 'hypervisor_version', title: 'QEMU' },
      ],
      values: [
        {
          title: 'Halt polling',
          expr: `max by (cluster, job, instance) (${of('kvm_host_halt_poll_seconds')})`,
          unit: 's',
        },
      ],
      infos: [
        `max by (cluster, job, instance, vendor, second_level_paging, accessed_dirty_bits, nested) (${of('kvm_host_kvm_module_info')})`,
        `max by (cluster, job, instance, libvirt_version, hypervisor_version) (${of('kvm_libvirt_info')})`,
      ],
      sortBy: 'Host',
      ascending: true,
      height: 6,
    }),
  ],
};
