import { readFileSync } from 'node:fs';

import { parseFlags, PROGRAM, type Config } from './config/flags.ts';
import { printOut, standardError, type LogOutput } from './config/log-output.ts';
import { createLogger, type Logger } from './config/logger.ts';
import { selectsDomain } from './config/policy.ts';
import { PolicyStore } from './config/policy-store.ts';
import { StartError } from './config/start-error.ts';
import { visibleText } from './config/visible-text.ts';
import { AddressError, resolveAddress } from './libvirt/index.ts';
import { COLLECTORS, isCollectorName, type CollectorName } from './model/collectors.ts';
import { LiveHost } from './collect/live-host.ts';
import type { SnapshotSources } from './collect/snapshot-sources.ts';
import { textAt } from './sources/kernel/json-text.ts';
import type { Signals } from './signals.ts';
import { createApp } from './web/app.ts';
import { chooseSources } from './guests/source.ts';
import { logConnection } from './guests/libvirt/connection-log.ts';
import { Connections } from './web/connections.ts';
import { FailureLog } from './web/failure-log.ts';
import { Listeners } from './web/listeners.ts';
import { RefusalLog } from './web/refusal-log.ts';
import { Scraper } from './web/scraper.ts';
import { WebAccess } from './web/web-access.ts';

/** Bad flags, a bad file, an address in use: one line, and nothing half-started. */
const EXIT_USAGE = 2;
/** Given after the last connection is closed. */
const STUCK_MS = 1000;

/**
 * Runs with these arguments until a signal ends it. Sets the exit code.
 *
 * @param signals what has taken them since the process began.
 */
export async function main(argv: readonly string[], signals: Signals): Promise<void> {
  const log = standardError();
  const version = import.meta.bundledVersion ?? readVersion();
  const flags = parseFlags(
    argv,
    COLLECTORS.map(({ name, help, enabledByDefault }) => ({
      name,
      help,
      defaultEnabled: enabledByDefault,
    })),
    version,
  );
  if (flags.kind === 'exit') {
    printOut(flags.stdout);
    if (flags.stderr !== '') log.write(flags.stderr);
    log.close();
    process.exitCode = flags.code;
    return;
  }
  if (flags.kind === 'report') {
    // Code that a server never runs.
    const { runReport } = await import('./report.ts');
    process.exitCode = await runReport(flags.config, flags.report, version, log, openSources);
    log.close();
    return;
  }
  if (flags.kind === 'check-policy') {
    const { policyFile, novaConf } = flags;
    const checked = await new PolicyStore(policyFile, undefined, novaConf).reload();
    const files = [novaConf, policyFile].filter((file) => file !== undefined).join(' and ');
    if (checked.ok) printOut(`${visibleText(files)}: the policy is sound\n`);
    else for (const error of checked.error) log.write(`${PROGRAM}: ${visibleText(error)}\n`);
    log.close();
    process.exitCode = checked.ok ? 0 : EXIT_USAGE;
    return;
  }
  await run(flags.config, version, log, signals).catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    log.write(`${PROGRAM}: ${visibleText(error.message)}\n`);
    log.close();
    process.exitCode = EXIT_USAGE;
  });
}

