import { Agent } from 'node:http';

/** One kept connection, as Prometheus has to each target, closed at the end of the scope. */
export function closingAgent(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return Object.assign(agent, {
    [Symbol.dispose]: () => {
      agent.destroy();
    },
  });
}
