import type { DeadlineFileReader } from '../kernel/deadline-file.ts';
import { readKernelInteger, readRawKernelFile } from '../kernel/kernel-file.ts';
import { lineDecimal, lineField, lineText } from '../kernel/kernel-scan.ts';
import { parseSignedDecimal } from '../kernel/kernel-text.ts';
import { readProcessStat } from './stat.ts';
import { LIMIT_TTL_MS } from '../../runtime/cached-reading.ts';
import type { Deadline } from '../../runtime/deadline.ts';
import { failed, Faults, found, isAbsence, toValue, type Result } from '../../runtime/result.ts';
import type { Roots } from '../kernel/roots.ts';
import type { ProcessKsm } from '../../model/process.ts';
import type { QemuProcess } from './qemu-processes.ts';

/** A pid alone may be another process's later. */
type ProcessOfOneStart = Pick<QemuProcess, 'pid' | 'startTimeTicks'>;

interface RestingProcess {
  readonly startTimeTicks: number;
  readonly ksm: ProcessKsm;
  readonly seenAt: number;
  /** What ksmd had scanned in all before this was read. */
  readonly pagesScanned: number;
}

/**
 * Reads `/proc/<pid>/ksm_stat`, and `/proc/<pid>/ksm_merging_pages` where that lacks the pages.
 * Both are mode 0400: `denied` without CAP_DAC_READ_SEARCH. Kernels which show `ksm_mergeable` (6.15 and newer) take
 * the process's mmap lock for it and so can wait for a stuck process: there the file is read off the
 * event loop under a deadline. Keep one instance per exporter.
 *
 * While ksmd has scanned nothing, a process it has nothing of keeps its zeros (mm/ksm.c: the scan alone adds items,
 * merges and zero pages); only whether it may be merged can change. So it is asked every LIMIT_TTL_MS, not at each
 * collection. Kernels before 6.6 do not count the scanned pages, and have no lock to spare.
 */
export class ProcessKsmReader {
  readonly #roots: Roots;
  readonly #files: DeadlineFileReader;
  /** Undefined until it was found out by a look at our own ksm_stat. */
  #takesLock: boolean | undefined;
  /** In all, while ksmd is stopped; undefined while it is not, or where the kernel does not say. */
  #pagesScanned: number | undefined;
  readonly #resting = new Map<number, RestingProcess>();

  constructor(roots: Roots, files: DeadlineFileReader) {
    this.#roots = roots;
    this.#files = files;
  }

  /**
   * Call at the start of each collection: sees whether ksmd scans or has scanned, and drops all other
   * processes.
   */
  startCollection(pids: ReadonlySet<number>): void {
    const directory = `${this.#roots.sysfs}/kernel/mm/ksm`;
    // In this order: whoever stops ksmd waits until it has counted what it scans (ksm_thread_mutex).
    const isStopped = toValue(readKernelInteger(`${directory}/run`)) === STOPPED;
    this.#pagesScanned = isStopped
      ? toValue(readKernelInteger(`${directory}/pages_scanned`))
      : undefined;
    for (const pid of this.#resting.keys()) if (!pids.has(pid)) this.#resting.delete(pid);
  }

  /**
   * `absent` when the process is gone, has no address space, or the kernel has no KSM. After a
   * missed deadline the merged pages alone are given, which can be had without the lock.
   */
  async read(
    { pid, startTimeTicks }: ProcessOfOneStart,
    deadline: Deadline,
  ): Promise<Result<ProcessKsm>> {
    const seenAt = performance.now();
    const pagesScanned = this.#pagesScanned;
    const resting = this.#resting.get(pid);
    if (
      resting?.startTimeTicks === startTimeTicks &&
      resting.pagesScanned === pagesScanned &&
      seenAt - resting.seenAt < LIMIT_TTL_MS
    ) {
      return found(resting.ksm);
    }
    this.#resting.delete(pid);
    const reading = await this.#readFiles(pid, deadline);
    const isWhole = reading.ok && reading.faults === undefined;
    if (pagesScanned !== undefined && isWhole && hasNothing(reading.value)) {
      this.#resting.set(pid, { startTimeTicks, ksm: reading.value, seenAt, pagesScanned });
    }
    return reading;
  }

  async #readFiles(pid: number, deadline: Deadline): Promise<Result<ProcessKsm>> {
    const path = `${this.#roots.procfs}/${pid}/ksm_stat`;
    const text = this.#lockTaken()
      ? await this.#files.read(path, deadline)
      : readRawKernelFile(path);
    if (!text.ok && text.error.kind === 'denied') return text;
    const parsed = text.ok ? parseProcessKsm(text.value, path) : text;
    if (text.ok && text.value === '' && this.#hasMemory(pid)) {
      return failed('malformed', path, 'empty');
    }
    if (parsed.ok && parsed.value.mergingPages !== undefined) return parsed;

    const mergingPages = readKernelInteger(`${this.#roots.procfs}/${pid}/ksm_merging_pages`);
    if (!mergingPages.ok) {
      return parsed.ok || isAbsence(mergingPages.error) ? parsed : mergingPages;
    }
    const faults = new Faults();
    const known = faults.optional(parsed) ?? NOTHING_KNOWN;
    return faults.found({ ...known, mergingPages: mergingPages.value });
  }

