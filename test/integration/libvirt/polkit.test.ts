import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { run } from '../../../lab/command.ts';
import { eventually } from '../../../lab/polling.ts';
import { scrape } from '../../support/scrape.ts';
import { startExporter, startExporterThrough } from '../process/exporter-process.ts';
import { asNobodyWith } from '../process/rights.ts';
import { polkitd, SYSTEM_BUS } from './polkit.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';

/**
 * Another user, as of whom the daemon asks polkit. The capability lets it read a checkout in root's
 * home; to libvirt it means nothing.
 */
const AS_NOBODY = asNobodyWith('dac_read_search');

async function openAsNobody(uri: string): Promise<unknown> {
  const [setpriv = '', ...flags] = AS_NOBODY;
  const script = join(import.meta.dirname, 'tell-how-it-opens.ts');
  return JSON.parse(await run(setpriv, [...flags, process.execPath, script, uri]));
}

async function daemonAskingPolkit(...before: readonly string[]): Promise<PrivateDaemon> {
  return PrivateDaemon.start({ readOnlyAuth: 'polkit', before });
}

describe('a libvirtd that asks polkit, as Debian sets it up', () => {
  it("lets any user in under Debian's policy, and the exporter with it", async () => {
    await using daemon = await daemonAskingPolkit(...SYSTEM_BUS, ...polkitd());
    expect(await openAsNobody(daemon.uri)).toEqual({ type: 'TEST' });

    await using exporter = await startExporterThrough(AS_NOBODY, `--libvirt.uri=${daemon.uri}`);
    await eventually(
      'it is connected',
      20_000,
      () => isUp(exporter),
      () => exporter.log,
    );
    expect((await scrape(exporter)).has('kvm_domain_info', { domain: 'test' })).toBe(true);
  });

  it('does not ask it about root', async () => {
    await using daemon = await daemonAskingPolkit();
    await using exporter = await startExporter(`--libvirt.uri=${daemon.uri}`);
    await eventually(
      'it is connected',
      20_000,
      () => isUp(exporter),
      () => exporter.log,
    );
  });

  it.each([
    ['nothing runs that could answer', []],
    ['polkitd is missing', SYSTEM_BUS],
    [
      "an administrator's rule says no",
      [...SYSTEM_BUS, ...polkitd('polkit.addRule(function () { return polkit.Result.NO; });')],
    ],
  ])('when %s: a typed error, and a log line that says what to do', async (_, before) => {
    await using daemon = await daemonAskingPolkit(...before);
    const told = await openAsNobody(daemon.uri);
    expect(told).toMatchObject({ kind: 'auth', isAuthError: true });
    const advice = /Run polkitd and allow org\.libvirt\.unix\.monitor .* auth_unix_ro = /;
    expect(told).toHaveProperty('message', expect.stringMatching(advice));

    await using exporter = await startExporterThrough(AS_NOBODY, `--libvirt.uri=${daemon.uri}`);
    const line = await eventually(
      'the log says why there is no connection',
      10_000,
      () => exporter.log.split('\n').find((one) => one.includes('no connection to libvirt')),
      () => exporter.log,
    );
    expect(line).toMatch(/Run polkitd and allow org\.libvirt\.unix\.monitor/);
    const scraped = await scrape(exporter);
    expect(scraped.value('kvm_libvirt_up')).toBe(0);
    expect(scraped.has('kvm_host_memory_size_bytes')).toBe(true);
  });
});

async function isUp(exporter: { readonly url: string }): Promise<boolean> {
  return (await scrape(exporter)).value('kvm_libvirt_up') === 1;
}
