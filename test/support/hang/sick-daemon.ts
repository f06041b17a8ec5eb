import type { Lab } from '../../../lab/index.ts';
import type { Exposition } from '../prometheus-text.ts';

/** `--libvirt.max-calls` unless told otherwise, and one that needs no ordinary worker of the daemon. */
export const MOST_CALLS = 4 + 1;

/** What a host has whatever becomes of libvirt; of filesystems only those with images are shown. */
export function hostFamilies(scraped: Exposition): ReadonlySet<string> {
  return new Set(
    scraped.samples.map(({ name }) => name).filter((name) => /^kvm_(?:host|ksm)_/.test(name)),
  );
}

/** All guests are there with what only their monitor tells. */
export function isComplete(scraped: Exposition, guests: readonly string[]): boolean {
  return (
    scraped.value('kvm_libvirt_up') === 1 &&
    guests.every((domain) => scraped.has('kvm_domain_disk_read_bytes_total', { domain }))
  );
}

/** Asks the daemon as fast as it answers, and does not mind when it does not. */
export async function keepBusy(lab: Lab, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await lab.programs.attempt('virsh', ['-r', '-c', lab.sockets.readOnlyUri, 'domstats'], {
      timeoutMs: 10_000,
    });
  }
}
