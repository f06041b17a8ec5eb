import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ThinStorage } from '../../../src/model/storage.ts';
import { LVS_ARGUMENTS, parseLvs } from '../../../src/sources/lvm/thin-pool.ts';
import { LoopDevice } from './loop-device.ts';
import { valueOrThrow } from './storage-source.ts';

/**
 * A volume group of Debian's own LVM on a loop device. Its thin pool is written into its metadata
 * and never activated, for which the kernel here has no device mapper.
 */
export class VolumeGroup implements Disposable {
  readonly name = `kvmtest${process.pid}`;
  readonly #directory = mkdtempSync(join(tmpdir(), 'lvs-'));
  readonly #device: LoopDevice;

  constructor() {
    const file = join(this.#directory, 'pv');
    execFileSync('truncate', ['-s', '64M', file]);
    this.#device = new LoopDevice(file);
    mkdirSync(join(this.#directory, 'lock'));
    this.configure('');
    this.#run('pvcreate', this.#device.path);
    this.#run('vgcreate', '--setautoactivation', 'n', this.name, this.#device.path);
    const saved = join(this.#directory, 'metadata');
    this.#run('vgcfgbackup', '--file', saved, this.name);
    const text = readFileSync(saved, 'utf8').trimEnd();
    writeFileSync(saved, `${text.slice(0, -1)}logical_volumes {\n${LOGICAL_VOLUMES}}\n}\n`);
    this.#run('vgcfgrestore', '--force', '--file', saved, this.name);
  }

  /** Puts lines into lvm.conf beside those that keep LVM away from any other device. */
  configure(lines: string): void {
    writeFileSync(
      join(this.#directory, 'lvm.conf'),
      `devices { filter=["a|^${this.#device.path}$|", "r|.*|"] use_devicesfile=0 obtain_device_list_from_udev=0 }
global { locking_dir="${this.#directory}/lock" event_activation=0 use_lvmpolld=0 }
activation { udev_sync=0 udev_rules=0 monitoring=0 }
${lines}
`,
    );
  }

  lvs(): ThinStorage {
    return valueOrThrow(parseLvs(this.#run('lvs', ...LVS_ARGUMENTS)));
  }

  /** Rows lvs writes of volumes and pools with this name. */
  rowsOf(lv: string): number {
    const text = this.#run('lvs', ...LVS_ARGUMENTS);
    return text.split(`"lv_name":"${lv}"`).length - 1;
  }

  [Symbol.dispose](): void {
    this.#device.detach();
    rmSync(this.#directory, { recursive: true });
  }

  /** What makes LVM's programs look at this group and no other. */
  get environment(): Readonly<Record<string, string>> {
    return { LVM_SYSTEM_DIR: this.#directory, LVM_SUPPRESS_FD_WARNINGS: '1' };
  }

  #run(command: string, ...args: readonly string[]): string {
    return execFileSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

const segment = (index: number, start: number, extents: number, rest: string): string =>
  `segment${index} {\nstart_extent = ${start}\nextent_count = ${extents}\n${rest}\n}\n`;
const linear = (index: number, start: number, extents: number, at: number): string =>
  segment(index, start, extents, `type = "striped"\nstripe_count = 1\nstripes = ["pv0", ${at}]`);
const thin = (index: number, start: number, extents: number, rest: string): string =>
  segment(index, start, extents, `type = "thin"\nthin_pool = "pool"\n${rest}`);

function volume(name: string, id: number, segments: readonly string[], visible = true): string {
  const uuid = `${id}`.padStart(6, '0');
  return `${name} {
id = "${uuid}-0000-0000-0000-0000-0000-${uuid}"
status = ["READ", "WRITE"${visible ? ', "VISIBLE"' : ''}]
flags = []
creation_time = 1790000000
creation_host = "test"
segment_count = ${segments.length}
${segments.join('')}}
`;
}

/** Extents of 4 MiB: a pool of 16 MiB that promises 400 MiB, a snapshot of it, a plain volume. */
const LOGICAL_VOLUMES = [
  volume('pool', 1, [
    segment(
      1,
      0,
      4,
      'type = "thin-pool"\nmetadata = "pool_tmeta"\npool = "pool_tdata"\ntransaction_id = 2\n' +
        'chunk_size = 128\ndiscards = "passdown"\nzero_new_blocks = 1',
    ),
  ]),
  volume('web', 2, [thin(1, 0, 100, 'transaction_id = 0\ndevice_id = 1')]),
  volume('web-before', 3, [thin(1, 0, 100, 'transaction_id = 1\ndevice_id = 2\norigin = "web"')]),
  volume('thick', 4, [linear(1, 0, 1, 8), linear(2, 1, 1, 10)]),
  volume('lvol0_pmspare', 5, [linear(1, 0, 1, 5)], false),
  volume('pool_tmeta', 6, [linear(1, 0, 1, 4)], false),
  volume('pool_tdata', 7, [linear(1, 0, 2, 0), linear(2, 2, 2, 2)], false),
].join('');
