import { RUNBOOK_BASE_URL } from '../../risk/runbooks.ts';
import type { PageFacts } from '../facts/page-facts.ts';
import type { Reason, ResourceFacts } from '../facts/resource-facts.ts';
import { toWords, type Sentence } from '../words/sentence.ts';
import type { HostJson } from './host-schema.ts';

/** The facts of the page as JSON of {@link HostJson}. What is not known has no field. */
export function hostJson(facts: PageFacts): string {
  return `${JSON.stringify(toHostJson(facts))}\n`;
}

/** As {@link hostJson}, before it is text. */
export function toHostJson(facts: PageFacts): HostJson {
  return {
    version: 1,
    demo: facts.demo,
    hostname: facts.hostname,
    takenAtSeconds: facts.takenAtSeconds,
    level: highestLevel(facts),
    summary: facts.summary,
    rates: facts.hasRates,
    problems: facts.problems.map(({ level, sentence, runbook }) => ({
      level,
      text: plain(sentence),
      runbook: runbook === undefined ? undefined : address(runbook),
    })),
    resources: facts.resources.map(toResource),
    guests:
      facts.guestCount === undefined
        ? undefined
        : facts.guests.map(({ troubles, ...row }) => ({
            ...row,
            troubles: troubles.map(({ id, level, sentence, runbook }) => ({
              id,
              level,
              text: plain(sentence),
              runbook: runbook === undefined ? undefined : address(runbook),
            })),
          })),
    faults: facts.exporter.faults.map(({ sentence, detail }) =>
      plain(detail === undefined ? sentence : [...sentence, ' ', ...detail]),
    ),
  };
}

/** Of the resources whose risk is known; undefined where none is. */
export function highestLevel({ resources }: PageFacts): number | undefined {
  const known = resources.flatMap(({ level }) => level ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function toResource(facts: ResourceFacts): HostJson['resources'][number] {
  const { resource, level, reasons, doubts, unseen, parts, bank } = facts;
  return {
    resource,
    level,
    reasons: reasons.map(toReason),
    unknown: [...doubts, ...unseen].map(plain),
    parts: [...parts],
    summary: plain(bank),
  };
}

function toReason(reason: Reason): HostJson['resources'][number]['reasons'][number] {
  const { signal, level, value, limit, isMeasured, sentence, runbook } = reason;
  return {
    signal,
    level,
    // JSON has no infinity.
    value: Number.isFinite(value) ? value : undefined,
    limit,
    measured: isMeasured,
    text: plain(sentence),
    runbook: address(runbook),
  };
}

function address(runbook: string): string {
  return `${RUNBOOK_BASE_URL}/${runbook}.md`;
}

/** With ordinary spaces: scripts cut at them. */
function plain(sentence: Sentence): string {
  return toWords(sentence).replaceAll('\u00a0', ' ');
}
