import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openLab, type Lab } from '../../lab/index.ts';
import { INSTANCE, MonitoringStack } from '../support/paging/monitoring-stack.ts';

const MIB = 1024 * 1024;

describe('guests and a daemon that do not do as they are told', () => {
  const resources = new AsyncDisposableStack();
  let lab: Lab;
  let stack: MonitoringStack;

  beforeAll(async () => {
    lab = resources.use(await openLab());
    await lab.startGuests([
      { name: 'giver', memoryMib: 256 },
      { name: 'frozen', os: 'none' },
      { name: 'healthy', os: 'none' },
    ]);
    await lab.waitFor('giver', 'lab: started');
    stack = resources.use(await MonitoringStack.start(lab));
  });

  afterAll(() => resources.disposeAsync());

  describe('a balloon is inflated beyond what the guest can give', () => {
    let since: number;

    it('warns that the balloon squeezes that guest, which has given all it could', async () => {
      since = Date.now() / 1000;
      const giver = lab.guest('giver');
      // It needs 128 MiB for this and some 50 for itself, and is told to have 96 in all.
      await giver.command({ kind: 'touch', mib: 128, pattern: 'unique' });
      await lab.virsh('setmem', 'giver', '96M', '--live');
      const page = await stack.pager.expectPage({
        alertname: 'KvmBalloonSqueezesGuest',
        severity: 'warning',
        labels: { instance: INSTANCE, cluster: 'lab', domain: 'giver' },
      });
      expect(page.annotations['description']).toContain('giver on kvm-lab has');
      const has = await stack.prometheus.query('kvm_domain_balloon_current_bytes{domain="giver"}');
      expect(has[0]?.value).toBeGreaterThan(128 * MIB);
    });

    it('is over when the guest gets its memory back', async () => {
      await lab.virsh('setmem', 'giver', '256M', '--live');
      const squeezed = { alertname: 'KvmBalloonSqueezesGuest', labels: { domain: 'giver' } };
      await stack.pager.expectResolved({ ...squeezed, severity: 'warning' });
      const others = 'alertname=~"Kvm(BalloonSqueezes|GuestOutOf|GuestThrash).*",domain!="giver"';
      expect(await stack.pager.fired(others, since)).toEqual([]);
    });
  });

  describe('a QEMU process is stopped', () => {
    let since: number;

    it('pages that it does not answer, with its name alone', async () => {
      since = Date.now() / 1000;
      lab.pause(lab.qemuPid('frozen'));
      const page = await stack.pager.expectPage({
        alertname: 'KvmGuestMonitorUnresponsive',
        severity: 'critical',
        labels: { instance: INSTANCE, cluster: 'lab', domain: 'frozen' },
      });
      expect(page.annotations['description']).toContain('Known not to answer there: 1 (frozen).');
    });

    it('is over when it goes on, and nothing was said of the others', async () => {
      lab.resume(lab.qemuPid('frozen'));
      const unresponsive = {
        alertname: 'KvmGuestMonitorUnresponsive',
        labels: { domain: 'frozen' },
      };
      await stack.pager.expectResolved({ ...unresponsive, severity: 'critical' });
      const others = 'domain=~"giver|healthy",alertname=~"Kvm(GuestMon|GuestCrash).*"';
      expect(await stack.pager.fired(others, since)).toEqual([]);
      // With nothing to boot, "healthy" has no balloon driver, and that is told of it.
      expect(await stack.pager.fired('domain="giver",alertname=~"KvmBalloon.*"', since)).toEqual(
        [],
      );
      expect(await stack.pager.fired('alertname=~"KvmExporter.*"', since)).toEqual([]);
    });
  });

  describe('libvirtd is killed', () => {
    it('pages, and names the guests nobody can reach', async () => {
      await lab.killDaemon('SIGKILL');
      const page = await stack.pager.expectPage({
        alertname: 'KvmLibvirtDown',
        severity: 'critical',
        labels: { instance: INSTANCE, cluster: 'lab' },
      });
      expect(page.labels['domain']).toBeUndefined();
      expect(page.annotations['description']).toContain('frozen, giver, healthy');
    });

    it('is over when libvirtd runs again, and no guest was reported as gone', async () => {
      const since = Date.now() / 1000;
      await lab.startDaemon();
      const down = { alertname: 'KvmLibvirtDown', severity: 'critical' } as const;
      await stack.pager.expectResolved(down);
      const guests = 'alertname=~"KvmGuest(Crashed|MonitorUnresponsive|PausedOnIoError)"';
      expect(await stack.pager.fired(guests, since)).toEqual([]);
    });
  });
});
