import { chartHtml } from './chart.ts';
import type { HistoryLine } from '../../risk/history.ts';
import { historyHtml } from './history.ts';
import { html, type Html } from './html.ts';
import type { ResourceFacts, TopGuests } from '../facts/resource-facts.ts';
import { riskBadge, riskMark } from './risk-badge.ts';
import { runbookLink } from './runbook-link.ts';
import { RESOURCE_WORDS } from '../words/risk-words.ts';
import { nameHtml, sentenceHtml } from './sentence-html.ts';

/** One resource: its risk, what a run on the bank would do, the bars, the reasons, the guests. */
export function resourceCard(
  facts: ResourceFacts,
  history: readonly HistoryLine[],
  nowSeconds: number,
): Html {
  const { resource, level, lead, doubts, bank, charts, reasons, notes, top, sufferers } = facts;
  const others = reasons.filter((reason) => reason !== lead && !reason.isSaid);
  const unknown = [...doubts, ...facts.unseen];
  const title = RESOURCE_WORDS[resource];
  return html`<section class="card" aria-labelledby="${resource}">
    <header>
      <h2 id="${resource}" tabindex="-1">${title}</h2>
      ${riskBadge(level, doubts.length > 0)}
    </header>
    ${
      lead === undefined
        ? undefined
        : html`<p class="lead">
            ${riskMark(lead.level)}<span
              >${sentenceHtml(lead.sentence)}${runbookLink(lead.runbook, `runbook-${lead.signal}`)}</span
            >
          </p>`
    }
    <p class="bank">${sentenceHtml(bank)}</p>
    ${charts.map((chart) => chartHtml(chart, title))}
    ${
      others.length === 0
        ? undefined
        : html`<h3>Why this risk</h3>
            <ul class="reasons" role="list">
              ${others.map(
                (reason) =>
                  html`<li>
                    ${riskMark(reason.level)}<span
                      >${sentenceHtml(reason.sentence)}${runbookLink(reason.runbook, `runbook-${reason.signal}`)}</span
                    >
                  </li>`,
              )}
            </ul>`
    }
    ${
      unknown.length === 0
        ? undefined
        : html`<h3>What is not known</h3>
            <ul class="notes">
              ${unknown.map((doubt) => html`<li>${sentenceHtml(doubt)}</li>`)}
            </ul>`
    }
    ${topHtml(sufferers)} ${topHtml(top)}
    ${historyHtml(
      history.filter((line) => line.resource === resource),
      nowSeconds,
    )}
    ${
      notes.length === 0
        ? undefined
        : html`<ul class="notes">
            ${notes.map((note) => html`<li>${sentenceHtml(note)}</li>`)}
          </ul>`
    }
  </section>`;
}

function topHtml({ title, guests }: TopGuests): Html | undefined {
  if (guests.length === 0) return undefined;
  return html`<h3>${title}</h3>
    <ol class="top" role="list">
      ${guests.map(({ name, why }) => html`<li>${nameHtml(name)}<span>${why}</span></li>`)}
    </ol>`;
}
