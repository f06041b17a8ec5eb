import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually, openLab, type Lab, type LabProcess } from '../../lab/index.ts';
import { statusBytes } from '../support/process-readings.ts';
import type { Exposition } from '../support/prometheus-text.ts';
import { scrape, scrapeWhileSteady } from '../support/scrape.ts';

const VICTIM = 'victim';
const NOBODY = '65534';
/** Far more than a guest with nothing to boot holds. */
const FORGED_MIB = 256;

/**
 * Any user of a host can start QEMU with another guest's name and UUID. The figures of that guest are
 * those of the process libvirt started, whichever is the younger.
 */
describe("a process of another user that calls itself a guest's QEMU", () => {
  let lab: Lab;
  let uuid: string;
  let forged: LabProcess;

  beforeAll(async () => {
    lab = await openLab();
    await lab.startGuests(
      [VICTIM, 'bystander'].map((name) => ({ name, os: 'none' as const, paused: true })),
    );
    uuid = (await lab.virsh('domuuid', VICTIM)).trim();
  });

  afterAll(() => lab.close());

  it('changes no figure while the exporter runs, and none after its restart', async () => {
    const real = lab.qemuPid(VICTIM);
    const first = await lab.exporter();
    await known(first);
    const before = await scrape(first);
    const guestsBefore = seriesOfGuests(before);

    forged = await forge(lab, uuid);
    expect(seriesOfGuests(await expectReal(first, real))).toEqual(guestsBefore);
    await first.process.stop('SIGTERM');

    const second = await lab.exporter();
    await known(second);
    const after = await expectReal(second, real);
    expect(seriesOfGuests(after)).toEqual(guestsBefore);
    const promised = ['kvm_memory_promised_bytes', { class: 'anonymous' }] as const;
    expect(after.value(...promised)).toBe(before.value(...promised));
    expect(forged.isRunning()).toBe(true);
    await second.process.stop('SIGTERM');
  });
});

/** Debian's own QEMU, as anybody can start it. */
async function forge(lab: Lab, uuid: string): Promise<LabProcess> {
  const started = await lab.spawn('setpriv', [
    ...['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', 'qemu-system-x86_64'],
    ...['-name', `guest=${VICTIM},debug-threads=on`, '-uuid', uuid, '-S'],
    ...['-accel', 'tcg', '-nodefaults', '-display', 'none', '-smp', '2'],
    ...['-m', `${FORGED_MIB}`, '-mem-prealloc'],
  ]);
  await eventually('the forged QEMU holds its memory', 30_000, () => {
    const comm = readFileSync(`/proc/${started.pid}/comm`, 'utf8').trim();
    return comm.startsWith('qemu') && statusBytes(started.pid, 'RssAnon') > FORGED_MIB * 2 ** 19;
  });
  return started;
}

async function known(exporter: { readonly url: string }): Promise<void> {
  await eventually('both guests are known with their processes', 30_000, async () => {
    const scraped = await scrape(exporter);
    return [VICTIM, 'bystander'].every((domain) =>
      scraped.has('kvm_domain_resident_bytes', { domain, kind: 'anonymous' }),
    );
  });
}

/** The figures are those of this process, to the byte. */
async function expectReal(exporter: { readonly url: string }, pid: number): Promise<Exposition> {
  const { reading, scraped } = await scrapeWhileSteady(exporter, () => statusBytes(pid, 'RssAnon'));
  const labels = { domain: VICTIM, kind: 'anonymous' };
  expect(scraped.value('kvm_domain_resident_bytes', labels)).toBe(reading);
  return scraped;
}

/** Which figures the guests have: a figure lost is as bad as a wrong one. */
function seriesOfGuests(scraped: Exposition): readonly string[] {
  return scraped.samples
    .filter(({ labels }) => labels['domain'] !== undefined)
    .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
    .toSorted();
}
