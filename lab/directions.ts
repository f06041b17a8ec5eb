import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from './index.ts';
import { privatePath } from './namespaces.ts';

/** How to reach a lab by hand. */
export interface Reach {
  /** Its directory. */
  readonly root: string;
  /** Of its network and mount namespace, as nsenter(1) takes them. */
  readonly network: string;
  readonly mount: string;
  /** e.g. `http://169.254.100.2:9177` */
  readonly exporterUrl: string;
  /** Guests in the order of their start. */
  readonly guests: readonly string[];
  readonly uplink: string;
  readonly logs: readonly string[];
}

/**
 * Puts the lab's sockets where every client looks for them, inside its mount namespace: there, and
 * nowhere else, `qemu:///system` is the lab's.
 */
export function offerUsualSockets({ directory, sockets }: Lab): void {
  const run = privatePath(directory, '/run/libvirt');
  symlinkSync(sockets.readWrite, join(run, 'libvirt-sock'));
  symlinkSync(sockets.readOnly, join(run, 'libvirt-sock-ro'));
}

/** What to type to look at a lab and to follow the runbooks in it as they stand. */
export function directions(reach: Reach): string {
  const { exporterUrl, network, mount, guests, uplink, logs } = reach;
  const enter = `nsenter --net=${network} --mount=${mount}`;
  const instance = new URL(exporterUrl).host;
  return `
Lab in ${reach.root}

The page:       ${exporterUrl}/
The metrics:    ${exporterUrl}/metrics
Guests:         ${guests.join(', ')}
Uplink:         ${uplink}

To follow the runbooks in another shell, as root:

  alias virsh='${enter} virsh'
  instance=${instance} domain=${guests[0] ?? ''} device=${uplink}

or, for what they say of files and interfaces of the host as well, in a shell there:

  ${enter} bash

A Prometheus finds the lab by that instance: write '${instance}' into
docs/quick-start/targets.yml and follow docs/quick-start.md from step 2.

${logs.map((file) => `  tail -f ${file}\n`).join('')}
Ctrl-C ends all of it.`;
}
