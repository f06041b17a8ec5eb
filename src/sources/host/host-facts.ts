import { lstat, open, readlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { readKernelFile, readKernelStart } from '../kernel/kernel-file.ts';
import { Faults, failed, failedFrom, found, isAbsence, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { HostFacts } from '../../model/host.ts';

/** Far more than the first CPU takes in /proc/cpuinfo, of which each CPU has a like paragraph. */
const CPUINFO_BYTES = 8192;
const MAX_OS_RELEASE_BYTES = 64 * 1024;
/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Reads them from the host's own files, under the paths it was given, and starts no program for it:
 * in a container the others would be those of the image.
 *
 * Asynchronous, as os-release is an ordinary file on whatever the host's root lies on. A part that
 * is there but cannot be read is a fault.
 */
export async function readHostFacts(roots: Roots): Promise<Result<HostFacts>> {
  const faults = new Faults();
  const cpu = faults.optional(readProcessor(roots)) ?? {};
  const os = faults.optional(await readOsRelease(roots.rootfs)) ?? new Map<string, string>();
  const kernelName = (file: string): string =>
    faults.optional(readKernelFile(`${roots.procfs}/sys/kernel/${file}`))?.trim() ?? '';
  return faults.found({
    cpuModel: cpu.model ?? '',
    cpuVendor: cpu.vendor ?? '',
    osName: os.get('NAME') ?? '',
    osRelease: os.get('VERSION_ID') ?? os.get('BUILD_ID') ?? '',
    kernel: kernelName('osrelease'),
    hostname: kernelName('hostname'),
  });
}

interface Processor {
  readonly model?: string | undefined;
  readonly vendor?: string | undefined;
}

function readProcessor(roots: Roots): Result<Processor> {
  const path = `${roots.procfs}/cpuinfo`;
  const text = readKernelStart(path, CPUINFO_BYTES);
  return text.ok ? parseProcessor(text.value, path) : text;
}

/**
 * The first processor of /proc/cpuinfo: `model name` and `vendor_id` on x86 and s390, `cpu` on ppc,
 * `Processor` or nothing but numbers on arm64, which then has no model.
 */
function parseProcessor(text: string, subject: string): Result<Processor> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const key = line.slice(0, colon).trim();
    if (!values.has(key)) values.set(key, line.slice(colon + 1).trim());
  }
  const names = ['processor', 'processor 0', 'cpu', 'vendor_id'];
  if (!names.some((key) => values.has(key))) {
    return failed('malformed', subject, 'no processor');
  }
  return found({
    model: values.get('model name') ?? values.get('Processor') ?? values.get('cpu'),
    vendor: values.get('vendor_id') ?? values.get('CPU implementer'),
  });
}

/** etc/os-release under the host's root, else the one in usr/lib (os-release(5)). */
async function readOsRelease(rootfs: string): Promise<Result<ReadonlyMap<string, string>>> {
  let last: Result<ReadonlyMap<string, string>> | undefined;
  for (const name of ['/etc/os-release', '/usr/lib/os-release']) {
    const text = await readUnder(rootfs, name);
    last = text.ok ? parseOsRelease(text.value, `${rootfs}${name}`) : text;
    if (last.ok || !isAbsence(last.error)) return last;
  }
  return last ?? failed('absent', rootfs, 'no os-release');
}

/**
 * A file of the host. A link in its last step is followed as the host would: /etc/os-release mostly
 * is one, and where it is absolute it means the host's root and not ours.
 */
async function readUnder(rootfs: string, name: string): Promise<Result<string>> {
  let path = name;
  try {
    for (let links = 0; (await lstat(rootfs + path)).isSymbolicLink(); links += 1) {
      if (links === MAX_LINKS) return failed('unreadable', rootfs + name, 'too many links');
      path = resolve(dirname(path), await readlink(rootfs + path));
    }
    if (!(await lstat(rootfs + path)).isFile()) {
      return failed('unreadable', rootfs + name, 'not a file');
    }
    const file = await open(rootfs + path, 'r');
    try {
      const bytes = Buffer.alloc(MAX_OS_RELEASE_BYTES);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      return found(bytes.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    return failedFrom(error, rootfs + name);
  }
}

/** `NAME="Debian GNU/Linux"`, in the quotes of a shell (os-release(5)). */
function parseOsRelease(text: string, subject: string): Result<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? [];
    if (key === undefined || value === undefined) continue;
    const quoted = /^"(.*)"$|^'(.*)'$/.exec(value);
    const bare = quoted?.[1]?.replaceAll(/\\(["$`\\])/g, '$1') ?? quoted?.[2] ?? value;
    values.set(key, bare);
  }
  return values.size === 0 ? failed('malformed', subject, 'no assignment') : found(values);
}
