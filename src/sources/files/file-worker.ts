import { performBatch, type FileBatch, type FileAnswer } from './file-task.ts';

/**
 * A process which does nothing but file-system calls that may block, started by blocking-pool.ts.
 * It is single-threaded on purpose: when a call hangs, this process hangs, and nothing else.
 */

export interface WorkerRequest {
  readonly batch: FileBatch;
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  /** Still at it: some tasks of the batch are done. */
  | { readonly kind: 'progress' }
  | { readonly kind: 'done'; readonly answers: readonly FileAnswer[] };

const PROGRESS_EVERY_MS = 100;

function tell(message: WorkerMessage): void {
  process.send?.(message);
}

process.on('message', (request: WorkerRequest) => {
  let told = performance.now();
  const answers = performBatch(request.batch, () => {
    const now = performance.now();
    if (now - told < PROGRESS_EVERY_MS) return;
    told = now;
    tell({ kind: 'progress' });
  });
  tell({ kind: 'done', answers });
});

// The exporter went away, perhaps while this process was stuck.
process.on('disconnect', () => {
  process.exit();
});

tell({ kind: 'ready' });
