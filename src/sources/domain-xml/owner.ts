import type { NovaMetadata, NovaOwner } from '../../model/domain-config.ts';
import { emptyOwner, type GuestOwner } from '../../model/guest-owner.ts';
import type { NamespacedElement } from './namespaces.ts';
import { seriousText } from './serious-text.ts';
import { parseInteger } from './values.ts';

/** 1.0 of old, 1.1 (nova/virt/libvirt/config.py). */
const NOVA = /^http:\/\/openstack\.org\/xmlns\/libvirt\/nova\//;
const OVIRT = 'http://ovirt.org/vm/1.0';
const OPENNEBULA = 'http://opennebula.org/xmlns/libvirt/1.0';
const KUBEVIRT = 'http://kubevirt.io';
const LIBOSINFO = 'http://libosinfo.org/xmlns/libvirt/domain/1.0';

type Roots = readonly NamespacedElement[];

/** What managers wrote about a guest into `<metadata>`, or put into its name. */
export interface Management {
  readonly nova: NovaMetadata | undefined;
  readonly owner: GuestOwner | undefined;
  /** Least memory its manager means to leave it. */
  readonly minimumBytes: number | undefined;
}

/**
 * Who manages a guest, and for whom. Only the fields named here are read; a manager that is there
 * without them is still named.
 *
 * @param name of the guest, in which KubeVirt and CloudStack say whose it is.
 * @param roots the elements directly in `<metadata>`.
 * @param balloonBytes what the XML asks the guest to make do with, where that is less than it may have.
 */
export function parseManagement(
  name: string,
  roots: Roots,
  balloonBytes: number | undefined,
): Management {
  const nova = parseNova(
    roots.find((root) => root.name === 'instance' && NOVA.test(root.namespace)),
  );
  const ovirt = find(roots, OVIRT, 'vm');
  const image = seriousText(
    find(roots, LIBOSINFO, 'libosinfo')?.child('os')?.element.attribute('id'),
  );
  const owner =
    nova?.owner ??
    (ovirt && emptyOwner('ovirt')) ??
    parseOpenNebula(find(roots, OPENNEBULA, 'vm')) ??
    parseKubeVirt(find(roots, KUBEVIRT, 'kubevirt'), name) ??
    parseCloudStack(name) ??
    (image === undefined ? undefined : emptyOwner('libosinfo'));
  return {
    nova: nova?.metadata,
    owner: owner && { ...owner, image: owner.image ?? image },
    minimumBytes:
      parseOvirtMinimum(ovirt) ?? (owner?.manager === 'cloudstack' ? balloonBytes : undefined),
  };
}

function find(roots: Roots, namespace: string, name: string): NamespacedElement | undefined {
  return roots.find((root) => root.namespace === namespace && root.name === name);
}

/** `nova:instance`. */
function parseNova(
  instance: NamespacedElement | undefined,
): { readonly metadata: NovaMetadata; readonly owner: GuestOwner } | undefined {
  if (instance === undefined) return undefined;
  const who = (role: string): NovaOwner | undefined => {
    const element = instance.child('owner')?.child(role)?.element;
    const name = seriousText(element?.text);
    return name === undefined ? undefined : { name, id: seriousText(element?.attribute('uuid')) };
  };
  const root = instance.child('root')?.element;
  const user = who('user');
  const project = who('project');
  const flavor = seriousText(instance.child('flavor')?.element.attribute('name'));
  return {
    metadata: {
      instanceName: seriousText(instance.child('name')?.element.text),
      flavor,
      user,
      project,
    },
    owner: {
      manager: 'openstack',
      tenant: project?.name,
      project: project?.name,
      user: user?.name,
      flavor,
      image: root?.attribute('type') === 'image' ? seriousText(root.attribute('uuid')) : undefined,
      namespace: undefined,
    },
  };
}

/** `one:vm` (OpenNebula, src/vmm/LibVirtDriverKVM.cc): `gname` and `uname`. */
function parseOpenNebula(vm: NamespacedElement | undefined): GuestOwner | undefined {
  return (
    vm && {
      ...emptyOwner('opennebula'),
      tenant: seriousText(vm.child('gname')?.element.text),
      user: seriousText(vm.child('uname')?.element.text),
    }
  );
}

/**
 * KubeVirt writes the uid of its object alone; whose that is says the name, `<namespace>_<object>`,
 * in whose parts an underscore cannot be (pkg/util: DomainFromNamespaceName).
 */
function parseKubeVirt(
  kubevirt: NamespacedElement | undefined,
  name: string,
): GuestOwner | undefined {
  if (kubevirt === undefined) return undefined;
  const namespace = seriousText(/^([^_]+)_[^_]+$/.exec(name)?.[1]);
  return { ...emptyOwner('kubevirt'), tenant: namespace, namespace };
}

/**
 * CloudStack has no metadata, but names of its own: `i-<account>-<number>-VM`, and r, s, v for its
 * routers, its storage and its console (VirtualMachineName.java).
 */
function parseCloudStack(name: string): GuestOwner | undefined {
  const match = /^(?:i-(\d{1,19})|[rsv])-\d{1,19}-VM$/.exec(name);
  return match === null ? undefined : { ...emptyOwner('cloudstack'), tenant: match[1] };
}

const MIB = 2 ** 20;

/** `ovirt-vm:minGuaranteedMemoryMb`, in MiB (vdsm lib/vdsm/virt/vm.py). */
function parseOvirtMinimum(vm: NamespacedElement | undefined): number | undefined {
  const mebibytes = parseInteger(
    (vm?.child('minGuaranteedMemoryMb') ?? vm?.child('memGuaranteedSize'))?.element,
  );
  return mebibytes === undefined || mebibytes * MIB > 2 ** 64 ? undefined : mebibytes * MIB;
}
