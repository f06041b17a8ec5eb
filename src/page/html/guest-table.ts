import { formatBitRate, formatBytes, formatNumber, formatPercent } from '../words/format.ts';
import { compareNames, type GuestRow } from '../words/guest-rows.ts';
import { SOURCE_WORDS } from '../words/source-words.ts';
import { visibleName } from '../words/visible-name.ts';
import { guestLink } from './guest-link.ts';
import { html, type Html } from './html.ts';
import { DEFAULT_LIST, listQuery, type GuestListRequest, type SortKey } from './list-request.ts';

interface Column {
  readonly key: SortKey;
  readonly title: string;
  readonly explanation: string;
  /** Undefined is unknown, and always last. */
  readonly valueOf: (row: GuestRow) => number | undefined;
  readonly write: (value: number) => string;
}

const COLUMNS: readonly Column[] = [
  {
    key: 'vcpus',
    title: 'vCPUs',
    explanation: 'vCPUs it has now',
    valueOf: ({ vcpus }) => vcpus,
    write: String,
  },
  {
    key: 'cpus',
    title: 'CPU used',
    explanation: 'CPUs it uses, QEMU included',
    valueOf: ({ cpus }) => cpus,
    write: formatNumber,
  },
  {
    key: 'waited',
    title: 'Waited',
    explanation: 'time its vCPUs were ready to run but waited for a CPU',
    valueOf: ({ delayRatio }) => delayRatio,
    write: formatPercent,
  },
  {
    key: 'memory',
    title: 'Memory',
    explanation: 'memory promised to it now',
    valueOf: ({ memoryBytes }) => memoryBytes,
    write: formatBytes,
  },
  {
    key: 'claim',
    title: 'Can claim',
    explanation: 'memory it can still claim',
    valueOf: ({ claimableBytes }) => claimableBytes,
    write: formatBytes,
  },
  {
    key: 'swapped',
    title: 'Swapped',
    explanation: 'part of its memory the host has swapped out',
    valueOf: ({ swappedBytes }) => swappedBytes,
    write: formatBytes,
  },
  {
    key: 'write',
    title: 'Can write',
    explanation: 'space its images can still allocate',
    valueOf: ({ claimableStorageBytes }) => claimableStorageBytes,
    write: formatBytes,
  },
  {
    key: 'network',
    title: 'Network',
    explanation: 'what it receives and sends',
    valueOf: ({ trafficBytesPerSecond }) => trafficBytesPerSecond,
    write: formatBitRate,
  },
];

/** Every guest that is asked for, as a table that becomes a list of cards on a narrow screen. */
export function guestTable(guests: readonly GuestRow[], asked: GuestListRequest): Html {
  if (guests.length === 0) return html`<p>There are no guests.</p>`;
  const rows = sorted(filtered(guests, asked.filter), asked);
  // Where all are libvirt's it goes without saying.
  const namesSources = guests.some(({ source }) => source !== 'libvirt');
  // Narrow screens lay the table out as blocks, which takes its roles away in some browsers.
  return html`${listForm(asked)}
    <details id="columns">
      <summary id="columns-summary">What the columns mean</summary>
      <dl>
        ${COLUMNS.map(
          ({ title, explanation }) =>
            html`<div>
              <dt>${title}</dt>
              <dd>${explanation}</dd>
            </div>`,
        )}
      </dl>
    </details>
    <table role="table" aria-labelledby="guests" aria-describedby="guests-order">
      <caption id="guests-order">
        ${captionText(rows.length, guests.length, asked)} A dash means unknown.
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${headerHtml('name', 'Guest', asked, 'text')}
          ${headerHtml('trouble', 'State', asked, 'text')}
          ${COLUMNS.map(({ key, title }) => headerHtml(key, title, asked, 'number'))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((row) => rowOf(row, namesSources))}
      </tbody>
    </table>`;
}

function captionText(shown: number, all: number, { sort, filter }: GuestListRequest): string {
  const count =
    filter === ''
      ? ''
      : `${formatNumber(shown)} of ${formatNumber(all)} guests with “${visibleName(filter)}”. `;
  if (sort === 'trouble') return `${count}Those that suffer most first, then by name.`;
  const title = COLUMNS.find(({ key }) => key === sort)?.title ?? 'Guest';
  return `${count}By ${title}.`;
}

