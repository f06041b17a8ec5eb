/**
 * Waits for a lab's owner to end and cleans up after it, however it ended: its standard input is a
 * pipe whose other end only the owner holds, and the kernel closes that even after SIGKILL.
 * Usage: reaper.ts LAB_DIRECTORY
 */
import { undo } from './journal.ts';

const labDirectory = process.argv[2];
if (labDirectory === undefined) throw new Error('usage: reaper.ts LAB_DIRECTORY');

process.stdin.resume();
process.stdin.on('close', () => {
  void undo(labDirectory).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
});
