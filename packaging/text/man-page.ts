import type { Project } from '../project.ts';
import { FLAGS, REPORT_FLAGS } from './flags.ts';
import type { FlagText } from '../../src/config/flags.ts';

/**
 * kvm-overcommit-exporter(8), in the macros of man(7), from the flags themselves.
 *
 * @param date of the page, `2026-11-26`.
 */
export function manPage({ name, version, description, homepage }: Project, date: string): string {
  return [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 8 "${date}" "${name} ${version}"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(description)}`,
    '.SH SYNOPSIS',
    `.B ${escaped(name)}`,
    '.RI [ flags ]',
    '.PP',
    `.B ${escaped(name)} report`,
    '.RI [ flags ]',
    '.SH DESCRIPTION',
    ...DESCRIPTION.flatMap((paragraph) => [escaped(paragraph), '.PP']),
    '.SH OPTIONS',
    ...FLAGS.flatMap(flagLines),
    '.PP',
    'Every',
    '.BI \\-\\-collector. name',
    'has a',
    '.BI \\-\\-no\\-collector. name\\fR.',
    '.SH REPORT',
    '.B report',
    'looks at the host twice, prints what the page would say, and ends; nothing listens. It takes the',
    'flags above as well, and',
    ...REPORT_FLAGS.flatMap(flagLines),
    '.SH SIGNALS',
    '.TP',
    '.B SIGHUP',
    'Reads the policy and the web configuration again; a file with a fault leaves the old one in force.',
    '.TP',
    '.BR SIGTERM ", " SIGINT',
    'Answers what was asked and ends. The second one ends at once.',
    '.SH EXIT STATUS',
    '.TP',
    '.B 2',
    'A flag or a file has a fault, or an address is in use; one line on standard error says which.',
    '.PP',
    'Of',
    '.BR report :',
    '.TP',
    '.B 0',
    'Every risk is known, and low or medium.',
    '.TP',
    '.B 1',
    'The highest risk is high.',
    '.TP',
    '.B 2',
    'The highest risk is critical.',
    '.TP',
    '.B 3',
    'Unknown: a risk is not known and none is high, or a flag or a file has a fault.',
    '.SH FILES',
    ...FILES.flatMap(([path, what]) => ['.TP', `.I ${escaped(path)}`, what]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B NODE_OPTIONS',
    'Options of the Node.js inside, such as a limit on its memory.',
    '.TP',
    '.B MALLOC_ARENA_MAX',
    'Heaps of the C library; the service sets 1, which saves memory.',
    '.SH SEE ALSO',
    `.UR ${homepage}`,
    'Documentation',
    '.UE ,',
    '.BR prometheus (1)',
    '',
  ].join('\n');
}

function flagLines(flag: FlagText): readonly string[] {
  return [
    '.TP',
    `\\fB${escaped(flag.long)}\\fR${flag.value === undefined ? '' : ` \\fI${escaped(flag.value)}\\fR`}`,
    escaped(flag.help),
    ...(flag.choices === undefined ? [] : [`One of ${flag.choices.join(', ')}.`]),
    ...(flag.default === undefined ? [] : [`Default: ${escaped(flag.default)}`]),
  ];
}

const DESCRIPTION = [
  'Runs beside a KVM hypervisor and tells Prometheus how far the host is over-committed in CPUs, ' +
    'memory, storage and network, what happens when guests call the promise in, and which guests ' +
    'cause or suffer contention.',
  "It reads libvirt's read-only socket, /proc and /sys, and changes nothing. Metrics are served on " +
    'port 9177 at /metrics, a page for people at /.',
] as const;

const FILES: readonly (readonly [path: string, what: string])[] = [
  ['/etc/default/kvm-overcommit-exporter', 'Flags of the service on Debian and its like.'],
  ['/etc/sysconfig/kvm-overcommit-exporter', 'The same on Red Hat and its like.'],
  ['/etc/kvm-overcommit-exporter/policy.yaml', 'Limits and reserves of this host.'],
  ['/usr/share/kvm-overcommit-exporter', 'Rules for Prometheus, runbooks, dashboards for Grafana.'],
];

/** Text that roff takes as it is: no line may begin with a control character. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&');
}
