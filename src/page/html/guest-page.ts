import type { DiskFacts, GuestFacts, NicFacts, ThreadFacts } from '../facts/guest-facts.ts';
import { MOST_THREADS } from '../facts/guest-facts.ts';
import type { PageFacts } from '../facts/page-facts.ts';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatTime,
} from '../words/format.ts';
import { SOURCE_WORDS } from '../words/source-words.ts';
import { visibleName } from '../words/visible-name.ts';
import { html, type Html, type HtmlValue } from './html.ts';
import { riskMark } from './risk-badge.ts';
import { runbookLink } from './runbook-link.ts';
import { nameHtml, sentenceHtml } from './sentence-html.ts';
import { wholePage } from './shell.ts';

/** The page of one guest: why it is at risk, its figures, disks, NICs and threads. */
export function guestHtml(guest: GuestFacts, facts: PageFacts, telemetryPath: string): string {
  const { row, disks, nics, threads } = guest;
  const title = `${facts.demo ? 'Demo – ' : ''}${visibleName(row.name)} – KVM over-commitment`;
  const summary = `${visibleName(row.name)}: ${row.state}, ${formatCount(row.troubles.length, 'problem')}`;
  return wholePage(
    { title, base: '../', telemetryPath, demo: facts.demo, summary, hasRates: facts.hasRates },
    html`<div class="host">
        <h1>${nameHtml(row.name)}</h1>
        <ul class="facts" role="list">
          <li>${row.state}</li>
          <li>guest of ${nameHtml(facts.hostname ?? 'this host')}</li>
          <li>known from ${SOURCE_WORDS[row.source]}</li>
          <li>as of ${formatTime(facts.takenAtSeconds)}</li>
        </ul>
        ${facts.hasRates ? undefined : html`<p>Rates appear after the next refresh.</p>`}
      </div>
      <div class="guest-page">
        ${riskHtml(guest, facts.hasRates)} ${figuresHtml(guest)}
        ${card('disks', 'Disks', disksHtml(disks))} ${card('nics', 'NICs', nicsHtml(nics))}
        ${card('threads', 'Threads', threadsHtml(threads))}
      </div>`,
  );
}

function card(id: string, title: string, content: HtmlValue): Html {
  return html`<section class="card" aria-labelledby="${id}">
    <h2 id="${id}" tabindex="-1">${title}</h2>
    ${content}
  </section>`;
}

function riskHtml({ row }: GuestFacts, hasRates: boolean): Html {
  if (row.troubles.length === 0) {
    return card(
      'risk',
      'Why it is at risk',
      html`<p>
        ${
          hasRates
            ? 'It is past no limit of the policy.'
            : 'It is past no limit of the policy, as far as a first look can tell.'
        }
      </p>`,
    );
  }
  return card(
    'risk',
    'Why it is at risk',
    html`<ul class="reasons" role="list">
      ${row.troubles.map(
        ({ id, level, sentence, runbook }) =>
          html`<li>
            ${riskMark(level)}<span
              >${sentenceHtml(sentence)}${runbookLink(runbook, `runbook-${id}`)}</span
            >
          </li>`,
      )}
    </ul>`,
  );
}

function figuresHtml({ row, memoryStalledRatio, ioStalledRatio }: GuestFacts): Html {
  const figures: readonly (readonly [string, string])[] = [
    ['vCPUs', written(row.vcpus, String)],
    ['CPUs it uses', written(row.cpus, formatNumber)],
    ['Its vCPUs waited', written(row.delayRatio, formatPercent)],
    ['Stalled on memory', written(memoryStalledRatio, formatPercent)],
    ['Stalled on I/O', written(ioStalledRatio, formatPercent)],
    ['Memory promised', written(row.memoryBytes, formatBytes)],
    ['Memory it can still claim', written(row.claimableBytes, formatBytes)],
    ['Swapped out by the host', written(row.swappedBytes, formatBytes)],
    ['Space its images can allocate', written(row.claimableStorageBytes, formatBytes)],
    ['Network, both ways', written(row.trafficBytesPerSecond, formatBitRate)],
  ];
  return card(
    'figures',
    'Now',
    html`<dl>
      ${figures.map(
        ([term, value]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`,
  );
}

