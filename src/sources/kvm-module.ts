import { readKernelFile, readKernelInteger } from './kernel-file.ts';
import { parseSwitch } from './kernel-text.ts';
import { failed, found, valueOf, type Reading } from './reading.ts';
import type { Roots } from './roots.ts';

/**
 * How KVM runs on this host, from `/sys/module/kvm*` (built in or loaded). Parameters the module
 * does not have are undefined (Documentation/admin-guide/kernel-parameters.txt, "kvm.").
 */
export interface KvmModule {
  /** Undefined where KVM needs no second module (arm64, s390) or uses another one. */
  readonly vendor: 'intel' | 'amd' | undefined;
  /** Hardware second-level page tables: EPT or NPT. Off means shadow paging. */
  readonly secondLevelPaging: boolean | undefined;
  /**
   * EPT accessed/dirty bits (Intel). Off means that ageing guest memory costs page faults: bad with
   * swap. NPT always has them, so undefined on AMD.
   */
  readonly accessedDirtyBits: boolean | undefined;
  readonly nested: boolean | undefined;
  /** How long a halting vCPU polls before it gives up its CPU. */
  readonly haltPollSeconds: number | undefined;
  /** The scalable page-table code is in use (x86, since 5.10). */
  readonly tdpMmu: boolean | undefined;
}

/** `absent` when the kernel has no KVM: guests on this host are emulated. */
export function readKvmModule(roots: Roots): Reading<KvmModule> {
  const modules = `${roots.sysfs}/module`;
  const vendor = hasParameter(`${modules}/kvm_intel`)
    ? 'intel'
    : hasParameter(`${modules}/kvm_amd`)
      ? 'amd'
      : undefined;
  const nanoseconds = readKernelInteger(`${modules}/kvm/parameters/halt_poll_ns`);
  if (!nanoseconds.ok && nanoseconds.error.kind === 'absent' && vendor === undefined) {
    return failed('absent', `${modules}/kvm`, 'KVM is not loaded');
  }
  const flag = (module: string, parameter: string): boolean | undefined =>
    parseSwitch(valueOf(readKernelFile(`${modules}/${module}/parameters/${parameter}`)));
  const vendorFlag = (parameter: string): boolean | undefined =>
    vendor === undefined ? undefined : flag(`kvm_${vendor}`, parameter);
  return found({
    vendor,
    secondLevelPaging: vendorFlag(vendor === 'amd' ? 'npt' : 'ept'),
    accessedDirtyBits: vendor === 'intel' ? vendorFlag('eptad') : undefined,
    nested: vendorFlag('nested'),
    haltPollSeconds: nanoseconds.ok ? nanoseconds.value / 1e9 : undefined,
    tdpMmu: flag('kvm', 'tdp_mmu'),
  });
}

function hasParameter(module: string): boolean {
  return readKernelFile(`${module}/parameters/nested`).ok;
}
