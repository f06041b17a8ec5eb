/**
 * For tests that need other rights than their own: prints, as JSON, which readings of the process
 * and of the file given as arguments succeed.
 */
import { stat } from 'node:fs/promises';

import { Deadline } from '../../../src/runtime/deadline.ts';
import { DeadlineFileReader } from '../../../src/sources/kernel/deadline-file.ts';
import { ProcessKsmReader } from '../../../src/sources/process/ksm.ts';
import { readSmapsRollup } from '../../../src/sources/process/smaps-rollup.ts';

const [pid, file = ''] = process.argv.slice(2);
const roots = { procfs: '/proc', sysfs: '/sys', rootfs: '' };
const files = new DeadlineFileReader();
const ksm = await new ProcessKsmReader(roots, files).read(
  { pid: Number(pid), startTimeTicks: 0 },
  Deadline.in(10_000),
);
const smaps = await readSmapsRollup(roots, Number(pid), files, Deadline.in(10_000));
const image = await stat(file).then(
  () => true,
  () => false,
);
process.stdout.write(JSON.stringify({ ksm: ksm.ok, smaps: smaps.ok, image }));
