import { parentPort } from 'node:worker_threads';

import { compareSync } from 'bcryptjs';

import type { PasswordCheck, PasswordResult } from './password-thread.ts';

/**
 * Checks passwords on a thread of its own, one after the other: each takes up to seconds of
 * computing, and the event loop has scrapes to answer.
 */
parentPort?.on('message', ({ id, password, hash, padding }: PasswordCheck) => {
  const matches = compareSync(password, hash);
  for (const other of padding) compareSync(password, other);
  const result: PasswordResult = { id, matches };
  parentPort?.postMessage(result);
});
