import { execFileSync, spawnSync } from 'node:child_process';
import { z } from 'zod';

/** Passphrase of the encrypted images made here. */
const SECRET = ['--object', 'secret,id=key,data=passphrase'];

/** QEMU times its key derivation before it makes a LUKS key, which fails on a busy machine. */
const BUSY = 'Unable to get accurate CPU usage';
const TRIES = 10;

export function qemuImg(...args: readonly string[]): string {
  for (let tries = 1; ; tries += 1) {
    const run = spawnSync('qemu-img', args, { encoding: 'utf8' });
    if (run.status === 0) return run.stdout;
    if (tries === TRIES || !run.stderr.includes(BUSY)) {
      throw new Error(`qemu-img ${args.join(' ')}: ${run.stderr}`);
    }
  }
}

/** Makes an image. `options` go to -o; a size of `undefined` takes that of the backing file. */
export function createImage(
  path: string,
  format: string,
  sizeBytes: number | undefined,
  options: readonly string[] = [],
): void {
  const o = options.length === 0 ? [] : ['-o', options.join(',')];
  const size = sizeBytes === undefined ? [] : [String(sizeBytes)];
  qemuImg('create', '-q', ...SECRET, '-f', format, ...o, path, ...size);
}

const infoSchema = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'actual-size': z.number(),
  'cluster-size': z.number().optional(),
  'dirty-flag': z.boolean(),
  encrypted: z.boolean().optional(),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  'backing-filename-format': z.string().optional(),
  snapshots: z.array(z.unknown()).optional(),
  'format-specific': z
    .object({
      data: z.object({
        compat: z.string().optional(),
        'compression-type': z.string().optional(),
        'lazy-refcounts': z.boolean().optional(),
        'refcount-bits': z.number().optional(),
        corrupt: z.boolean().optional(),
        'extended-l2': z.boolean().optional(),
        'data-file': z.string().optional(),
        'data-file-raw': z.boolean().optional(),
        bitmaps: z.array(z.unknown()).optional(),
        encrypt: z.object({ format: z.string() }).optional(),
      }),
    })
    .optional(),
});

export type ImageInfo = z.infer<typeof infoSchema>;

/** Without a format where the path is a `json:` name that says it. */
export function imageInfo(path: string, format: string | undefined): ImageInfo {
  const f = format === undefined ? [] : ['-f', format];
  return infoSchema.parse(JSON.parse(qemuImg('info', '--output=json', ...f, path)));
}

export function fullyAllocatedBytes(sizeBytes: number, options: readonly string[]): number {
  const o = options.length === 0 ? [] : ['-o', options.join(',')];
  const size = ['--size', String(sizeBytes)];
  const output = qemuImg('measure', '--output=json', ...SECRET, '-O', 'qcow2', ...o, ...size);
  return z.object({ 'fully-allocated': z.number() }).parse(JSON.parse(output))['fully-allocated'];
}

/** Runs commands of qemu-io on an image, e.g. `write 0 1M`. */
export function qemuIo(path: string, format: string, ...commands: readonly string[]): void {
  const c = commands.flatMap((command) => ['-c', command]);
  execFileSync('qemu-io', ['-f', format, ...c, path], { stdio: ['ignore', 'pipe', 'pipe'] });
}
