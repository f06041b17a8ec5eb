import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';

import type { LabDirectory } from './lab-directory.ts';

/**
 * Starts the process that cleans up when this one ends without `close()`. In a session of its own,
 * so that the Ctrl-C which ends us does not end it.
 *
 * @returns what lets it go once there is nothing left to clean up
 */
export function startReaper(directory: LabDirectory): () => void {
  const reaper = spawn(
    process.execPath,
    [join(import.meta.dirname, 'reaper.ts'), directory.root, directory.token],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    },
  );
  // Neither the child nor the pipe to it shall keep this process running.
  reaper.unref();
  if (reaper.stdin instanceof Socket) reaper.stdin.unref();
  reaper.stdin.on('error', () => undefined);
  return () => {
    reaper.stdin.destroy();
  };
}