/** Starts everything. @throws StartError, with nothing started. */
async function run(
  config: Config,
  version: string,
  log: LogOutput,
  signals: Signals,
): Promise<void> {
  checkLibvirtUri(config.libvirt.uri);
  const logger = createLogger({ ...config.log, write: log.write });
  process.on('warning', ({ name, message }) => {
    logger.warn('warning from Node.js', { name, message });
  });
  const policy = new PolicyStore(config.policyFile, undefined, config.novaConf);
  const access = new WebAccess(config.web.configFile);
  for (const first of [await policy.reload(), await access.reload()]) {
    if (!first.ok) throw new StartError(first.error.join('; '));
  }

  const enabled = new Set([...config.collectors].filter(isCollectorName));
  const sources = await openSources(config, enabled, policy, logger);
  const build = { version, nodeVersion: process.version };
  const connections = new Connections();
  const refusals = new RefusalLog(logger);
  let ready = false;
  const app = createApp({
    web: { ...config.web, allowedHosts: listNames(config) },
    limits: { enabled, ...config.scrape },
    scraper: new Scraper(sources, policy, build, new FailureLog(logger)),
    access,
    connections,
    refusals,
    logger,
    droppedLogLines: log.dropped,
    isReady: () => ready,
  });
  const listeners = await Listeners.open(
    config.web.listenAddresses,
    access.config.tls,
    app,
    connections,
    refusals,
  );
  sources.start();
  ready = true;
  const tls = access.config.tls !== undefined;
  for (const address of listeners.addresses) logger.info('listening', { address, tls });
  if (process.getuid?.() === 0 && !config.demo) {
    logger.info('running as root: an unprivileged user with CAP_DAC_READ_SEARCH is enough');
  }

  signals.begin({
    reload: () => {
      void reload(config, policy, access, listeners, logger);
    },
    stop: (signal, again) => {
      if (again) {
        listeners.hangUp();
        return;
      }
      ready = false;
      logger.info('stopping', { signal });
      const graceMs = config.scrape.timeoutSeconds * 1000;
      void Promise.allSettled([listeners.close(graceMs), sources.close()]).then(log.close);
      // Nothing is left to do then; whatever keeps the process is stuck.
      setTimeout(() => {
        signals.endBy(signal);
      }, graceMs + STUCK_MS).unref();
    },
  });
}

/** No later attempt would reach such an address either. @throws StartError */
function checkLibvirtUri(uri: string): void {
  try {
    resolveAddress(uri);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new StartError(
      `--libvirt.uri ${error.message}; run the exporter on the hypervisor, with a URI like qemu:///system`,
    );
  }
}

/** Names of this host that were chosen, and those it was told to listen on. */
function listNames({ web }: Config): readonly string[] {
  return [...web.allowedHosts, ...web.listenAddresses.flatMap(({ host }) => host ?? [])];
}

/** The version of the package this file lies in. */
function readVersion(): string {
  const packageJson = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const version = textAt(JSON.parse(packageJson), 'version');
  if (version === undefined) throw new Error('package.json has no version');
  return version;
}

async function openSources(
  config: Config,
  enabled: ReadonlySet<CollectorName>,
  policy: PolicyStore,
  logger: Logger,
): Promise<SnapshotSources> {
  if (config.demo) {
    // Code that a real host never runs.
    const { DemoHost } = await import('./demo/demo-host.ts');
    return new DemoHost();
  }
  const live = new LiveHost({
    roots: config.paths,
    libvirtUri: config.libvirt.uri,
    maxCalls: config.libvirt.maxCalls,
    maxStuckCalls: config.libvirt.maxStuckCalls,
    enabled,
    metadataLabels: config.guests.metadataLabels,
    selects: (name) => selectsDomain(policy.policy.domains, name),
    guestSources: chooseSources(config.guests),
  });
  logConnection(live.session, logger);
  return live;
}

/** Reads again what can be read again; a broken file leaves the old one in force. */
async function reload(
  config: Config,
  policy: PolicyStore,
  access: WebAccess,
  listeners: Listeners,
  logger: Logger,
): Promise<void> {
  const policyRead = await policy.reload();
  if (policyRead.ok) logger.info('policy read', { file: config.policyFile ?? 'built in' });
  else {
    for (const error of policyRead.error) {
      logger.error('policy file is invalid, the policy before it stays in force', { error });
    }
  }
  if (config.web.configFile === undefined) return;
  const accessRead = await access.reload();
  if (accessRead.ok) {
    if (accessRead.value.tls !== undefined) listeners.renew(accessRead.value.tls);
    logger.info('web configuration read', { file: config.web.configFile });
    return;
  }
  for (const error of accessRead.error) {
    logger.error('web configuration is invalid, the one before it stays in force', { error });
  }
}
