import { labelText } from '../../exposition/labels.ts';
import type { LibvirtCalls } from '../../model/snapshot.ts';
import { counter, gauge, info, type Metric } from '../metric.ts';

const LIBVIRT_INFO_LABELS = ['driver', 'libvirt_version', 'hypervisor_version', 'uri'] as const;

/** The connection to libvirt. */
export const libvirtMetrics: readonly Metric[] = [
  gauge(
    'kvm_libvirt_up',
    'Whether the exporter has a working connection to libvirt.',
    {
      note: 'Metrics that come from /proc and /sys do not need one.',
    },
    ({ snapshot }, sample) => {
      sample('', snapshot.libvirt.up ? 1 : 0);
    },
  ),
  gauge(
    'kvm_libvirt_expected',
    'Whether a libvirt that does not answer is missed: it was named or has answered, or its guests ' +
      'are defined or run on this host (/etc/libvirt/qemu).',
    {},
    ({ snapshot: { guestSources } }, sample) => {
      if (guestSources === undefined) return;
      sample('', guestSources.states.some(({ name }) => name === 'libvirt') ? 1 : 0);
    },
  ),
  info(
    'kvm_libvirt_info',
    'Versions of libvirt and of the hypervisor, and the URI in use.',
    {
      labels: LIBVIRT_INFO_LABELS,
    },
    ({ snapshot }, sample) => {
      const { versions } = snapshot.libvirt;
      if (versions === undefined) return;
      const { driver, libvirt, hypervisor, uri } = versions;
      sample(labelText(LIBVIRT_INFO_LABELS, [driver, libvirt, hypervisor ?? '', uri]), 1);
    },
  ),
  gauge(
    'kvm_exporter_libvirt_outstanding_calls',
    'Calls to libvirt that have no answer yet, including those given up.',
    { note: 'One that stays is a guest whose monitor hangs.' },
    ({ snapshot }, sample) => {
      sample('', snapshot.libvirt.calls.outstanding);
    },
  ),
  gauge(
    'kvm_exporter_libvirt_stuck_calls',
    'Stuck calls of all clients, each of which holds a worker of libvirtd because a guest ' +
      'or a storage pool does not answer (virDomainGetControlInfo).',
    { note: 'Guests are asked one at a time at --libvirt.max-stuck-calls, and not at all beyond.' },
    ({ snapshot }, sample) => {
      sample('', snapshot.libvirt.calls.stuck);
    },
  ),
  calls('call_timeouts', 'Calls to libvirt that missed their deadline', 'timeouts'),
  calls('late_replies', 'Answers of libvirt that came after the deadline', 'lateReplies'),
  calls('connects', 'Connections made to libvirt since the exporter started', 'connects'),
];

function calls(name: string, meaning: string, field: keyof LibvirtCalls): Metric {
  return counter(
    `kvm_exporter_libvirt_${name}_total`,
    `${meaning}.`,
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.libvirt.calls[field]);
    },
  );
}
