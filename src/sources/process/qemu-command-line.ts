import { ownText } from '../kernel/own-text.ts';
import { parseQuantity } from './qemu-quantity.ts';

/** Where QEMU keeps the guest's RAM, as far as its command line says. */
export interface QemuMemoryBackend {
  readonly id: string | undefined;
  /** `memory-backend-memfd`, `memory-backend-file`, `memory-backend-ram`. */
  readonly type: string;
  readonly shared: boolean;
  readonly path: string | undefined;
  readonly bytes: number | undefined;
}

/**
 * What a QEMU was told about its guest. Its process can rewrite all of it, so that none of it says who
 * the guest is: see `judgeOwner` in qemu-census.ts.
 */
export interface QemuCommandLine {
  readonly program: string;
  /** As they are, without the program; kept only where a file has more of them. */
  readonly words: readonly string[];
  readonly name: string | undefined;
  /** Of `-uuid`, else of `-smbios type=1,uuid=`; lower case. */
  readonly uuid: string | undefined;
  /** `-id` of Proxmox VE's own QEMU, else the number in `-pidfile /var/run/qemu-server/<vmid>.pid`. */
  readonly vmid: number | undefined;
  /** `-m`, else the backend that the machine is to have as its RAM; undefined where neither can be read. */
  readonly memoryBytes: number | undefined;
  /** One of them is there; without, the guest has QEMU's default. */
  readonly saysMemory: boolean;
  /** `-m maxmem=`, up to which memory may be plugged in. */
  readonly memoryMaximumBytes: number | undefined;
  /** `-smp`: vCPUs at the start, and those that may be plugged in. */
  readonly vcpus: { readonly current: number; readonly maximum: number } | undefined;
  /** There is a `-smp`; without, `vcpus` is QEMU's default, unless a file of options says otherwise. */
  readonly saysVcpus: boolean;
  /** `kvm`, `tcg`, …; undefined: left to QEMU. */
  readonly accelerator: string | undefined;
  readonly machine: string | undefined;
  readonly backends: readonly QemuMemoryBackend[];
  readonly hasBalloon: boolean;
  /** It runs no guest: libvirt and others start one like it to ask what it can do. */
  readonly isProbe: boolean;
  /** File with more options that has not been read; empty: there are several. */
  readonly readconfig: string | undefined;
  /** Where its manager keeps files of it: its pid file, else its file of options. */
  readonly workPath: string | undefined;
  /** Names of taps given by name. */
  readonly taps: readonly string[];
  /** A device of the host was given to the guest, which pins its memory. */
  readonly hasHostDevice: boolean;
  /** Merging was switched off: `-machine mem-merge=off`. */
  readonly isMergeOff: boolean;
  /** `-overcommit mem-lock=on`, `-realtime mlock=on`. */
  readonly isLocked: boolean;
}

const PROGRAM = /^(?:kvm|qemu-kvm|qemu-system-[a-z0-9_]+)$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PVE_PID_FILE = /^(?:\/var)?\/run\/qemu-server\/([1-9]\d{2,8})\.pid$/;
/** Longer words and more of them are no command line of a guest. */
const MAX_WORDS = 4096;

/**
 * Reads the command line of a system emulator (QEMU docs/system/invocation); undefined for any other
 * program. Options may begin with one hyphen or two.
 *
 * @param commandLine words ended by NUL, as in /proc/<pid>/cmdline.
 */
export function parseSystemEmulator(commandLine: string): QemuCommandLine | undefined {
  const [program = '', ...words] = commandLine.split('\0', MAX_WORDS).map(ownText);
  return parseWords(program, words);
}

/**
 * The same command line with what the file of its `-readconfig` says: where both say something, the
 * command line is believed, which QEMU reads after it.
 *
 * @param fromFile of {@link parseQemuConfig}.
 */
export function withConfigFile(
  commandLine: QemuCommandLine,
  fromFile: readonly string[],
): QemuCommandLine {
  const { program, words } = commandLine;
  const whole = parseWords(program, [...fromFile, ...words]);
  return { ...(whole ?? commandLine), words: [], readconfig: undefined };
}

