import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { closingAgent } from '../support/measure/closing-agent.ts';
import { anonymousBytes, childrenOf, residentBytes } from '../support/measure/process-usage.ts';
import { scrape } from '../support/measure/scrape.ts';
import { countSeries, valueOfSeries } from '../support/measure/series.ts';
import { sum } from '../support/measure/statistics.ts';
import type { ProbedExporter } from '../support/fake-host/exporter-process.ts';
import { duplicateSeries } from './duplicate-series.ts';
import { heapReportSchema, type HeapReport } from './heap-report.ts';
import type { Population } from './population.ts';

const SCRAPE_INTERVAL_MS = 1_500;
export const SCRAPE_TIMEOUT_SECONDS = 5;
const RESIDENT_INTERVAL_MS = 1_000;
/** Let what a scrape leaves behind end, such as the answer to a last call. */
const QUIET_MS = 300;
/** A guest that went less than this before a scrape may be in what the scrape shares. */
const GONE_MS = 1_000;

/** One look into the exporter, between two scrapes. */
export interface Sample extends HeapReport {
  readonly minute: number;
  /** {@link ScrapeResult.seenShare} of the scrape before. */
  readonly seenShare: number;
  /** Open files of the exporter and of its file processes. */
  readonly files: number;
  /** File processes the exporter has. */
  readonly processes: number;
  /** What these hold for themselves, bytes. */
  readonly processBytes: number;
}

export interface ScrapeResult {
  readonly minute: number;
  readonly seconds: number;
  /** Undefined for one that was not answered with 200; the rest of it is nothing then. */
  readonly error: string | undefined;
  readonly series: number;
  readonly duplicates: readonly string[];
  /** Whether it speaks of libvirt's connection as up. */
  readonly up: boolean;
  /** Running guests it has vCPU times of, as a share of those running. */
  readonly seenShare: number;
  /** Collectors that failed though the daemon had been there for a while. */
  readonly failed: readonly string[];
  /** Names in it that no guest has had for a while. */
  readonly longGone: readonly string[];
}

export interface Observation {
  readonly samples: readonly Sample[];
  readonly scrapes: readonly ScrapeResult[];
  /** Why the page for people was not answered, each time it was not. */
  readonly pageErrors: readonly string[];
  /** Resident size of the exporter over time, bytes. */
  readonly resident: readonly { readonly minute: number; readonly bytes: number }[];
}

/** Scrapes the exporter for so long, as Prometheus does, and looks into it between two scrapes. */
export async function observe(
  exporter: ProbedExporter,
  population: Population,
  /** Whether the daemon has been there for a while. */
  settled: () => boolean,
  minutes: number,
  sampleSeconds: number,
): Promise<Observation> {
  const start = performance.now();
  const minute = (): number => (performance.now() - start) / 60_000;
  const samples: Sample[] = [];
  const scrapes: ScrapeResult[] = [];
  const pageErrors: string[] = [];
  const resident: { minute: number; bytes: number }[] = [];
  const residentTimer = setInterval(() => {
    resident.push({ minute: minute(), bytes: residentBytes(exporter.pid) });
  }, RESIDENT_INTERVAL_MS);
  try {
    using agent = closingAgent();
    let nextScrape = start;
    let nextSample = start + sampleSeconds * 1_000;
    while (minute() < minutes) {
      await sleep(Math.max(0, nextScrape - performance.now()));
      nextScrape = Math.max(nextScrape + SCRAPE_INTERVAL_MS, performance.now());
      scrapes.push(await scrapeOnce(exporter.metricsUrl, agent, population, settled, minute()));
      if (performance.now() < nextSample) continue;
      nextSample += sampleSeconds * 1_000;
      await scrape(new URL('/', exporter.metricsUrl).href, agent, SCRAPE_TIMEOUT_SECONDS).catch(
        (error: unknown) => pageErrors.push(`${minute().toFixed(2)} min: ${messageOf(error)}`),
      );
      await sleep(QUIET_MS);
      samples.push(await sampleOf(exporter, minute(), scrapes.at(-1)?.seenShare ?? 0));
      tellProgress(samples.at(-1), scrapes.at(-1));
    }
  } finally {
    clearInterval(residentTimer);
  }
  return { samples, scrapes, pageErrors, resident };
}

async function scrapeOnce(
  url: string,
  agent: Parameters<typeof scrape>[1],
  population: Population,
  settled: () => boolean,
  minute: number,
): Promise<ScrapeResult> {
  const start = performance.now();
  const names = population.running.map(({ name }) => name);
  try {
    const { text, seconds } = await scrape(url, agent, SCRAPE_TIMEOUT_SECONDS);
    const sinceStart = performance.now() - start;
    const seen = seenGuests(text);
    return {
      minute,
      seconds,
      error: undefined,
      series: countSeries(text, []).total,
      duplicates: duplicateSeries(text),
      up: valueOfSeries(text, 'kvm_libvirt_up ') === 1,
      seenShare: names.filter((name) => seen.has(name)).length / names.length,
      failed: settled() ? failedCollectors(text) : [],
      longGone: namedGuests(text).filter((name) =>
        population.isLongGone(name, sinceStart + GONE_MS),
      ),
    };
  } catch (error) {
    return {
      minute,
      seconds: (performance.now() - start) / 1_000,
      error: messageOf(error),
      series: 0,
      duplicates: [],
      up: false,
      seenShare: 0,
      failed: [],
      longGone: [],
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Guests with a figure that takes list, XML, process and threads. */
function seenGuests(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^kvm_domain_vcpu_delay_seconds_total\{domain="([^"]*)"/gm)].map(
      (match) => match[1] ?? '',
    ),
  );
}

function failedCollectors(text: string): readonly string[] {
  return [...text.matchAll(/^kvm_\w*collector_success\{collector="([^"]*)"[^}]*\} 0$/gm)].map(
    (match) => match[1] ?? '',
  );
}

function namedGuests(text: string): readonly string[] {
  const names = [...text.matchAll(/[{,]domain="([^"]*)"/g)].map((match) => match[1] ?? '');
  return [...new Set(names)];
}

async function sampleOf(
  exporter: ProbedExporter,
  minute: number,
  seenShare: number,
): Promise<Sample> {
  const heap = heapReportSchema.parse(await exporter.ask());
  const children = childrenOf(exporter.pid);
  return {
    ...heap,
    minute,
    seenShare,
    files: sum([exporter.pid, ...children].map(openFiles)),
    processes: children.length,
    processBytes: sum(children.map(anonymousBytes)),
  };
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function tellProgress(sample: Sample | undefined, last: ScrapeResult | undefined): void {
  if (sample === undefined || last === undefined) return;
  console.error(
    `${sample.minute.toFixed(1)} min: heap ${(sample.heapBytes / 1e6).toFixed(2)} MB, ` +
      `${sample.objects} objects, ${sample.timers} timers, ${sample.handles} handles, ` +
      `${sample.files} files, ${last.series} series, guests seen ${last.seenShare.toFixed(2)}` +
      (last.error === undefined ? '' : `, ${last.error}`),
  );
}
