import { describe, expect, it } from 'vitest';

import { faultsOfRunbook } from '../../../docs/runbook-faults.ts';
import {
  faultsOfActions,
  included,
  readActions,
  withActions,
  type Action,
  type ByHand,
} from '../../../docs/runbook-actions.ts';
import { parseRunbook, readRunbooks, sectionOf, stepsOf } from '../../../docs/runbook.ts';

const MOVE: Action = {
  name: 'move',
  text: `It runs on
meanwhile.

\`\`\`sh
$ virsh -c qemu:///system migrate --live "$domain" qemu+ssh://other-host/system
\`\`\``,
};

const SILENCE: Action = {
  name: 'silence',
  text: `Nobody is told of it.

\`\`\`promql
up{instance="$instance"}
\`\`\`

\`\`\`sh
$ amtool silence add alertname=<page> instance="$instance"
\`\`\``,
};

const ACTIONS = [MOVE, SILENCE];

const DIAGNOSIS = `# KvmSwapStorm

## Diagnosis

1. Look.

`;

/** A page that includes both actions as they are. */
const PAGE = `${DIAGNOSIS}## Mitigation

1. Move a guest.
   <!-- action: move -->
   It runs on
   meanwhile.

\`\`\`sh
$ virsh -c qemu:///system migrate --live "$domain" qemu+ssh://other-host/system
\`\`\`
<!-- end of move -->

2. Be quiet.
   <!-- action: silence -->
   Nobody is told of it.

\`\`\`promql
up{instance="$instance"}
\`\`\`

\`\`\`sh
$ amtool silence add alertname=KvmSwapStorm instance="$instance"
\`\`\`
<!-- end of silence -->
`;

function sh(command: string): string {
  return `\n\`\`\`sh\n$ ${command}\n\`\`\`\n`;
}

function changed(from: string, to: string): string {
  expect(PAGE).toContain(from);
  return PAGE.replace(from, to);
}

function faults(
  page: string,
  {
    actions = ACTIONS,
    byHand = [],
  }: { actions?: readonly Action[]; byHand?: readonly ByHand[] } = {},
): readonly string[] {
  return faultsOfActions([parseRunbook('KvmSwapStorm', page)], actions, byHand);
}

describe('the actions of this repository', () => {
  it('stand in the pages as they are, and nowhere by hand', () => {
    expect(faultsOfActions(readRunbooks(), readActions())).toEqual([]);
  });
});

describe('a page that includes an action', () => {
  it('has its prose in the step and its blocks where all blocks are', () => {
    expect(PAGE).toContain(included(MOVE, 'KvmSwapStorm'));
  });

  it('has its own name where the action says <page>', () => {
    expect(included(SILENCE, 'KvmBalloonLag')).toContain('alertname=KvmBalloonLag ');
  });

  it('reads as if it were all written there, without the markers', () => {
    const mitigation = sectionOf(parseRunbook('KvmSwapStorm', PAGE), 'Mitigation');
    const [move] = mitigation === undefined ? [] : stepsOf(mitigation);
    expect(move?.text).toBe('Move a guest. It runs on meanwhile.');
    expect(move?.blocks.map(({ language }) => language)).toEqual(['sh']);
  });

  it('is held to what every page is held to', () => {
    const wide = Array.from({ length: 20 }, () => 'word').join(' ');
    const page = changed('   It runs on', `   ${wide}`);
    expect(faultsOfRunbook(parseRunbook('KvmSwapStorm', page))).toContain(
      'KvmSwapStorm.md:11: 102 columns',
    );
  });
});

describe('writing actions into a page', () => {
  it('changes nothing where all is as the actions say', () => {
    expect(withActions('KvmSwapStorm', PAGE, ACTIONS)).toBe(PAGE);
  });

  it('fills what is empty and repairs what differs', () => {
    const empty = PAGE.replace(/(<!-- action: move -->\n)[^]*?(<!-- end of move)/, '$1$2');
    const different = empty.replace('Nobody', 'Everybody');
    expect(withActions('KvmSwapStorm', different, ACTIONS)).toBe(PAGE);
  });

  it('leaves alone what names no action or does not end', () => {
    const unknown = PAGE.replaceAll(/(action:|end of) move/g, '$1 walk');
    expect(withActions('KvmSwapStorm', unknown, ACTIONS)).toBe(unknown);
    const open = changed('<!-- end of silence -->\n', '');
    expect(withActions('KvmSwapStorm', open, ACTIONS)).toBe(open);
  });
});

