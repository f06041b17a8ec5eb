import type { ExporterFault } from '../facts/exporter-facts.ts';
import { formatTime } from '../words/format.ts';
import { guestTable } from './guest-table.ts';
import { html, type Html } from './html.ts';
import { DEFAULT_LIST, type GuestListRequest } from './list-request.ts';
import type { PageFacts } from '../facts/page-facts.ts';
import type { Problem } from '../words/problems.ts';
import { resourceCard } from './resource-card.ts';
import type { ResourceFacts } from '../facts/resource-facts.ts';
import { riskBadge, riskMark } from './risk-badge.ts';
import { RESOURCE_WORDS } from '../words/risk-words.ts';
import { runbookLink } from './runbook-link.ts';
import { nameHtml, sentenceHtml } from './sentence-html.ts';
import { wholePage } from './shell.ts';
import { findFigure } from '../words/sentence.ts';
import { visibleName } from '../words/visible-name.ts';

/** The page of the host, with the guests that are asked for. */
export function pageHtml(
  facts: PageFacts,
  telemetryPath: string,
  asked: GuestListRequest = DEFAULT_LIST,
): string {
  const { demo, summary, hasRates, exporter, history, takenAtSeconds } = facts;
  const host = facts.hostname ?? 'This host';
  const title = `${demo ? 'Demo – ' : ''}${visibleName(host)} – KVM over-commitment`;
  return wholePage(
    { title, base: './', telemetryPath, demo, summary, hasRates },
    html`${hostHtml(facts, host)} ${faultsHtml(exporter.faults)} ${problemsHtml(facts.problems)}
      <div class="cards">
        ${facts.resources.map((one) => resourceCard(one, history, takenAtSeconds))}
      </div>
      ${
        facts.guestCount === undefined
          ? undefined
          : html`<section class="guests" aria-labelledby="guests">
              <h2 id="guests" tabindex="-1">Guests</h2>
              ${guestTable(facts.guests, asked)}
            </section>`
      }
      <ul class="about" role="list" aria-label="About the exporter">
        ${exporter.about.map((sentence) => html`<li>${sentenceHtml(sentence)}</li>`)}
        <li><a id="healthy" href="./-/healthy">Health</a></li>
        <li><a id="ready" href="./-/ready">Readiness</a></li>
      </ul>`,
  );
}

function hostHtml(facts: PageFacts, host: string): Html {
  const { description, guestCount, takenAtSeconds, summary, hasRates, resources } = facts;
  const details = [
    ...(guestCount === undefined ? [] : [guestCount]),
    ...description,
    `as of ${formatTime(takenAtSeconds)}`,
  ];
  return html`<div class="host">
    <h1>${nameHtml(host)}</h1>
    <ul class="facts" role="list">
      ${details.map((detail) => html`<li>${detail}</li>`)}
    </ul>
    <p class="summary">${summary}</p>
    ${hasRates ? undefined : html`<p>Rates appear after the next refresh.</p>`}
    <nav aria-label="Resources">
      <ul class="glance" role="list">
        ${resources.map(glanceHtml)}
      </ul>
    </nav>
  </div>`;
}

function glanceHtml(facts: ResourceFacts): Html {
  const { resource, level, promise, isNothingPromised, lead, doubts, bank } = facts;
  const claimed = findFigure(bank);
  const now = lead && findFigure(lead.sentence);
  return html`<li>
    <a id="${`glance-${resource}`}" href="${`#${resource}`}"
      ><span class="title">${RESOURCE_WORDS[resource]}</span>
      <span class="promise">${promise?.ratio ?? '–'}</span>
      <span class="of"
        >${
          promise === undefined
            ? isNothingPromised
              ? 'nothing is promised'
              : 'promised: unknown'
            : `${promise.promised} promised, capacity ${promise.capacity}`
        }</span
      >
      ${
        now === undefined
          ? undefined
          : html`<span class="claimed">Now: <strong>${now}</strong></span>`
      }
      ${
        claimed === undefined || now !== undefined
          ? undefined
          : html`<span class="claimed">If all is claimed: <strong>${claimed}</strong></span>`
      }
      ${riskBadge(level, doubts.length > 0)}</a
    >
  </li> `;
}

function problemsHtml(problems: readonly Problem[]): Html | undefined {
  if (problems.length === 0) return undefined;
  return html`<section class="panel" aria-labelledby="problems">
    <h2 id="problems" tabindex="-1">Needs attention now</h2>
    <ul role="list">
      ${problems.map(({ level, sentence, runbook }, index) => {
        // The same problem keeps its id when others come and go above it.
        const alike = problems.slice(0, index).filter((one) => one.runbook === runbook).length;
        const id = `problem-${runbook ?? ''}-${alike}`;
        return html`<li>
          ${riskMark(level)}<span>${sentenceHtml(sentence)}${runbookLink(runbook, id)}</span>
        </li>`;
      })}
    </ul>
  </section>`;
}

function faultsHtml(faults: readonly ExporterFault[]): Html | undefined {
  if (faults.length === 0) return undefined;
  return html`<section class="panel fault" aria-labelledby="faults">
    <h2 id="faults" tabindex="-1">What the exporter cannot see</h2>
    <ul role="list">
      ${faults.map(
        ({ sentence, detail }) =>
          html`<li>
            ${sentenceHtml(sentence)}
            ${
              detail === undefined
                ? undefined
                : html`<span class="detail">${sentenceHtml(detail)}</span>`
            }
          </li>`,
      )}
    </ul>
  </section>`;
}
