import { visibleText } from '../../config/visible-text.ts';
import type { PageFacts } from '../facts/page-facts.ts';
import type { ResourceFacts } from '../facts/resource-facts.ts';
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatTime,
} from '../words/format.ts';
import type { GuestRow } from '../words/guest-rows.ts';
import { LEVEL_WORDS, RESOURCE_WORDS } from '../words/risk-words.ts';
import type { Sentence } from '../words/sentence.ts';
import { visibleName } from '../words/visible-name.ts';
import { columnsOf, fit, wrap } from './columns.ts';

/** Guests in the report; `--json` has all. */
const MOST_GUESTS = 15;
const LEVEL_COLUMNS = 10;

/**
 * What the page says, for a terminal: no escape sequences, nothing a name could make one of.
 *
 * @param width columns, from 80 on.
 */
export function reportText(facts: PageFacts, width: number): string {
  const { hostname, guestCount, description, takenAtSeconds, demo, exporter } = facts;
  const about = [guestCount, ...description].filter((text) => text !== undefined);
  const lines = [
    `${visibleName(hostname ?? 'This host')}, ${formatTime(takenAtSeconds)}${demo ? ' (a demo: simulated)' : ''}`,
    about.join(', '),
    facts.summary,
  ].flatMap((text) => (text === '' ? [] : wrap(visibleText(text), width, '')));
  if (exporter.faults.length > 0) {
    lines.push('', 'What the exporter cannot see');
    for (const { sentence, detail } of exporter.faults) {
      lines.push(
        ...paragraph(sentence, width),
        ...(detail === undefined ? [] : paragraph(detail, width)),
      );
    }
  }
  if (facts.problems.length > 0) {
    lines.push('', 'Needs attention now');
    for (const { level, sentence } of facts.problems) {
      lines.push(...labelled(LEVEL_WORDS[level], sentence, width));
    }
  }
  for (const resource of facts.resources) lines.push('', ...resourceLines(resource, width));
  lines.push(...guestLines(facts.guests, width));
  return `${lines.map((line) => line.replaceAll('\u00a0', ' ').trimEnd()).join('\n')}\n`;
}

function resourceLines(facts: ResourceFacts, width: number): readonly string[] {
  const {
    resource,
    level,
    promise,
    isNothingPromised,
    lead,
    bank,
    reasons,
    doubts,
    unseen,
    sufferers,
    top,
  } = facts;
  const risk = level === undefined ? 'risk unknown' : `${LEVEL_WORDS[level].toLowerCase()} risk`;
  const known = doubts.length > 0 ? `${risk}, as far as known` : risk;
  const promised =
    promise === undefined
      ? isNothingPromised
        ? 'nothing is promised'
        : 'promised: unknown'
      : `${promise.ratio} (${promise.promised} promised, capacity ${promise.capacity})`;
  return [
    ...wrap(`${RESOURCE_WORDS[resource]}: ${known}; ${promised}`, width, '  '),
    ...(lead === undefined ? [] : paragraph(lead.sentence, width)),
    ...paragraph(bank, width),
    ...reasons
      .filter((reason) => reason !== lead && !reason.isSaid)
      .flatMap((reason) => labelled(LEVEL_WORDS[reason.level], reason.sentence, width)),
    ...[...doubts, ...unseen].flatMap((doubt) => labelled('Unknown', doubt, width)),
    ...[sufferers, top].flatMap(({ title, guests }) =>
      guests.length === 0
        ? []
        : wrap(
            `  ${title}: ${guests.map(({ name, why }) => `${visibleName(name)} (${why})`).join('; ')}.`,
            width,
            '    ',
          ),
    ),
  ];
}

function paragraph(sentence: Sentence, width: number): readonly string[] {
  return wrap(`  ${words(sentence)}`, width, '  ');
}

function labelled(label: string, sentence: Sentence, width: number): readonly string[] {
  return wrap(
    `  ${fit(label, LEVEL_COLUMNS)}${words(sentence)}`,
    width,
    ' '.repeat(LEVEL_COLUMNS + 2),
  );
}

/** Whatever is not our own is made visible: a terminal obeys what it does not show. */
function words(sentence: Sentence): string {
  return sentence
    .map((phrase) => {
      if (typeof phrase === 'string') return phrase;
      return phrase.kind === 'name' || phrase.kind === 'path'
        ? visibleName(phrase.text)
        : visibleText(phrase.text);
    })
    .join('');
}

interface Column {
  readonly title: string;
  readonly columns: number;
  readonly of: (row: GuestRow) => string;
}

const NUMBERS: readonly Column[] = [
  { title: 'CPUs', columns: 10, of: ({ cpus }) => written(cpus, formatNumber) },
  { title: 'Waited', columns: 11, of: ({ delayRatio }) => written(delayRatio, formatPercent) },
  { title: 'Memory', columns: 9, of: ({ memoryBytes }) => written(memoryBytes, formatBytes) },
  {
    title: 'Claimable',
    columns: 10,
    of: ({ claimableBytes }) => written(claimableBytes, formatBytes),
  },
  { title: 'Swapped', columns: 9, of: ({ swappedBytes }) => written(swappedBytes, formatBytes) },
];
/** From here on numbers fit beside names and states. */
const ROOM_FOR_NUMBERS = 120;
const LEAST_NAME = 20;

function guestLines(guests: readonly GuestRow[], width: number): readonly string[] {
  if (guests.length === 0) return [];
  const shown = guests.slice(0, MOST_GUESTS);
  const numbers = width >= ROOM_FOR_NUMBERS ? NUMBERS : NUMBERS.slice(0, 2);
  const taken = numbers.reduce((sum, { columns }) => sum + columns + 2, 0);
  const names = shown.map(({ name }) => columnsOf(visibleName(name)));
  const room = width - taken - 2;
  const name = Math.min(Math.max(LEAST_NAME, ...names), Math.floor(room / 2));
  const state = room - name;
  const line = (cells: readonly [string, string, ...string[]]): string => {
    const [first, second, ...rest] = cells;
    const right = rest.map((cell, index) => fit(cell, numbers[index]?.columns ?? 0, 'right'));
    return [fit(first, name), fit(second, state), ...right].join('  ');
  };
  return [
    '',
    line(['Guest', 'State, who suffers most first', ...numbers.map(({ title }) => title)]),
    ...shown.map((row) =>
      line([
        visibleName(row.name),
        [row.state, ...row.troubles.flatMap(({ short }) => short ?? [])].join(', '),
        ...numbers.map(({ of }) => of(row)),
      ]),
    ),
    ...(guests.length > shown.length
      ? [`and ${formatCount(guests.length - shown.length, 'more', 'more')}; --json has all.`]
      : []),
  ];
}

function written(value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? '-' : write(value);
}
