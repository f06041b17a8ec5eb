import { RUNBOOK_BASE_URL } from '../../risk/runbooks.ts';
import { html, type Html } from './html.ts';

/**
 * A link to what to do, step by step.
 *
 * @param id stable over refreshes, for the focus of the keyboard.
 */
export function runbookLink(runbook: string | undefined, id: string): Html | undefined {
  if (runbook === undefined) return undefined;
  return html` <a class="runbook" id="${id}" href="${`${RUNBOOK_BASE_URL}/${runbook}.md`}"
    >Runbook<span class="unseen"> ${runbook}</span></a
  >`;
}
