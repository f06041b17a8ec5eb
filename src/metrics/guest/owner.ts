import type { GuestOwner } from '../../model/guest-owner.ts';
import { tenantText } from '../../view/tenant-text.ts';
import { domainInfo, type Metric } from '../metric.ts';

const LABELS = ['manager', 'tenant', 'project', 'user', 'flavor', 'image', 'namespace'] as const;

/** Whose the guests are. */
export const domainOwnerMetrics: readonly Metric[] = [
  domainInfo(
    'kvm_domain_owner_info',
    'Who manages a guest and for whom; join on domain to sum by tenant (<metadata> and <name> of ' +
      'its XML, files of Proxmox VE, command line of its QEMU).',
    {
      note:
        'manager is openstack, ovirt, opennebula, cloudstack, kubevirt, proxmox, incus (LXD as ' +
        'well) or libosinfo. tenant is the project of OpenStack and Incus, the group of ' +
        'OpenNebula, the account of CloudStack, the namespace of KubeVirt, the pool of Proxmox VE, ' +
        'whose guests have a label tags as well where they have any. image is what the guest was made from (the uuid of an image) or for (the ' +
        'operating system by libosinfo). What a manager does not say is empty; characters nobody ' +
        'sees are written as \\u{202e}. --guests.metadata-label adds labels of your own. Absent ' +
        'for a guest of which neither is known.',
      labels: LABELS,
      ownLabels: true,
    },
    ({ domain: { config }, labels }, sample) => {
      const own = config?.metadataLabels ?? [];
      if (config?.owner === undefined && own.length === 0) return;
      sample(
        labels.with(
          [...LABELS, ...own.map(({ label }) => label)],
          [...values(config?.owner), ...own.map(({ value }) => tenantText(value))],
        ),
        1,
      );
    },
  ),
];

function values(owner: GuestOwner | undefined): readonly string[] {
  return LABELS.map((label) => tenantText(owner?.[label]));
}
