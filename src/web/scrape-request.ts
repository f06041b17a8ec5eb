import { nearestWord } from '../config/nearest-word.ts';
import { quotedText } from '../config/visible-text.ts';
import { failedWith, found, type Result } from '../runtime/result.ts';
import {
  COLLECTORS,
  isCollectorName,
  withDependencies,
  type CollectorName,
} from '../model/collectors.ts';

/** What one request to the metrics path asks for. */
export interface ScrapeRequest {
  readonly collectors: ReadonlySet<CollectorName>;
  /** Longest the collection may take. */
  readonly timeoutSeconds: number;
}

export interface ScrapeLimits {
  /** Collectors that are switched on. */
  readonly enabled: ReadonlySet<CollectorName>;
  /** Longest a scrape may take, whatever the server allows. */
  readonly timeoutSeconds: number;
  /** Taken off the server's own timeout, so that the answer still arrives in time. */
  readonly timeoutOffsetSeconds: number;
}

const FILTERS = ['collect[]', 'exclude[]'] as const;

/**
 * Reads the filters `collect[]` and `exclude[]`, as node_exporter has them, and the timeout
 * Prometheus announces in `X-Prometheus-Scrape-Timeout-Seconds`. A parameter that looks like one of
 * the filters and is none is a fault, since all would be collected where little was meant; what else
 * a scrape job adds is ignored. An error is one line that says what is wrong with the request.
 */
export function parseScrape(
  query: URLSearchParams,
  timeoutHeader: string | undefined,
  limits: ScrapeLimits,
): Result<ScrapeRequest, string> {
  for (const name of query.keys()) {
    const meant = filterMeantBy(name);
    if (meant !== undefined) {
      return failedWith(`there is no parameter ${quotedText(name)}; write ${meant}`);
    }
  }
  const collect = query.getAll('collect[]');
  const exclude = query.getAll('exclude[]');
  if (collect.length > 0 && exclude.length > 0) {
    return failedWith('collect[] and exclude[] cannot be used together');
  }
  const named = new Set<CollectorName>();
  for (const name of [...collect, ...exclude]) {
    if (!isCollectorName(name)) {
      const known = COLLECTORS.map((collector) => collector.name).join(', ');
      return failedWith(`there is no collector ${quotedText(name)}; there are ${known}`);
    }
    if (!limits.enabled.has(name)) {
      return failedWith(`collector ${name} is switched off; see --collector.${name}`);
    }
    named.add(name);
  }
  const chosen = collect.length > 0 ? named : limits.enabled.difference(named);
  const timeoutSeconds = parseTimeout(timeoutHeader, limits);
  if (timeoutSeconds === undefined) {
    return failedWith('X-Prometheus-Scrape-Timeout-Seconds is not a number of seconds');
  }
  return found({ collectors: withDependencies(chosen), timeoutSeconds });
}

/** `collect`, `collect[0]`, `Exclude[]`, `excldue`: whoever writes these wants a filter. */
function filterMeantBy(name: string): (typeof FILTERS)[number] | undefined {
  if (FILTERS.some((filter) => filter === name)) return undefined;
  const word = name
    .slice(0, MAX_NAME_CHARACTERS)
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '');
  if (/^collect(?:ors?)?$/.test(word) || nearestWord(word, ['collect']) !== undefined) {
    return 'collect[]';
  }
  return nearestWord(word, ['exclude']) === undefined ? undefined : 'exclude[]';
}

/** No slip of the finger makes a name longer. */
const MAX_NAME_CHARACTERS = 32;

/** Even a server that waits for less than the offset gets half of what it waits for. */
function parseTimeout(header: string | undefined, limits: ScrapeLimits): number | undefined {
  const own = limits.timeoutSeconds - limits.timeoutOffsetSeconds;
  if (header === undefined) return own;
  if (!/^\d{1,6}(?:\.\d+)?$/.test(header)) return undefined;
  const announced = Number(header);
  if (announced === 0) return own;
  return Math.min(own, Math.max(announced - limits.timeoutOffsetSeconds, announced / 2));
}
