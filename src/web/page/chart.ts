import { html, type Html } from './html.ts';
import type { Bar, Chart } from './resource-facts.ts';
import type { Sentence } from './sentence.ts';
import { toWords } from './sentence.ts';
import { sentenceHtml } from './sentence-html.ts';

/**
 * Bars on one scale, each with its label and its value in words. Widths are attributes of SVG
 * shapes: the content security policy lets no style in.
 */
export function chartHtml({ of, bars }: Chart, resource: string): Html {
  const heading: Sentence = of === undefined ? [resource] : [of];
  const longest = Math.max(...bars.map(({ value }) => value));
  return html`<figure class="chart">
    ${of === undefined ? undefined : html`<figcaption>${sentenceHtml(heading)}</figcaption>`}
    ${bars.map((bar) => barHtml(bar, longest, toWords(heading)))}
  </figure>`;
}

function barHtml({ kind, label, value, text, limit }: Bar, longest: number, of: string): Html {
  const within = limit === undefined ? value : Math.min(value, limit);
  const beyond = value - within;
  return html`<div class="bar ${kind}">
    <span class="bar-label">${label}</span>
    <svg
      class="bar-track"
      width="100%"
      height="12"
      role="meter"
      aria-label="${`${of}: ${label}`}"
      aria-valuemin="0"
      aria-valuemax="${longest}"
      aria-valuenow="${value}"
      aria-valuetext="${text}"
    >
      <rect class="track" width="100%" height="12" rx="3"></rect>
      <rect class="fill" width="${percent(within, longest)}" height="12" rx="3"></rect>
      ${
        beyond > 0
          ? html`<rect
              class="beyond"
              x="${percent(within, longest)}"
              width="${percent(beyond, longest)}"
              height="12"
            ></rect>`
          : undefined
      }
    </svg>
    <span class="bar-value">${text}</span>
  </div>`;
}

/** Nothing is drawn for nothing, and at least a hair for something. */
function percent(value: number, longest: number): string {
  if (value <= 0 || longest <= 0) return '0%';
  return `${Math.max(0.6, (value / longest) * 100).toFixed(2)}%`;
}
