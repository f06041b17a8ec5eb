import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { Fault } from './runbook-faults.ts';
import {
  commandsOf,
  parseRunbook,
  RUNBOOKS_FOLDER,
  sectionOf,
  type Block,
  type Runbook,
} from './runbook.ts';

export const ACTIONS_FOLDER = join(RUNBOOKS_FOLDER, 'actions');

/** What a page tells to do, in the one wording all pages share. */
export interface Action {
  /** Of the file, without `.md`. */
  readonly name: string;
  /** Its Markdown, where `<page>` stands for the name of the page that includes it. */
  readonly text: string;
}

/** A command pages have that is like one of an action, and why it is none of it. */
export interface ByHand {
  readonly command: RegExp;
  readonly reason: string;
}

/** Commands of one page each that do what an action does, but not as that does it. */
export const BY_HAND: readonly ByHand[] = [
  { command: /^amtool .*alertname=KvmWatchdog$/, reason: 'the alert has no host' },
  { command: /^amtool .*--comment="maintenance"/, reason: 'mutes every alert of the host' },
  { command: /^virsh .* suspend noisy-guest$/, reason: 'another guest than the one of the alert' },
  { command: /^virsh -c qemu\+ssh\S+ start /, reason: 'starts on the other host' },
  { command: /^virsh .* dommemstat .* --period /, reason: 'sets a period, where others only read' },
  {
    command: /^virsh .* schedinfo .* (?:cpu_shares=200|vcpu_quota=100000|\w+_quota=-1)$/,
    reason: 'gives the guest CPU time, where actions take it',
  },
  { command: /^virsh .* memtune .* -1 --live$/, reason: 'until the next start alone' },
  { command: /^virsh .* memtune .* -1 --config$/, reason: 'the guest is off' },
  { command: /^virsh .* blkdeviotune .* --total-/, reason: 'limits reads, too' },
  { command: /^virsh .* domiftune .* --config /, reason: 'a limit to stay, and a wider one' },
  {
    command: /^virsh .* vcpupin .* (?:2-3|4-7) /,
    reason: 'moves a vCPU, and gives it no more CPUs',
  },
  { command: /^virsh .* setvcpus .* 4 --/, reason: 'as many as the host has, or while it runs' },
  {
    command: /^virsh .* setmaxmem .* 4G /,
    reason: 'gives less memory, where the action gives more',
  },
  { command: /^lvextend --size \S+ vg0\/thin$/, reason: 'the alert names no pool' },
  { command: /^systemctl restart kvm-overcommit-exporter$/, reason: 'not libvirt' },
  { command: /^echo 1 > \S+\/ksm\/run$/, reason: 'starts KSM, where the action stops it' },
];

/** All actions by name. */
export function readActions(folder: string = ACTIONS_FOLDER): readonly Action[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .toSorted()
    .map((file) => ({
      name: basename(file, '.md'),
      text: readFileSync(join(folder, file), 'utf8').trim(),
    }));
}

/**
 * An action as it stands in a page, with its markers. Prose is indented and follows the text of the
 * step at once, so that a renderer makes it part of the step; blocks are where all blocks are.
 */
export function included({ name, text }: Action, page: string): string {
  let isBlock = false;
  const lines = text.replaceAll('<page>', page).split('\n');
  const indented = lines.map((line) => {
    const isFence = line.startsWith('```');
    if (isFence) isBlock = !isBlock;
    return isFence || isBlock || line === '' ? line : `   ${line}`;
  });
  return [`   <!-- action: ${name} -->`, ...indented, `<!-- end of ${name} -->`].join('\n');
}

/** A page whose includes are what the actions say; what cannot be included stays as it is. */
export function withActions(page: string, markdown: string, actions: readonly Action[]): string {
  const lines = markdown.split('\n');
  // From the last one up, so that lines before keep their numbers.
  for (const { action: name, line, end } of parseRunbook(page, markdown).includes.toReversed()) {
    const action = actions.find((one) => one.name === name);
    if (action === undefined || end === undefined) continue;
    lines.splice(line - 1, end - line + 1, ...included(action, page).split('\n'));
  }
  return lines.join('\n');
}

