/**
 * The lab: real QEMU guests under a private libvirtd, for tests, benches and by hand.
 *
 * ```ts
 * await using lab = await openLab();
 * const guest = await lab.startGuest({ name: 'a', jobs: [{ kind: 'spin', threads: 1 }] });
 * await guest.waitFor();
 * const exporter = await lab.exporter();
 * ```
 */
export { CommandError } from './command.ts';
export type { LabGroup } from './cgroup.ts';
export type { LabExporter } from './exporter.ts';
export { canFreezeThreads } from './freezer.ts';
export type { FuseFilesystem } from './fuse.ts';
export type { GuestJob } from './guest-job.ts';
export type * from './guest-spec.ts';
export { Guest } from './guest.ts';
export { hostName, type HostName, type HostPrograms, type LabHost } from './host.ts';
export { ksmCounter, type KsmSettings } from './host-settings.ts';
export { labsRoot } from './lab-directory.ts';
export type { LabProcess } from './lab-process.ts';
export { Lab, openLab, type ExporterOptions, type LabOptions, type SpawnOptions } from './lab.ts';
export type { OwnHost, OwnHostProcess } from './own-host.ts';
export { ensurePackages, LAB_PACKAGES } from './packages.ts';
export { eventually } from './polling.ts';
export type { FilesystemType } from './storage.ts';