describe('a fault of actions is found', () => {
  it('none where pages include them as they are', () => {
    expect(faults(PAGE)).toEqual([]);
  });

  it('text between markers that is not what the action says', () => {
    const drift =
      'KvmSwapStorm.md:10: is not what actions/move.md says, run `npm run check:runbooks -- --write`';
    expect(faults(changed('It runs on', 'It runs off'))).toEqual([drift]);
    expect(faults(changed('   meanwhile.', 'meanwhile.'))).toEqual([drift]);
    expect(faults(changed('migrate --live', 'migrate'))).toEqual([drift]);
  });

  it('the name of another page in what is included', () => {
    expect(faults(changed('alertname=KvmSwapStorm', 'alertname=KvmBalloonLag'))).toHaveLength(1);
  });

  it('a marker that names no action', () => {
    expect(faults(PAGE.replaceAll(/(action:|end of) move/g, '$1 walk'))).toContain(
      'KvmSwapStorm.md:10: there is no actions/walk.md',
    );
  });

  it('a marker that does not end, also where another begins first', () => {
    expect(faults(changed('<!-- end of silence -->', ''))).toContain(
      'KvmSwapStorm.md:20: the include of silence does not end',
    );
    expect(faults(changed('<!-- end of move -->', ''))).toContain(
      'KvmSwapStorm.md:10: the include of move does not end',
    );
  });

  it('an end of what has not begun', () => {
    const page = changed('<!-- end of move -->', '<!-- end of walk -->');
    expect(faults(page)).toContain('KvmSwapStorm.md:10: the include of move does not end');
    expect(faultsOfRunbook(parseRunbook('KvmSwapStorm', page))).toContain(
      'KvmSwapStorm.md:17: <!-- end of walk --> ends nothing',
    );
  });

  it('an action no page includes', () => {
    const walk = { name: 'walk', text: 'Slowly.' };
    expect(faults(PAGE, { actions: [...ACTIONS, walk] })).toEqual([
      'actions/walk.md:1: no page includes it',
    ]);
  });

  it('a command of an action that a page copies', () => {
    const command = 'virsh -c qemu:///system migrate --live "$domain" qemu+ssh://other-host/system';
    expect(faults(PAGE + sh(command))).toEqual([
      `KvmSwapStorm.md:32: "${command}" is of actions/move.md: include that`,
    ]);
    expect(
      faults(`${PAGE}${sh('amtool silence add alertname=KvmSwapStorm instance="$instance"')}`),
    ).toHaveLength(1);
  });

  it('an expression of an action that a page copies', () => {
    expect(faults(`${PAGE}\n\`\`\`promql\nup{instance="$instance"}\n\`\`\`\n`)).toEqual([
      'KvmSwapStorm.md:32: "up{instance="$instance"}" is of actions/silence.md: include that',
    ]);
  });

  it('not in a diagnosis, which looks where an action looks', () => {
    const expression = '\n```promql\nup{instance="$instance"}\n```\n';
    expect(faults(changed('1. Look.\n', `1. Look.\n${expression}`))).toEqual([]);
  });

  it('a command two pages have by hand', () => {
    const page = parseRunbook('KvmSwapStorm', PAGE + sh('swapon --all'));
    const other = parseRunbook('KvmBalloonLag', `## Mitigation\n${sh('swapon --all')}`);
    expect(faultsOfActions([page, other], ACTIONS, [])).toEqual([
      'KvmSwapStorm.md:32: "swapon --all" is in other pages, too: make it an action',
      'KvmBalloonLag.md:3: "swapon --all" is in other pages, too: make it an action',
    ]);
  });

  it('a command that is like one of an action, unless there is a reason', () => {
    const command =
      'virsh -c qemu:///system migrate --live --postcopy "$domain" qemu+ssh://b/system';
    const page = PAGE + sh(command);
    expect(faults(page)).toEqual([
      `KvmSwapStorm.md:32: "${command}" is like actions/move.md: include that, or say in BY_HAND why not`,
    ]);
    expect(faults(page, { byHand: [{ command: /--postcopy/, reason: 'ends sooner' }] })).toEqual(
      [],
    );
  });

  it('a file that an action writes, written otherwise', () => {
    const stop = { name: 'stop-ksm', text: '```sh\n$ echo 0 > /sys/kernel/mm/ksm/run\n```' };
    const page = `${PAGE}${included(stop, 'KvmSwapStorm')}\n`;
    const actions = [...ACTIONS, stop];
    expect(faults(page, { actions })).toEqual([]);
    expect(faults(page + sh('echo 1 > /sys/kernel/mm/ksm/run'), { actions })).toHaveLength(1);
    expect(faults(page + sh('echo 1 > /sys/kernel/mm/ksm/smart_scan'), { actions })).toEqual([]);
  });

  it('a reason for a command that is gone', () => {
    expect(faults(PAGE, { byHand: [{ command: /--postcopy/, reason: 'ends sooner' }] })).toEqual([
      '../runbook-actions.ts:1: no page has /--postcopy/ by hand any more',
    ]);
  });
});