/** Every fault of what pages include, and of what they copy where they could include it. */
export function faultsOfActions(
  runbooks: readonly Runbook[],
  actions: readonly Action[],
  byHand: readonly ByHand[] = BY_HAND,
): readonly Fault[] {
  const used = new Set(runbooks.flatMap(({ includes }) => includes.map(({ action }) => action)));
  const unused = actions
    .filter(({ name }) => !used.has(name))
    .map(({ name }) => `actions/${name}.md:1: no page includes it`);
  const own = runbooks.flatMap(commandsByHand);
  const spare = byHand
    .filter((one) => !own.some(({ command }) => one.command.test(command)))
    .map(({ command }) => `../runbook-actions.ts:1: no page has ${command} by hand any more`);
  return [
    ...runbooks.flatMap((runbook) => faultsOfIncludes(runbook, actions)),
    ...faultsOfCommands(own, actions, byHand),
    ...unused,
    ...spare,
  ];
}

function faultsOfIncludes(
  { name: page, includes }: Runbook,
  actions: readonly Action[],
): readonly Fault[] {
  return includes.flatMap(({ action: name, line, end, text }) => {
    const action = actions.find((one) => one.name === name);
    const report = (what: string): readonly Fault[] => [`${page}.md:${line}: ${what}`];
    if (action === undefined) return report(`there is no actions/${name}.md`);
    if (end === undefined) return report(`the include of ${name} does not end`);
    if (text === included(action, page)) return [];
    return report(`is not what actions/${name}.md says, run \`npm run check:runbooks -- --write\``);
  });
}

interface OwnCommand {
  readonly page: string;
  readonly line: number;
  readonly command: string;
}

/** What a page tells to do outside of includes. A diagnosis may look where an action looks. */
function commandsByHand(runbook: Runbook): readonly OwnCommand[] {
  const blocks = sectionOf(runbook, 'Mitigation')?.blocks ?? [];
  return blocks
    .filter(
      (block) =>
        !runbook.includes.some(({ line, end = line }) => line < block.line && block.line < end),
    )
    .flatMap((block) =>
      linesOf(block).map((command) => ({ page: runbook.name, line: block.line, command })),
    );
}

function faultsOfCommands(
  own: readonly OwnCommand[],
  actions: readonly Action[],
  byHand: readonly ByHand[],
): readonly Fault[] {
  const ofActions = actions.flatMap(commandsOfAction);
  return own.flatMap(({ page, line, command }) => {
    const report = (what: string): readonly Fault[] => [`${page}.md:${line}: "${command}" ${what}`];
    const copied = ofActions.find((one) => one.command.replaceAll('<page>', page) === command);
    if (copied !== undefined) return report(`is of actions/${copied.action}.md: include that`);
    if (own.some((one) => one.command === command && one.page !== page)) {
      return report('is in other pages, too: make it an action');
    }
    const like = ofActions.find((one) => kindOf(one.command) === kindOf(command));
    if (like === undefined || byHand.some((one) => one.command.test(command))) return [];
    return report(`is like actions/${like.action}.md: include that, or say in BY_HAND why not`);
  });
}

function commandsOfAction({ name, text }: Action) {
  const { sections } = parseRunbook(name, `## Mitigation\n${text}`);
  return sections
    .flatMap(({ blocks }) => blocks.flatMap(linesOf))
    .map((command) => ({ action: name, command }));
}

function linesOf(block: Block): readonly string[] {
  return block.language === 'sh' ? commandsOf(block) : [block.text];
}

/** What a command is about: the file it writes, the subcommand of virsh, else its first words. */
function kindOf(command: string): string {
  const written = /> ?(\/\S+)$/.exec(command)?.[1];
  const subcommand = /^virsh (?:-r )?-c \S+ (\S+)/.exec(command)?.[1];
  return written ?? subcommand ?? command.split(' ', 2).join(' ');
}
