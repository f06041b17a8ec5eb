import type { FlagText } from '../../src/config/flags.ts';
import { PROGRAM, REPORT } from '../../src/config/flags.ts';
import { FLAGS, NEGATIONS, REPORT_FLAGS } from './flags.ts';

/** Values that are files. */
const PATHS: ReadonlySet<string> = new Set(['path']);

const ALL = [...FLAGS, ...NEGATIONS, ...REPORT_FLAGS];

/** For bash-completion, under /usr/share/bash-completion/completions. */
export function bashCompletion(): string {
  const withFile = ALL.filter(takesFile).map(({ long }) => long);
  const withOther = ALL.filter(
    (flag) => flag.value !== undefined && flag.choices === undefined && !takesFile(flag),
  ).map(({ long }) => long);
  const choices = ALL.flatMap(({ long, choices: values }) =>
    values === undefined
      ? []
      : [
          `    ${long})`,
          `      mapfile -t COMPREPLY < <(compgen -W '${values.join(' ')}' -- "$cur")`,
          '      return',
          '      ;;',
        ],
  );
  return [
    `# Completion of ${PROGRAM} for bash.`,
    '_kvm_overcommit_exporter() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}',
    '  # Bash takes the = of --flag=value for a word of its own.',
    '  if [[ $cur == = ]]; then cur=; fi',
    '  if [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi',
    '  case $prev in',
    ...choices,
    `    ${withFile.join(' | ')})`,
    '      mapfile -t COMPREPLY < <(compgen -f -- "$cur")',
    '      return',
    '      ;;',
    `    ${withOther.join(' | ')})`,
    '      COMPREPLY=()',
    '      return',
    '      ;;',
    '  esac',
    `  mapfile -t COMPREPLY < <(compgen -W '${[REPORT, ...ALL.map(({ long }) => long)].join(' ')}' -- "$cur")`,
    '}',
    `complete -o filenames -F _kvm_overcommit_exporter ${PROGRAM}`,
    '',
  ].join('\n');
}

/** For zsh, as `_kvm-overcommit-exporter` in a folder of its function path. */
export function zshCompletion(): string {
  const specs = ALL.map((flag) => {
    const text = `[${flag.help.replaceAll(/[[\]:\\]/g, '\\$&')}]`;
    if (flag.value === undefined) return quoted(`${flag.long}${text}`);
    const action =
      flag.choices === undefined
        ? takesFile(flag)
          ? '_files'
          : ' '
        : `(${flag.choices.join(' ')})`;
    const repeated = flag.help.includes('may be repeated') ? '*' : '';
    return quoted(`${repeated}${flag.long}=${text}:${flag.value}:${action}`);
  });
  specs.push(quoted(`1:command:(${REPORT})`));
  return [`#compdef ${PROGRAM}`, '_arguments \\', `  ${specs.join(' \\\n  ')}`, ''].join('\n');
}

/** For fish, under vendor_completions.d. */
export function fishCompletion(): string {
  return [
    `# Completion of ${PROGRAM} for fish.`,
    `complete -c ${PROGRAM} -f`,
    `complete -c ${PROGRAM} -a ${REPORT} -d 'Print the risks of this host and end'`,
    ...ALL.map((flag) => {
      const name = flag.long.replace(/^--/, '');
      const value =
        flag.value === undefined
          ? ''
          : flag.choices === undefined
            ? takesFile(flag)
              ? ' -r -F'
              : ' -x'
            : ` -x -a ${quoted(flag.choices.join(' '))}`;
      return `complete -c ${PROGRAM} -l ${name}${value} -d ${fishQuoted(flag.help)}`;
    }),
    '',
  ].join('\n');
}

function takesFile({ value }: FlagText): boolean {
  return value !== undefined && PATHS.has(value);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
