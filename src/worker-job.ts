/**
 * A program of one file starts itself for its workers too, as there is no other file to start; this
 * variable says what for. It is read at the entry, before anything else is loaded.
 */
export const WORKER_JOB = 'KVM_EXPORTER_WORKER';
export const FILE_JOB = 'file';

/** Whether this process is to be the worker for files: told so by a parent that listens. */
export function isFileWorker(): boolean {
  return process.env[WORKER_JOB] === FILE_JOB && process.send !== undefined;
}
