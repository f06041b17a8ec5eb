import { attempt } from './command.ts';
import type { LabProcess } from './lab-process.ts';
import { eventually } from './polling.ts';

/** An exporter that runs in the lab's network namespace and is reached from the host's. */
export interface LabExporter {
  readonly process: LabProcess;
  /** e.g. `http://169.254.100.2:9177` */
  readonly url: string;
  readonly pid: number;
  /** GET below the exporter's address. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The text of /metrics. @throws Error on another status than 200. */
  metrics(headers?: Readonly<Record<string, string>>): Promise<string>;
  stop(): Promise<void>;
}

/** Wraps a started exporter and waits until it answers `readyPath` with any HTTP status. */
export async function awaitExporter(
  labProcess: LabProcess,
  url: string,
  readyPath: string,
): Promise<LabExporter> {
  await eventually(
    `exporter answers at ${url}`,
    60_000,
    async () => {
      if (!labProcess.isRunning()) throw new Error(`exporter ended:\n${labProcess.output()}`);
      try {
        const response = await fetch(`${url}${readyPath}`, { signal: AbortSignal.timeout(5_000) });
        await response.arrayBuffer();
        return true;
      } catch {
        return false;
      }
    },
    () => labProcess.output(),
  );
  return {
    process: labProcess,
    url,
    pid: labProcess.pid,
    fetch: (path, init) => fetch(`${url}${path}`, init),
    metrics: async (headers = {}) => {
      const response = await fetch(`${url}/metrics`, { headers });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`/metrics: ${response.status}: ${text}`);
      return text;
    },
    stop: () => labProcess.stop(),
  };
}

/** A TCP port nobody listens on in a network namespace. */
export async function freePort(networkNamespace: string): Promise<number> {
  const listening = await attempt('nsenter', [`--net=${networkNamespace}`, 'ss', '-Hltn']);
  for (let port = 9177; port < 9577; port++) {
    if (!new RegExp(`:${port}\\s`).test(listening.stdout)) return port;
  }
  throw new Error('no free port');
}
