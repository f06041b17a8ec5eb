import type { ExporterFault } from './exporter-facts.ts';
import { formatTime } from './format.ts';
import { guestTable } from './guest-table.ts';
import { html, render, type Html } from './html.ts';
import type { PageFacts } from './page-facts.ts';
import type { Problem } from './problems.ts';
import { REFRESH_SCRIPT } from './refresh-script.ts';
import { resourceCard } from './resource-card.ts';
import type { ResourceFacts } from './resource-facts.ts';
import { riskBadge, riskMark } from './risk-badge.ts';
import { RESOURCE_WORDS } from './risk-words.ts';
import { nameHtml, sentenceHtml } from './sentence-html.ts';
import { STYLE } from './style.ts';
import { findFigure } from './sentence.ts';
import { visibleName } from './visible-name.ts';

/**
 * The whole page. Links are relative, so that it works behind a proxy that puts it under a path of
 * its own.
 */
export function pageHtml(facts: PageFacts, telemetryPath: string): string {
  const host = facts.hostname ?? 'This host';
  const title = `${facts.demo ? 'Demo – ' : ''}${visibleName(host)} – KVM over-commitment`;
  return render(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${title}</title>
          ${STYLE.element}
        </head>
        <body>
          <a class="skip" href="#main">Skip to the content</a>
          <header class="bar-top">
            <div class="wide">
              <p class="product">KVM over-commitment</p>
              <nav aria-label="Pages">
                <ul role="list">
                  <li><a href="${`.${telemetryPath}`}">Metrics</a></li>
                  <li><a href="./-/healthy">Health</a></li>
                  <li><a href="./-/ready">Readiness</a></li>
                </ul>
              </nav>
              <div class="refresh">
                <span id="refresh-status" role="status"></span>
                <button type="button" id="refresh-toggle" hidden>Pause refresh</button
                ><a href="./">Reload</a>
              </div>
            </div>
          </header>
          ${
            facts.demo
              ? html`<aside class="demo" aria-label="Demo">
                  This is a demo: the host and its guests are simulated.
                </aside>`
              : undefined
          }
          <main
            id="main"
            class="wide"
            tabindex="-1"
            data-summary="${facts.summary}"
            data-rates="${facts.hasRates ? 'yes' : 'no'}"
          >
            ${hostHtml(facts, host)} ${faultsHtml(facts.exporter.faults)}
            ${problemsHtml(facts.problems)}
            <div class="cards">${facts.resources.map(resourceCard)}</div>
            ${
              facts.guestCount === undefined
                ? undefined
                : html`<section class="guests" aria-labelledby="guests">
                    <h2 id="guests" tabindex="-1">Guests</h2>
                    ${guestTable(facts.guests)}
                  </section>`
            }
            <ul class="about" role="list" aria-label="About the exporter">
              ${facts.exporter.about.map((sentence) => html`<li>${sentenceHtml(sentence)}</li>`)}
            </ul>
          </main>
          ${REFRESH_SCRIPT.element}
        </body>
      </html> `,
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

function glanceHtml({ resource, level, promise, bank }: ResourceFacts): Html {
  const claimed = findFigure(bank);
  return html`<li>
    <a href="${`#${resource}`}"
      ><span class="title">${RESOURCE_WORDS[resource]}</span>
      <span class="promise">${promise?.ratio ?? '–'}</span>
      <span class="of"
        >${
          promise === undefined
            ? 'promised: unknown'
            : `${promise.promised} promised, capacity ${promise.capacity}`
        }</span
      >
      ${
        claimed === undefined
          ? undefined
          : html`<span class="claimed">If all is claimed: <strong>${claimed}</strong></span>`
      }
      ${riskBadge(level)}</a
    >
  </li> `;
}

function problemsHtml(problems: readonly Problem[]): Html | undefined {
  if (problems.length === 0) return undefined;
  return html`<section class="panel" aria-labelledby="problems">
    <h2 id="problems" tabindex="-1">Needs attention now</h2>
    <ul role="list">
      ${problems.map(
        ({ level, sentence }) =>
          html`<li>${riskMark(level)}<span>${sentenceHtml(sentence)}</span></li>`,
      )}
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
