import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { eventually } from '../../../lab/polling.ts';
import { get } from '../../support/http.ts';
import { Exposition } from '../../support/prometheus-text.ts';
import { startExporterThrough, type ExporterProcess } from '../process/exporter-process.ts';
import { PrivateDaemon } from '../../support/libvirt/private-daemon.ts';

/** Without a QEMU to start the daemon need not ask each what it can do, which takes some 15 s. */
const WITHOUT_QEMU = [
  'for qemu in /usr/bin/qemu-system-*; do mount --bind /dev/null "$(readlink -f "$qemu")"; done',
];

/**
 * Debian 12 has no virtqemud. To a client it is a daemon with QEMU's driver on another socket, so a
 * libvirtd that is given that socket by a service manager stands in for it.
 */
describe('a modular daemon', () => {
  /** What the exporter sees as /run/libvirt. */
  let run: string;
  const activated = (name: string, idleSeconds = 60) =>
    PrivateDaemon.start({ activatedBy: join(run, name), before: WITHOUT_QEMU, idleSeconds });
  const virtqemud = () => activated('virtqemud-sock-ro');

  beforeEach(async () => {
    run = await mkdtemp(join(tmpdir(), 'run-libvirt-'));
  });

  afterEach(async () => {
    await rm(run, { recursive: true });
  });

  /** The exporter with its default URI, on a host whose /run/libvirt is `run`. */
  const exporterOnHost = (): Promise<ExporterProcess> => {
    const script =
      'mount -t tmpfs none /run; mkdir /run/libvirt; mount --bind "$1" /run/libvirt; shift; exec "$@"';
    return startExporterThrough(['unshare', '--mount', 'sh', '-ec', script, 'sh', run]);
  };

  it('is found by its socket alone, and started by the first connection to it', async () => {
    await using daemon = await virtqemud();
    expect(await daemon.program()).toBe('systemd-socket-');
    await using exporter = await exporterOnHost();
    await isConnected(exporter);
    expect(await daemon.program()).toBe('libvirtd');
    expect(exporter.log).toContain('socket=/run/libvirt/virtqemud-sock-ro');
  });

  it('is preferred to libvirtd', async () => {
    // Whoever takes connections here speaks no libvirt: one attempt on it would be seen.
    const libvirtd = createServer((socket) => socket.end('not me'));
    libvirtd.listen(join(run, 'libvirt-sock-ro'));
    await once(libvirtd, 'listening');
    const asked: unknown[] = [];
    libvirtd.on('connection', () => asked.push('libvirtd'));
    try {
      await using daemon = await virtqemud();
      await using exporter = await exporterOnHost();
      await isConnected(exporter);
      expect(exporter.log).toContain('socket=/run/libvirt/virtqemud-sock-ro');
      expect(asked).toEqual([]);
      expect(await daemon.program()).toBe('libvirtd');
    } finally {
      libvirtd.close();
    }
  });

  it('that left a dead socket gives way to libvirtd', async () => {
    const dead = createServer();
    dead.listen(join(run, 'bound'));
    await once(dead, 'listening');
    // Closing removes the name it was bound to, and no other.
    await rename(join(run, 'bound'), join(run, 'virtqemud-sock-ro'));
    dead.close();
    await using libvirtd = await activated('libvirt-sock-ro');
    await using exporter = await exporterOnHost();
    await isConnected(exporter);
    expect(exporter.log).toContain('socket=/run/libvirt/libvirt-sock-ro');
    expect(await libvirtd.program()).toBe('libvirtd');
  });

  it('does not end for want of clients while the exporter is connected, and does afterwards', async () => {
    await using daemon = await activated('virtqemud-sock-ro', 1);
    {
      await using exporter = await exporterOnHost();
      await isConnected(exporter);
      await sleep(3000);
      await isConnected(exporter);
      expect(exporter.log.match(/connected to libvirt/g)).toHaveLength(1);
    }
    await daemon.ended(15_000);
    await daemon.boot();
    await using exporter = await exporterOnHost();
    await isConnected(exporter);
  });

  it('that ends and is started again on demand costs no scrape', async () => {
    await using daemon = await virtqemud();
    await using exporter = await exporterOnHost();
    await isConnected(exporter);
    const seen: string[] = [];
    const failures: string[] = [];
    const end = new AbortController();
    const scraping = (async () => {
      while (!end.signal.aborted) {
        const { status, body, milliseconds } = await get(`${exporter.url}/metrics`, {
          'X-Prometheus-Scrape-Timeout-Seconds': '5',
        });
        if (status !== 200 || milliseconds > 5000) failures.push(`${status} ${milliseconds} ms`);
        const up = String(Exposition.parse(body.toString()).value('kvm_libvirt_up'));
        if (seen.at(-1) !== up) seen.push(up);
        await sleep(200);
      }
    })();
    try {
      await eventually('a first scrape', 10_000, () => seen.at(-1) === '1');
      await daemon.kill('SIGTERM');
      await eventually('it is shown down', 15_000, () => seen.at(-1) === '0');
      await daemon.boot();
      await eventually(
        'it is shown up again',
        20_000,
        () => seen.at(-1) === '1',
        () => exporter.log,
      );
      expect(await daemon.program()).toBe('libvirtd');
    } finally {
      end.abort();
      await scraping;
    }
    expect(failures).toEqual([]);
    expect(seen).toEqual(['1', '0', '1']);
  });
});

async function isConnected(exporter: ExporterProcess): Promise<void> {
  await eventually(
    'the exporter is connected',
    20_000,
    async () => {
      const { body } = await get(`${exporter.url}/metrics`);
      return Exposition.parse(body.toString()).value('kvm_libvirt_up') === 1;
    },
    () => exporter.log,
  );
}
