import {
  encode,
  LibvirtError,
  messageStatus,
  openLibvirt,
  procedures,
} from '../../src/libvirt/index.ts';
import { busyGuest } from '../support/libvirt/busy-guest.ts';
import { damaged } from '../support/libvirt/damage.ts';
import { encodeReply, FakeDaemon, silence } from '../support/libvirt/fake-daemon.ts';
import { sampleFrames } from './rpc-decoders.ts';
import type { Pick } from '../support/libvirt/damage.ts';
import type { Target } from './target.ts';

/** A daemon that answers a call with anything, over a real socket: one connection for each input. */
export const rpcConnection: Target = {
  name: 'rpc-connection',
  async open() {
    const daemon = await FakeDaemon.listen();
    const frames = await sampleFrames();
    const stats = Array.from({ length: 20 }, (_, index) =>
      encode(procedures.getAllDomainStats.result, [busyGuest(index)]),
    );
    let pick: Pick = () => 0;
    let leftOver = 0;
    daemon.on(procedures.getAllDomainStats, (_, call) => {
      const reply = encodeReply(
        call,
        messageStatus.ok,
        stats[pick(stats.length)] ?? Buffer.alloc(0),
      );
      // An answer of another call, an event or nonsense may come first.
      if (pick(4) === 0) call.client.sendBytes(damaged(frames[pick(frames.length)] ?? reply, pick));
      const answer = damaged(reply, pick);
      const cut = pick(answer.length + 1);
      call.client.sendBytes(answer.subarray(0, cut));
      call.client.sendBytes(answer.subarray(cut));
      // What is cut off would otherwise be waited for until the deadline.
      call.client.disconnect();
      return silence;
    });
    return {
      async attempt(choices) {
        if (leftOver > 0) throw new Error('a call was left over');
        pick = choices;
        daemon.calls.length = 0;
        daemon.clients.length = 0;
        const connection = await openLibvirt({ uri: daemon.uri, keepalive: false });
        try {
          const records = await connection.getAllDomainStats(0, 0);
          for (const { params } of records) {
            if ([...params].length !== params.size) throw new Error('a value was lost');
          }
          return 'value';
        } catch (error) {
          if (!(error instanceof LibvirtError) || error.kind === 'timeout') throw error;
          return 'refusal';
        } finally {
          leftOver += connection.outstanding;
          await connection.close();
        }
      },
      [Symbol.asyncDispose]: () => daemon.close(),
    };
  },
};
