import type { RiskLevel } from '../../risk/risk-model.ts';
import { html, type Html } from './html.ts';
import { LEVEL_WORDS } from '../words/risk-words.ts';

const STEPS = [0, 1, 2, 3] as const;

/**
 * A level as four steps and a word: it can be told without seeing its colour.
 *
 * @param isDoubtful it may be higher: not everything is known.
 */
export function riskBadge(level: RiskLevel | undefined, isDoubtful = false): Html {
  if (level === undefined) return html`<span class="badge unknown">Risk unknown</span>`;
  return html`<span class="badge level-${level}"
    >${steps(level)}${LEVEL_WORDS[level]} risk${isDoubtful ? ', as far as known' : ''}</span
  >`;
}

/** The level of one line, for the list it stands in. */
export function riskMark(level: RiskLevel): Html {
  const word = LEVEL_WORDS[level];
  return html`<span class="mark level-${level}"
    >${steps(level)}<span class="unseen">${word}: </span></span
  >`;
}

function steps(level: RiskLevel): Html {
  return html`<svg
    class="steps"
    viewBox="0 0 22 16"
    width="22"
    height="16"
    aria-hidden="true"
    focusable="false"
  >
    ${STEPS.map(
      (step) =>
        html`<rect
          class="${step <= level ? 'step on' : 'step'}"
          x="${step * 6}"
          y="${9 - step * 3}"
          width="4"
          height="${7 + step * 3}"
          rx="1"
        ></rect>`,
    )}
  </svg>`;
}