  /** It does have an address space: no zombie, no kernel thread, not on its way out. */
  #hasMemory(pid: number): boolean {
    const stat = readProcessStat(this.#roots, pid);
    return stat.ok && stat.value.virtualBytes > 0;
  }

  #lockTaken(): boolean {
    if (this.#takesLock === undefined) {
      const own = readRawKernelFile(`${this.#roots.procfs}/self/ksm_stat`);
      // Where that cannot be told now, waiting off the event loop is right either way.
      if (!own.ok && !isAbsence(own.error)) return true;
      this.#takesLock = own.ok && own.value.includes('ksm_mergeable');
    }
    return this.#takesLock;
  }
}

/** `run` of /sys/kernel/mm/ksm (KSM_RUN_STOP); 2 is stopped as well, but undoes what was merged first. */
const STOPPED = 0;

/** Neither rmap items nor merged or zero pages. */
function hasNothing({ rmapItems, mergingPages, zeroPages }: ProcessKsm): boolean {
  return rmapItems === 0 && mergingPages === 0 && (zeroPages ?? 0) === 0;
}

const NOTHING_KNOWN: ProcessKsm = {
  rmapItems: undefined,
  zeroPages: undefined,
  mergingPages: undefined,
  profitBytes: undefined,
  mergeAny: undefined,
  mergeable: undefined,
};

/** Both syntaxes at once: `ksm_rmap_items 12` and `ksm_mergeable: yes`. */
export function parseProcessKsm(text: string, subject: string): Result<ProcessKsm> {
  if (text === '') return failed('absent', subject, 'no address space: a zombie or kernel thread');
  const faults = new Faults();
  const number = (key: string): number | undefined =>
    lineField(text, key, lineDecimal, faults, subject);
  const yesNo = (key: string): boolean | undefined =>
    faults.field(lineText(text, key), parseYesNo, subject, key);
  const rmapItems = number('ksm_rmap_items');
  const mergingPages = number('ksm_merging_pages');
  if (rmapItems === undefined && mergingPages === undefined) {
    return failed('malformed', subject, 'neither ksm_rmap_items nor ksm_merging_pages');
  }
  return faults.found({
    rmapItems,
    zeroPages: number('ksm_zero_pages'),
    mergingPages,
    profitBytes: faults.field(
      lineText(text, 'ksm_process_profit'),
      parseSignedDecimal,
      subject,
      'ksm_process_profit',
    ),
    mergeAny: yesNo('ksm_merge_any'),
    mergeable: yesNo('ksm_mergeable'),
  });
}

function parseYesNo(text: string | undefined): boolean | undefined {
  if (text === 'yes') return true;
  return text === 'no' ? false : undefined;
}