/** Works without the script: what is asked for stands in the address. */
function listForm({ sort, descending, filter }: GuestListRequest): Html {
  const choices: readonly (readonly [SortKey, string])[] = [
    ['trouble', 'Suffering'],
    ['name', 'Name'],
    ...COLUMNS.map(({ key, title }) => [key, title] as const),
  ];
  return html`<form class="list-form" method="get" action="./" role="search" aria-label="Guests">
    <label
      >Name or state contains
      <input id="guest-filter" type="search" name="q" value="${filter}" maxlength="200"
    /></label>
    <label
      >Sort by
      <select id="guest-sort" name="sort">
        ${choices.map(([key, title]) =>
          key === sort
            ? html`<option value="${key}" selected>${title}</option>`
            : html`<option value="${key}">${title}</option>`,
        )}
      </select></label
    >
    <label
      >Order
      <select id="guest-order" name="order">
        ${
          descending
            ? html`<option value="asc">Least first</option>
                <option value="desc" selected>Most first</option>`
            : html`<option value="asc" selected>Least first</option>
                <option value="desc">Most first</option>`
        }
      </select></label
    >
    <button id="guest-apply">Show</button>
    ${
      filter === '' && sort === DEFAULT_LIST.sort
        ? undefined
        : html`<a id="guest-reset" href="./">Show all</a>`
    }
  </form>`;
}

function headerHtml(
  key: SortKey,
  title: string,
  asked: GuestListRequest,
  kind: 'text' | 'number',
): Html {
  const isSorted = asked.sort === key;
  const descending = isSorted ? !asked.descending : key !== 'name';
  const link = `./${listQuery({ ...asked, sort: key, descending })}#guests`;
  const order = !isSorted ? 'none' : asked.descending ? 'descending' : 'ascending';
  const arrow = !isSorted ? '' : asked.descending ? ' ↓' : ' ↑';
  return html`<th role="columnheader" scope="col" class="${kind}" aria-sort="${order}">
    <a id="${`sort-${key}`}" href="${link}">${title}${arrow}</a><span class="narrow">${title}</span>
  </th>`;
}

function filtered(guests: readonly GuestRow[], filter: string): readonly GuestRow[] {
  if (filter === '') return guests;
  const wanted = filter.toLowerCase();
  return guests.filter(
    (row) =>
      row.name.toLowerCase().includes(wanted) || stateText(row).toLowerCase().includes(wanted),
  );
}

/** They come with those that suffer most first. */
function sorted(
  guests: readonly GuestRow[],
  { sort, descending }: GuestListRequest,
): readonly GuestRow[] {
  const sign = descending ? -1 : 1;
  if (sort === 'trouble') return descending ? guests : guests.toReversed();
  if (sort === 'name') {
    return guests.toSorted((one, other) => sign * compareNames(one.name, other.name));
  }
  const valueOf = COLUMNS.find(({ key }) => key === sort)?.valueOf;
  if (valueOf === undefined) return guests;
  const known = guests.flatMap((row) => {
    const value = valueOf(row);
    return value === undefined ? [] : [{ row, value }];
  });
  known.sort((one, other) => sign * (one.value - other.value));
  return [...known.map(({ row }) => row), ...guests.filter((row) => valueOf(row) === undefined)];
}

/** Its state, and what it suffers beside that. */
function stateText({ state, troubles }: GuestRow): string {
  return [state, ...troubles.flatMap(({ short }) => short ?? [])].join(', ');
}

/** However the guests of one look are sorted and filtered, each row is written once. */
const written = new WeakMap<GuestRow, Html>();

function rowOf(row: GuestRow, namesSources: boolean): Html {
  let known = written.get(row);
  if (known === undefined) {
    known = rowHtml(row, namesSources);
    written.set(row, known);
  }
  return known;
}

function rowHtml(row: GuestRow, namesSources: boolean): Html {
  const source = namesSources
    ? html`<span class="source">known from ${SOURCE_WORDS[row.source]}</span>`
    : undefined;
  return html`<tr role="row" class="${row.troubles.length > 0 ? 'trouble' : 'calm'}">
    <th role="rowheader" scope="row">${guestLink(row, `guest-${row.uuid}`)}${source}</th>
    <td role="cell">${stateText(row)}</td>
    ${COLUMNS.map(({ valueOf, write }) => cellHtml(valueOf(row), write))}
  </tr>`;
}

function cellHtml(value: number | undefined, write: (value: number) => string): Html {
  return html`<td role="cell" class="number">${value === undefined ? '–' : write(value)}</td>`;
}
