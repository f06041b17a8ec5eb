import { onTestFinished } from 'vitest';

import { openLibvirt } from '../../../../src/libvirt/index.ts';
import { DaemonCalls } from '../../../../src/guests/libvirt/daemon-calls.ts';
import type { FakeDaemon } from '../../../support/libvirt/fake-daemon.ts';

/** Calls to a fake daemon under the usual budget, closed at the end of the test. */
export function callsTo(daemon: FakeDaemon, budget = { maxCalls: 4, maxStuck: 2 }): DaemonCalls {
  const calls = new DaemonCalls({
    open: () => openLibvirt({ uri: daemon.uri, keepalive: false }),
    ...budget,
  });
  onTestFinished(() => calls.close());
  return calls;
}
