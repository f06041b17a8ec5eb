#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';

import { parseFlags, PROGRAM, type Config } from './config/flags.ts';
import type { ListenAddress } from './config/listen-address.ts';
import { createLogger, type Logger } from './config/logger.ts';
import { selectsDomain } from './config/policy.ts';
import { PolicyStore } from './config/policy-store.ts';
import { DemoHost } from './demo/demo-host.ts';
import { ConnectError } from './libvirt/index.ts';
import { COLLECTORS, isCollectorName } from './snapshot/collectors.ts';
import { LiveHost } from './snapshot/live-host.ts';
import type { SnapshotSources } from './snapshot/snapshot-sources.ts';
import { textAt } from './sources/json-text.ts';
import { createApp } from './web/app.ts';
import { FailureLog } from './web/failure-log.ts';
import { Scraper } from './web/scraper.ts';

/** Bad flags, a bad policy file, an address in use: one line, and nothing half-started. */
const EXIT_USAGE = 2;

const version = versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const flags = parseFlags(
  process.argv.slice(2),
  COLLECTORS.map(({ name, help, enabledByDefault }) => ({
    name,
    help,
    defaultEnabled: enabledByDefault,
  })),
  version,
);
if (flags.kind === 'exit') {
  process.stdout.write(flags.stdout);
  process.stderr.write(flags.stderr);
  process.exitCode = flags.code;
} else {
  await run(flags.config);
}

async function run(config: Config): Promise<void> {
  const logger = createLogger(config.log);
  const policy = new PolicyStore(config.policyFile);
  const first = await policy.reload();
  if (!first.ok) {
    fail(first.errors.join('; '));
    return;
  }

  const sources = sourcesOf(config, policy, logger);
  const enabled = new Set([...config.collectors].filter(isCollectorName));
  let ready = false;
  const app = createApp({
    web: config.web,
    limits: {
      enabled,
      timeoutSeconds: config.scrape.timeoutSeconds,
      timeoutOffsetSeconds: config.scrape.timeoutOffsetSeconds,
    },
    scraper: new Scraper(
      sources,
      policy,
      { version, nodeVersion: process.version },
      new FailureLog(logger),
    ),
    logger,
    isReady: () => ready,
  });

  const servers: Server[] = [];
  try {
    for (const address of config.web.listenAddresses) {
      const server = createServer((request, response) => {
        app(request, response);
      });
      await listen(server, address);
      servers.push(server);
    }
  } catch (error) {
    for (const server of servers) server.close();
    fail(error instanceof Error ? error.message : String(error));
    return;
  }
  sources.start();
  ready = true;
  for (const server of servers) logger.info('listening', { address: addressOf(server) });
  if (process.getuid?.() === 0 && !config.demo) {
    logger.info('running as root: an unprivileged user with CAP_DAC_READ_SEARCH will do');
  }

  process.on('SIGHUP', () => {
    void reload(policy, config, logger);
  });
  const stop = (signal: string): void => {
    if (!ready) return;
    ready = false;
    logger.info('stopping', { signal });
    void close(servers, sources);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function versionOf(packageJson: string): string {
  const version = textAt(JSON.parse(packageJson), 'version');
  if (version === undefined) throw new Error('package.json has no version');
  return version;
}

function sourcesOf(config: Config, policy: PolicyStore, logger: Logger): SnapshotSources {
  if (config.demo) return new DemoHost();
  const live = new LiveHost({
    roots: config.paths,
    libvirtUri: config.libvirtUri,
    enabled: new Set([...config.collectors].filter(isCollectorName)),
    selects: (name) => selectsDomain(policy.policy.domains, name),
  });
  let connected = true;
  live.session.on('connected', (versions, socket) => {
    connected = true;
    logger.info('connected to libvirt', { ...versions, socket });
  });
  live.session.on('disconnected', (error) => {
    // Tried again for as long as it takes: said once, not at each attempt.
    if (!connected) return;
    connected = false;
    const sockets =
      error instanceof ConnectError ? error.attempts.map(({ path }) => path).join(',') : undefined;
    logger.warn('no connection to libvirt, host metrics only; trying again', { sockets, error });
  });
  return live;
}

async function reload(policy: PolicyStore, config: Config, logger: Logger): Promise<void> {
  const result = await policy.reload();
  if (result.ok) {
    logger.info('policy read', { file: config.policyFile ?? 'built in' });
    return;
  }
  for (const error of result.errors) {
    logger.error('policy file is broken, the old policy stays in force', { error });
  }
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${address.port}`;
}

async function close(servers: readonly Server[], sources: SnapshotSources): Promise<void> {
  for (const server of servers) {
    server.close();
    server.closeIdleConnections();
  }
  await sources.close();
}

function fail(message: string): void {
  process.stderr.write(`${PROGRAM}: ${message}\n`);
  process.exitCode = EXIT_USAGE;
}