function parseWords(path: string, words: readonly string[]): QemuCommandLine | undefined {
  const program = path.slice(path.lastIndexOf('/') + 1);
  if (!PROGRAM.test(program)) return undefined;
  const options = toOptions(words);
  const last = (name: string): string | undefined => options.get(name)?.at(-1);
  const machines = (options.get('machine') ?? []).concat(options.get('M') ?? []).map(toPairs);
  const machine = machines.at(-1);
  const smbios = (options.get('smbios') ?? []).map(toPairs);
  const memory = toPairs(last('m') ?? '');
  const maximum = memory.get('maxmem');
  const files = options.get('readconfig') ?? [];
  const backends = (options.get('object') ?? []).flatMap((text) => toBackend(text) ?? []);
  const backendId = machines.findLast((one) => one.has('memory-backend'))?.get('memory-backend');
  const saysSize = memory.has('size') || memory.has('');
  return {
    program: path,
    words: files.length === 0 ? [] : words,
    name: toName(last('name')),
    uuid: toUuid(last('uuid') ?? smbios.find((one) => one.get('type') === '1')?.get('uuid')),
    vmid: toVmid(last('id'), last('pidfile')),
    memoryBytes: saysSize
      ? parseQuantity(memory.get('size') ?? memory.get('') ?? '')
      : backends.find(({ id }) => id !== undefined && id === backendId)?.bytes,
    saysMemory: saysSize || backendId !== undefined,
    memoryMaximumBytes: maximum === undefined ? undefined : parseQuantity(maximum),
    vcpus: toVcpus(last('smp')),
    saysVcpus: options.has('smp'),
    accelerator:
      toPairs(last('accel') ?? '').get('') ??
      machine?.get('accel')?.split(':')[0] ??
      (options.has('enable-kvm') ? 'kvm' : KVM_PROGRAMS[program]),
    machine: machine?.get('type') ?? machine?.get(''),
    backends,
    hasBalloon:
      options.has('balloon') ||
      (options.get('device') ?? []).some((text) => /(?:^|[":])virtio-balloon/.test(text)),
    isProbe: machines.some((one) => (one.get('type') ?? one.get('')) === 'none'),
    readconfig: files.length > 1 ? '' : files[0],
    workPath: last('pidfile') ?? files[0],
    taps: (options.get('netdev') ?? []).flatMap((text) => {
      const pairs = toPairs(text);
      const tap = (pairs.get('type') ?? pairs.get('')) === 'tap' ? pairs.get('ifname') : undefined;
      return tap === undefined ? [] : [tap];
    }),
    hasHostDevice: (options.get('device') ?? []).some((text) => /(?:^|[":])vfio-pci/.test(text)),
    isMergeOff: machines.some((one) => one.get('mem-merge') === 'off'),
    isLocked:
      toPairs(last('overcommit') ?? '').get('mem-lock') === 'on' ||
      toPairs(last('realtime') ?? '').get('mlock') === 'on',
  };
}

/** Wrappers that distributions install for `qemu-system-… -enable-kvm`. */
const KVM_PROGRAMS: Readonly<Record<string, string>> = { kvm: 'kvm', 'qemu-kvm': 'kvm' };

function toOptions(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>();
  for (let index = 0; index < words.length; index += 1) {
    const name = /^--?([A-Za-z][\w-]*)$/.exec(words[index] ?? '')?.[1];
    if (name === undefined) continue;
    const next = words[index + 1] ?? '';
    const values = options.get(name) ?? [];
    options.set(name, values);
    // A value that begins with a hyphen is the next option: no option read here takes such a one.
    if (next.startsWith('-') || next === '') continue;
    values.push(next);
    index += 1;
  }
  return options;
}

/** `a,b=c` → '' is a, b is c; JSON objects as they are. A comma inside a value is written twice. */
function toPairs(text: string): ReadonlyMap<string, string> {
  if (text.startsWith('{')) return fromJson(text);
  const pairs = new Map<string, string>();
  if (text === '') return pairs;
  // No argument can hold a NUL, so it may stand for a doubled comma while splitting.
  for (const [index, part] of text.replaceAll(',,', '\0').split(',').entries()) {
    const value = part.replaceAll('\0', ',');
    const at = value.indexOf('=');
    if (at !== -1) pairs.set(value.slice(0, at), value.slice(at + 1));
    else if (index === 0) pairs.set('', value);
    else pairs.set(value, 'on');
  }
  return pairs;
}

function fromJson(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null) return pairs;
    for (const [key, value] of Object.entries(json)) {
      if (typeof value === 'string' || typeof value === 'number') pairs.set(key, String(value));
      if (typeof value === 'boolean') pairs.set(key, value ? 'on' : 'off');
    }
  } catch {
    // Not JSON: nothing is known of it.
  }
  return pairs;
}

function toName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const pairs = toPairs(text);
  const name = pairs.get('guest') ?? pairs.get('');
  return name === '' ? undefined : name;
}

function toUuid(text: string | undefined): string | undefined {
  const uuid = text?.toLowerCase();
  return uuid !== undefined && UUID.test(uuid) ? uuid : undefined;
}

function toVmid(id: string | undefined, pidfile: string | undefined): number | undefined {
  const digits = PVE_PID_FILE.exec(pidfile ?? '')?.[1] ?? /^[1-9]\d{2,8}$/.exec(id ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** More vCPUs than any machine type of QEMU takes. */
const MAX_VCPUS = 8192;

/** `-smp 4,maxcpus=8,sockets=2,…`; without a number, the product of the topology (hw/core/machine-smp.c). */
function toVcpus(text: string | undefined): QemuCommandLine['vcpus'] {
  // QEMU's own default.
  if (text === undefined) return { current: 1, maximum: 1 };
  const pairs = toPairs(text);
  const number = (key: string): number | undefined => {
    const digits = pairs.get(key);
    return digits !== undefined && /^\d{1,5}$/.test(digits) ? Number(digits) : undefined;
  };
  const topology = ['sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'].map(number);
  const product = topology.reduce<number>((all, part) => all * (part ?? 1), 1);
  const said = number('') ?? number('cpus');
  const maximum = number('maxcpus') ?? (said === undefined ? product : Math.max(said, product));
  const current = said ?? maximum;
  if (current < 1 || current > MAX_VCPUS || maximum > MAX_VCPUS) return undefined;
  return { current, maximum: Math.max(maximum, current) };
}

function toBackend(text: string): QemuMemoryBackend | undefined {
  const pairs = toPairs(text);
  const type = pairs.get('qom-type') ?? pairs.get('');
  if (type?.startsWith('memory-backend-') !== true) return undefined;
  const share = pairs.get('share');
  const size = pairs.get('size');
  return {
    id: pairs.get('id'),
    type,
    // A memfd is shared unless told otherwise (backends/hostmem-memfd.c).
    shared:
      share === undefined
        ? type === 'memory-backend-memfd'
        : ['on', 'yes', 'true', 'y'].includes(share),
    path: pairs.get('mem-path'),
    // In bytes, unlike `-m`.
    bytes: size === undefined ? undefined : parseQuantity(size, 1),
  };
}
