import { chartHtml } from './chart.ts';
import { html, type Html } from './html.ts';
import type { ResourceFacts, TopGuests } from '../facts/resource-facts.ts';
import { RISK_SIGNALS, type RiskResource } from '../../risk/risk-model.ts';
import { riskBadge, riskMark } from './risk-badge.ts';
import { RESOURCE_WORDS } from '../words/risk-words.ts';
import { nameHtml, sentenceHtml } from './sentence-html.ts';

/** One resource: its risk, what a run on the bank would do, the bars, the reasons, the guests. */
export function resourceCard(facts: ResourceFacts): Html {
  const { resource, level, bank, charts, reasons, notes, top } = facts;
  const title = RESOURCE_WORDS[resource];
  return html`<section class="card" aria-labelledby="${resource}">
    <header>
      <h2 id="${resource}" tabindex="-1">${title}</h2>
      ${riskBadge(level)}
    </header>
    <p class="bank">${sentenceHtml(bank)}</p>
    ${charts.map((chart) => chartHtml(chart, title))}
    ${
      reasons.length === 0
        ? undefined
        : html`<h3>Why this risk</h3>
            <ul class="reasons" role="list">
              ${reasons.map(
                (reason) =>
                  html`<li>
                    ${riskMark(reason.level)}<span>${sentenceHtml(reason.sentence)}</span>
                  </li>`,
              )}
            </ul>`
    }
    ${unseenHtml(resource)} ${topHtml(top)}
    ${
      notes.length === 0
        ? undefined
        : html`<ul class="notes">
            ${notes.map((note) => html`<li>${sentenceHtml(note)}</li>`)}
          </ul>`
    }
  </section>`;
}

/** What would be level 3 and this page cannot know. */
function unseenHtml(resource: RiskResource): Html | undefined {
  const unseen = RISK_SIGNALS.filter(
    ({ resource: of, threshold }) =>
      of === resource && threshold.kind === 'loss' && threshold.takesPrometheus !== undefined,
  );
  if (unseen.length === 0) return undefined;
  return html`<p class="unseen">
    Only Prometheus can tell: ${unseen.map(({ meaning }) => meaning).join('; ')}.
  </p>`;
}

function topHtml({ title, guests }: TopGuests): Html | undefined {
  if (guests.length === 0) return undefined;
  return html`<h3>${title}</h3>
    <ol class="top" role="list">
      ${guests.map(({ name, why }) => html`<li>${nameHtml(name)}<span>${why}</span></li>`)}
    </ol>`;
}
