/**
 * Waits for a lab's owner to end and cleans up after it, however it ended: its standard input is a
 * pipe whose other end only the owner holds, and the kernel closes that even after SIGKILL.
 * Usage: reaper.ts LAB_DIRECTORY TOKEN
 */
import { undo } from './journal.ts';

const [labDirectory, token] = process.argv.slice(2);
if (labDirectory === undefined || token === undefined) {
  throw new Error('usage: reaper.ts LAB_DIRECTORY TOKEN');
}

process.stdin.resume();
process.stdin.on('close', () => {
  void undo(labDirectory, token).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
});
