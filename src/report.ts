import { setTimeout as sleep } from 'node:timers/promises';

import { PROGRAM, REPORT_UNKNOWN, type Config, type ReportFlags } from './config/flags.ts';
import { printOut, type LogOutput } from './config/log-output.ts';
import { createLogger, type Logger } from './config/logger.ts';
import { PolicyStore } from './config/policy-store.ts';
import { visibleText } from './config/visible-text.ts';
import type { SnapshotSources } from './collect/snapshot-sources.ts';
import { isCollectorName, type CollectorName } from './model/collectors.ts';
import { pageFacts, type PageFacts } from './page/facts/page-facts.ts';
import { highestLevel, hostJson } from './page/json/host-json.ts';
import { reportText } from './page/text/report-text.ts';
import type { View } from './view/view.ts';
import { FailureLog } from './web/failure-log.ts';
import { Scraper } from './web/scraper.ts';

/** Opens what is read: the real host, or the simulated one. */
type OpenSources = (
  config: Config,
  enabled: ReadonlySet<CollectorName>,
  policy: PolicyStore,
  logger: Logger,
) => Promise<SnapshotSources>;

/** The connection to libvirt is made in the background; a host without it is shown all the same. */
const CONNECT_SECONDS = 3;
const CONNECT_STEP_MS = 100;

/**
 * Looks at the host twice, prints what the page would say, and tells the exit status: 0 for low and
 * medium risk, 1 for high, 2 for critical, 3 for unknown. Nothing listens, nothing is left running.
 */
export async function runReport(
  config: Config,
  { intervalSeconds, json }: ReportFlags,
  version: string,
  log: LogOutput,
  open: OpenSources,
): Promise<number> {
  // What it has to say of its work is in the report; standard error is for what keeps it from one.
  const logger = createLogger({ ...config.log, level: 'error', write: () => undefined });
  const complain = (message: string): number => {
    log.write(`${PROGRAM}: ${visibleText(message)}\n`);
    return REPORT_UNKNOWN;
  };
  const policy = new PolicyStore(config.policyFile);
  const read = await policy.reload();
  if (!read.ok) return complain(read.error.join('; '));
  const enabled = new Set([...config.collectors].filter(isCollectorName));
  try {
    const sources = await open(config, enabled, policy, logger);
    sources.start();
    try {
      const build = { version, nodeVersion: process.version };
      const scraper = new Scraper(sources, policy, build, new FailureLog(logger));
      const request = { collectors: enabled, timeoutSeconds: config.scrape.timeoutSeconds };
      const look = (): Promise<View> => scraper.view(request, new AbortController().signal);
      const begun = performance.now();
      while (!(await look()).snapshot.libvirt.up) {
        if (performance.now() - begun > CONNECT_SECONDS * 1000) break;
        await sleep(CONNECT_STEP_MS);
      }
      await sleep(intervalSeconds * 1000);
      const view = await look();
      const facts = pageFacts(view, scraper.recently(view.snapshot));
      printOut(json ? hostJson(facts) : reportText(facts, terminalWidth()));
      return exitStatus(facts);
    } finally {
      await sources.close();
    }
  } catch (error) {
    return complain(`the report failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A level that is known to be high counts even where another is not known. */
function exitStatus(facts: PageFacts): number {
  const highest = highestLevel(facts);
  if (highest !== undefined && highest >= 2) return highest - 1;
  return facts.resources.every(({ level }) => level !== undefined) ? 0 : REPORT_UNKNOWN;
}

const NARROWEST = 80;
const WIDEST = 160;

/** Of the terminal; what is no terminal gets as much as every terminal has. */
function terminalWidth(): number {
  const columns = process.stdout.isTTY ? process.stdout.columns : NARROWEST;
  return Math.min(WIDEST, Math.max(NARROWEST, columns));
}
