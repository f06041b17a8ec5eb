import { formatBitRate, formatBytes, formatNumber, formatPercent } from './format.ts';
import type { GuestRows, GuestRow } from './guest-rows.ts';
import { html, type Html } from './html.ts';
import { nameHtml } from './sentence-html.ts';

interface Column {
  readonly title: string;
  readonly explanation: string;
  readonly of: (row: GuestRow) => string | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'vCPUs', explanation: 'vCPUs it has now', of: ({ vcpus }) => written(vcpus, String) },
  {
    title: 'CPU used',
    explanation: 'CPUs it uses, QEMU included',
    of: ({ cpus }) => written(cpus, formatNumber),
  },
  {
    title: 'Waited',
    explanation: 'Time its vCPUs were ready to run but waited for a CPU',
    of: ({ delayRatio }) => written(delayRatio, formatPercent),
  },
  {
    title: 'Memory',
    explanation: 'Memory promised to it now',
    of: ({ memoryBytes }) => written(memoryBytes, formatBytes),
  },
  {
    title: 'Can claim',
    explanation: 'Memory it can still claim',
    of: ({ claimableBytes }) => written(claimableBytes, formatBytes),
  },
  {
    title: 'Swapped',
    explanation: 'Part of its memory the host has swapped out',
    of: ({ swappedBytes }) => written(swappedBytes, formatBytes),
  },
  {
    title: 'Can write',
    explanation: 'Space its images can still allocate',
    of: ({ claimableStorageBytes }) => written(claimableStorageBytes, formatBytes),
  },
  {
    title: 'Network',
    explanation: 'What it receives and sends',
    of: ({ trafficBytesPerSecond }) => written(trafficBytesPerSecond, formatBitRate),
  },
];

/** The guests as a table that becomes a list of cards where the screen is narrow. */
export function guestTable({ rows, total }: GuestRows): Html {
  if (total === 0) return html`<p>libvirt has no guests.</p>`;
  // Narrow screens lay the table out as blocks, which takes its roles away in some browsers.
  return html`<table role="table" aria-labelledby="guests" aria-describedby="guests-order">
    <caption id="guests-order">
      ${
        rows.length < total
          ? `${formatNumber(rows.length)} of ${formatNumber(total)} guests, those in trouble first; all of them are in the metrics.`
          : 'Those in trouble first, then by name.'
      }
      A dash means unknown.
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Guest</th>
        <th role="columnheader" scope="col">State</th>
        ${COLUMNS.map(
          ({ title, explanation }) =>
            html`<th role="columnheader" scope="col" class="number" title="${explanation}">
              ${title}
            </th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(rowHtml)}
    </tbody>
  </table>`;
}

function rowHtml(row: GuestRow): Html {
  return html`<tr role="row" class="${row.isTrouble ? 'trouble' : 'calm'}">
    <th role="rowheader" scope="row">${nameHtml(row.name)}</th>
    <td role="cell" data-label="State">${row.state}</td>
    ${COLUMNS.map(
      ({ title, of }) =>
        html`<td role="cell" class="number" data-label="${title}">${of(row) ?? '–'}</td>`,
    )}
  </tr> `;
}

function written(value: number | undefined, write: (value: number) => string): string | undefined {
  return value === undefined ? undefined : write(value);
}
