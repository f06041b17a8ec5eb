import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openLab, type Lab } from '../../lab/index.ts';
import { INSTANCE, MonitoringStack } from '../support/paging/monitoring-stack.ts';

/** Of a file system of about 119 MiB; 40 % of that must be left for the first warning. */
const BALLAST_MIB = 66;
/**
 * Slow enough that more than two hours pass, in fast-forward, before less than 20 % is left: one in which
 * it is seen to shrink without a stop, and one the warning waits.
 */
const RATE_KIB_PER_SECOND = 170;

describe('a guest fills its image on a small file system', () => {
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let stack: MonitoringStack;
  let mountpoint: string;
  let since: number;
  const ballast = () => join(mountpoint, 'iso-collection');

  beforeAll(async () => {
    lab = resources.use(await openLab());
    mountpoint = await lab.filesystem({ type: 'ext4', sizeMib: 128, name: 'images' });
    await lab.run('fallocate', ['-l', `${BALLAST_MIB}MiB`, ballast()], { network: 'host' });
    const disk = (sizeMib: number) => ({
      source: { kind: 'new' as const, format: 'qcow2' as const, sizeMib, directory: mountpoint },
    });
    await lab.startGuest({ name: 'bystander', os: 'none', disks: [disk(2)] });
    const writer = await lab.startGuest({ name: 'writer', disks: [disk(96)] });
    await writer.waitFor('lab: started');
    stack = resources.use(await MonitoringStack.start(lab));
    since = Date.now() / 1000;
    await writer.command({
      kind: 'fill',
      disk: 'vda',
      mib: 96,
      kibPerSecond: RATE_KIB_PER_SECOND,
    });
  });

  afterAll(() => resources.disposeAsync());

  it('warns hours, which are minutes here, before it is full, and names the writer', async () => {
    const { pager } = stack;
    const labels = { instance: INSTANCE, cluster: 'lab', mountpoint };
    const page = await pager.expectPage({
      alertname: 'KvmFilesystemFillingUp',
      severity: 'warning',
      labels,
    });
    expect(page.annotations['description']).toContain('Writing most: writer');
    expect(await lab.guest('writer').state()).toContain('running');
  });

  it('pages minutes, which are seconds here, before it is full', async () => {
    const { pager } = stack;
    const labels = { instance: INSTANCE, mountpoint };
    const page = await pager.expectPage({
      alertname: 'KvmFilesystemFullImminent',
      severity: 'critical',
      labels,
    });
    expect(page.annotations['description']).toContain('Writing most: writer');
    expect(await lab.guest('writer').state()).toContain('running');
  });

  it('pages when QEMU has paused the writer: once, for the filesystem, with its name', async () => {
    await lab.guest('writer').waitForState('paused (I/O error)');
    const { pager } = stack;
    const full = {
      alertname: 'KvmFilesystemFull',
      severity: 'critical',
      labels: { instance: INSTANCE, mountpoint },
    } as const;
    const page = await pager.expectPage(full);
    // It may be full for longer than the page waits, here a second, before QEMU wants a new cluster.
    await pager.expectDescription(full, /Paused: writer\./);
    expect(page.annotations['summary']).toBeDefined();
    expect(page.annotations['runbook_url']).toContain('KvmFilesystemFull');
    expect(await pager.fired('alertname="KvmGuestPausedOnIoError"', since)).toEqual([]);
  });

  it('leaves the guest alone that shares the file system', async () => {
    // With nothing to boot it has no balloon driver, which is told of it wherever it lies. KSM is the host's:
    // another lab may have turned it on.
    const others = 'domain="bystander",alertname!~"KvmBalloonStatsStale|KvmKsm.+"';
    expect(await stack.pager.fired(others, since)).toEqual([]);
  });

  it('is over once there is room and the guest goes on', async () => {
    const writer = lab.guest('writer');
    rmSync(ballast());
    await writer.resume();
    await writer.command({ kind: 'stop', what: 'fill' });
    const { pager } = stack;
    const full = { alertname: 'KvmFilesystemFull', labels: { mountpoint } };
    await pager.expectResolved({ ...full, severity: 'critical' });
    const lasting = 'KvmFilesystemOverPromised|KvmStorageRunOnTheBank';
    await pager.expectSilence(
      `alertname=~"KvmFilesystem.*|KvmStorage.*|KvmGuestPaused.*",alertname!~"${lasting}"`,
    );
  });
});
