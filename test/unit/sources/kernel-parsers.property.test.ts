import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  parseCfsQuota,
  parseCpuMax,
  parseThrottling,
} from '../../../src/sources/cgroup/bandwidth.ts';
import { parseIoStat, parseThrottleFiles } from '../../../src/sources/cgroup/io.ts';
import { parseMemoryLimit } from '../../../src/sources/cgroup/memory.ts';
import {
  parseCgroupMounts,
  parseGuestCgroup,
  readCgroupMounts,
} from '../../../src/sources/cgroup/cgroup.ts';
import { parseCpuList } from '../../../src/model/facts/cpu-list.ts';
import { parseCpuTime } from '../../../src/sources/kernel/cpu-time.ts';
import { lineText, scanIntegers } from '../../../src/sources/kernel/kernel-scan.ts';
import {
  parseChoice,
  parseKeyedLines,
  unescapeOctal,
} from '../../../src/sources/kernel/kernel-text.ts';
import { parseKsm } from '../../../src/sources/host/ksm.ts';
import { parseLoadAverage } from '../../../src/sources/host/load-average.ts';
import { parseMeminfo } from '../../../src/sources/host/meminfo.ts';
import { parseNodeMeminfo, parseNumastat } from '../../../src/sources/host/numa.ts';
import { parsePageSize } from '../../../src/sources/kernel/page-size.ts';
import { parsePressure } from '../../../src/sources/host/pressure.ts';
import { parseProcessKsm } from '../../../src/sources/process/ksm.ts';
import { parseLegacyNumaStat, parseUnifiedNumaStat } from '../../../src/sources/process/numa.ts';
import { parseProcessStat } from '../../../src/sources/process/stat.ts';
import { parseProcessStatus } from '../../../src/sources/process/status.ts';
import { parseSchedstat, threadRole } from '../../../src/sources/process/threads.ts';
import { parseQemuCommandLine } from '../../../src/sources/process/qemu-processes.ts';
import type { Result } from '../../../src/runtime/result.ts';
import { parseSmapsRollup } from '../../../src/sources/process/smaps-rollup.ts';
import { parseSwaps, parseZramUsage } from '../../../src/sources/host/swap.ts';
import { parseVmstat } from '../../../src/sources/host/vmstat.ts';
import { cgroupHost, HOST, valueIn } from '../../support/sources/kernel-fixtures.ts';

const V1 = cgroupHost('cgroup-v1');
const V2 = cgroupHost('cgroup-v2');
const HYBRID = cgroupHost('cgroup-hybrid');
const MOUNTS = valueIn(readCgroupMounts(HYBRID));
const SCOPE = `${V2.sysfs}/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope`;
const V1_MEMORY = `${V1.sysfs}/fs/cgroup/memory/machine/qemu-3-db.libvirt-qemu`;

/** Each parser which can fail, and a file of the form it expects. */
const PARSERS: readonly (readonly [string, (text: string) => Result<unknown>])[] = [
  [`${HOST.procfs}/meminfo`, (text) => parseMeminfo(text, 's')],
  [`${HOST.procfs}/vmstat`, (text) => parseVmstat(text, 's')],
  [`${HOST.procfs}/stat`, (text) => parseCpuTime(text, 's')],
  [`${HOST.procfs}/loadavg`, (text) => parseLoadAverage(text, 's')],
  [`${HOST.procfs}/pressure/memory`, (text) => parsePressure(text, 's')],
  [`${HOST.procfs}/swaps`, (text) => parseSwaps(text, 's')],
  [`${HOST.sysfs}/devices/system/cpu/online`, (text) => parseCpuList(text, 's')],
  [`${HOST.sysfs}/devices/system/node/node1/meminfo`, (text) => parseNodeMeminfo(text, 's')],
  [`${HOST.procfs}/4242/stat`, (text) => parseProcessStat(text, 's')],
  [`${HOST.procfs}/4242/status`, (text) => parseProcessStatus(text, 's')],
  [`${HOST.procfs}/4242/ksm_stat`, (text) => parseProcessKsm(text, 's')],
  [`${HOST.procfs}/4242/smaps_rollup`, (text) => parseSmapsRollup(text, 's')],
  [`${HOST.procfs}/4242/task/4246/schedstat`, (text) => parseSchedstat(text, 's')],
  [`${HYBRID.procfs}/4242/cgroup`, (text) => parseGuestCgroup(text, MOUNTS, 's')],
  [`${HYBRID.procfs}/self/mountinfo`, (text) => parseCgroupMounts(text, HYBRID, 's')],
  [`${SCOPE}/memory.numa_stat`, (text) => parseUnifiedNumaStat(text, 's')],
  [`${V1_MEMORY}/memory.numa_stat`, (text) => parseLegacyNumaStat(text, 4096, 's')],
];

/** What a damaged, cut or foreign file may hold; digits and separators get past the first checks. */
const noise = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      ...'0 1 2 9 : = , - ( ) / . ^ kB N max'.split(' '),
      ' ',
      '\t',
      '\n',
      '\0',
    ),
    maxLength: 200,
  }),
);

function damaged(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(text.length), fc.nat(40), noise)
    .map(([at, cut, inserted]) => text.slice(0, at) + inserted + text.slice(at + cut));
}

describe.each(PARSERS)('the parser of %s', (path, parse) => {
  const text = readFileSync(path, 'utf8');

  it('understands the file as it is', () => {
    expect(parse(text).ok).toBe(true);
  });

  it('gives a value or a typed failure for anything else, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(text), noise), (input) => {
        const reading = parse(input);
        if (!reading.ok) {
          expect(['malformed', 'absent', 'unsupported']).toContain(reading.error.kind);
          expect(reading.error.detail).not.toBe('');
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does the same for the file cut at any point', () => {
    const step = Math.max(1, Math.floor(text.length / 200));
    for (let end = 0; end < text.length; end += step) {
      expect(() => parse(text.slice(0, end))).not.toThrow();
    }
  });
});

describe('the parsers of single values', () => {
  it('give a value or undefined for anything, and never throw', () => {
    fc.assert(
      fc.property(noise, noise, fc.uint8Array({ maxLength: 64 }), (text, other, bytes) => {
        parseCpuMax(text);
        parseThrottling(text);
        lineText(text, other);
        scanIntegers(text, 0, new Float64Array(8));
        parseCfsQuota(text, other);
        parseMemoryLimit(text);
        parseIoStat(text);
        parseThrottleFiles(text, other);
        parseZramUsage(text);
        parseNumastat(text);
        parseQemuCommandLine(`qemu\0-name\0${text}\0-uuid\0${other}\0`);
        threadRole(text, 1, 2);
        parseChoice(text);
        parseKeyedLines(text);
        unescapeOctal(text);
        expect(parsePageSize(bytes, 's').ok).toBeTypeOf('boolean');
        expect(
          parseKsm(
            new Map([
              ['run', text],
              ['advisor_mode', other],
            ]),
            's',
          ).ok,
        ).toBeTypeOf('boolean');
      }),
      { numRuns: 500 },
    );
  });
});