function disksHtml(disks: readonly DiskFacts[]): Html {
  if (disks.length === 0) return html`<p>No disk that is known.</p>`;
  return html`${disks.map(
    ({ device, bus, isReadOnly, isMirror, chain, end }) =>
      html`<h3>
          ${nameHtml(device)}${bus === undefined ? '' : `, ${visibleName(bus)}`}${isReadOnly ? ', read-only' : ''}${isMirror ? ', being copied to' : ''}
        </h3>
        ${
          chain.length === 0
            ? undefined
            : tableHtml(
                `images-${device}${isMirror ? '-mirror' : ''}`,
                `Images of ${visibleName(device)}`,
                ['Image', 'Is', 'Format', 'Promised', 'Allocated'],
                chain.map(({ path, role, format, promisedBytes, allocatedBytes }) => [
                  html`<code><bdi>${visibleName(path)}</bdi></code>`,
                  ROLE_WORDS[role],
                  format ?? '–',
                  written(promisedBytes, formatBytes),
                  written(allocatedBytes, formatBytes),
                ]),
              )
        }
        ${end === undefined ? undefined : html`<p>Not seen further: <bdi>${end}</bdi></p>`}`,
  )}`;
}

const ROLE_WORDS = {
  leaf: 'written to',
  backing: 'based on',
  data: 'its data',
  remote: 'on another host',
} as const;

function nicsHtml(nics: readonly NicFacts[]): Html {
  if (nics.length === 0) return html`<p>No NIC that is known.</p>`;
  return tableHtml(
    'list-of-nics',
    'NICs',
    ['NIC', 'Model', 'Bridge', 'Uplinks', 'May receive', 'May send', 'Packets dropped'],
    nics.map((nic) => [
      nameHtml(nic.device),
      nic.model === undefined ? '–' : visibleName(nic.model),
      nic.bridge === undefined ? '–' : nameHtml(nic.bridge),
      nic.uplinks.length === 0 ? '–' : nic.uplinks.map((uplink) => html`${nameHtml(uplink)} `),
      limitText(nic.inboundLimitBytesPerSecond),
      limitText(nic.outboundLimitBytesPerSecond),
      nic.droppedPackets === undefined ? '–' : nic.droppedPackets.toLocaleString('en-US'),
    ]),
  );
}

function limitText(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? 'no limit' : formatBitRate(bytesPerSecond);
}

function threadsHtml(threads: readonly ThreadFacts[] | undefined): Html {
  if (threads === undefined) return html`<p>Its threads are out of reach, or it does not run.</p>`;
  return html`<p>
      CPU time and the time it waited for a CPU, since the thread
      began.${threads.length === MOST_THREADS ? ` The first ${MOST_THREADS}.` : ''}
    </p>
    ${tableHtml(
      'list-of-threads',
      'Threads',
      ['Thread', 'Number', 'CPU time', 'Waited', 'Waited of what it wanted'],
      threads.map(({ role, tid, runSeconds, delaySeconds, delayShare }) => [
        role,
        String(tid),
        written(runSeconds, formatDuration),
        written(delaySeconds, formatDuration),
        written(delayShare, formatPercent),
      ]),
    )}`;
}

/** @param id stable over refreshes: it takes the focus, so that the keyboard can scroll it. */
function tableHtml(
  id: string,
  label: string,
  titles: readonly string[],
  rows: readonly (readonly HtmlValue[])[],
): Html {
  return html`<div
    class="scroll"
    id="${id}"
    role="region"
    aria-label="${`Table: ${label}`}"
    tabindex="0"
  >
    <table class="plain">
      <thead>
        <tr>
          ${titles.map((title) => html`<th scope="col">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function written(value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? '–' : write(value);
}
