/**
 * What a guest does. `guest-init.sh` runs these, from boot on or on command.
 * - `spin`: burns `threads` CPUs.
 * - `touch`: holds `mib` of memory filled with a pattern: `same` is 256 distinct pages, repeated,
 *   equal in every guest (KSM can merge them), `zero` is the zero page, `unique` is random. A later
 *   touch of the same `slot` writes over the same guest pages, which parts merged pages again.
 * - `release`: gives a slot's memory back to the guest's kernel.
 * - `fill`: writes the first `mib` MiB of a disk in the background, `passes` times (0: for ever).
 * - `write`: the same once, done only when written.
 * - `disk`: one small write and read every `everyMs`, in the background.
 * - `traffic`: TCP to (`tx`) or from (`rx`) a peer, in the background; 0 KiB/s is as fast as it goes.
 * - `ping`: sends `count` echo requests, done when answered.
 * - `stop`: ends what `spin`, `fill`, `disk` or `traffic` started.
 * - `after`: runs another job some seconds later.
 * - `poweroff`: ends the guest.
 */
export type GuestJob =
  | { readonly kind: 'idle' }
  | { readonly kind: 'spin'; readonly threads: number }
  | {
      readonly kind: 'touch';
      readonly mib: number;
      readonly pattern: 'same' | 'zero' | 'unique';
      readonly slot?: number;
    }
  | { readonly kind: 'release'; readonly slot?: number }
  | {
      readonly kind: 'fill';
      readonly disk: string;
      readonly mib: number;
      readonly kibPerSecond?: number;
      readonly passes?: number;
    }
  | { readonly kind: 'write'; readonly disk: string; readonly mib: number }
  | { readonly kind: 'disk'; readonly disk: string; readonly everyMs: number }
  | {
      readonly kind: 'traffic';
      readonly direction: 'tx' | 'rx';
      readonly peer: string;
      readonly kibPerSecond?: number;
    }
  | { readonly kind: 'ping'; readonly peer: string; readonly count: number }
  | { readonly kind: 'stop'; readonly what: 'spin' | 'fill' | 'disk' | 'traffic' }
  | { readonly kind: 'after'; readonly seconds: number; readonly job: GuestJob }
  | { readonly kind: 'poweroff' };

/** The words `guest-init.sh` takes for a job. */
export function jobWords(job: GuestJob): readonly string[] {
  switch (job.kind) {
    case 'idle':
    case 'poweroff':
      return [job.kind];
    case 'spin':
      return ['spin', String(job.threads)];
    case 'touch':
      return ['touch', String(job.mib), job.pattern, String(job.slot ?? 0)];
    case 'release':
      return ['release', String(job.slot ?? 0)];
    case 'fill':
      return ['fill', job.disk, ...[job.mib, job.kibPerSecond ?? 0, job.passes ?? 1].map(String)];
    case 'write':
      return ['write', job.disk, String(job.mib)];
    case 'disk':
      return ['disk', job.disk, String(job.everyMs)];
    case 'traffic':
      return ['traffic', job.direction, job.peer, String(job.kibPerSecond ?? 0)];
    case 'ping':
      return ['ping', job.peer, String(job.count)];
    case 'stop':
      return ['stop', job.what];
    case 'after':
      return ['after', String(job.seconds), ...jobWords(job.job)];
  }
}

/** Jobs as one `lab.job=` word of the kernel command line. */
export function jobsOnCommandLine(jobs: readonly GuestJob[]): string {
  return jobs.map((job) => jobWords(job).join(':')).join(',');
}
