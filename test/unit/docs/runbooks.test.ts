import { describe, expect, it } from 'vitest';

import { ALERTS, faultsOf, faultsOfRunbook } from '../../../docs/runbook-faults.ts';
import { runbookIndex } from '../../../docs/runbook-index.ts';
import {
  commandsOf,
  filled,
  parseRunbook,
  placeholdersOf,
  readRunbooks,
  sectionOf,
} from '../../../docs/runbook.ts';

/** A runbook without fault for an alert of one severity that waits fifteen minutes. */
const SOUND = `# KvmHostCpuSteal

## Meaning

For fifteen minutes more than \`steal_ratio\` in [cpu](../policy.md#cpu) is lost.

## Impact

Guests are slow.

## Diagnosis

1. See the share.

\`\`\`promql
instance:kvm_host_cpu_steal:ratio{instance="$instance"}
\`\`\`

2. See the guests, and go on with [the other](KvmHostCpuStarved.md).

\`\`\`sh
$ virsh -r -c qemu:///system list
$ curl "http://$instance/metrics" | grep ^kvm_host_cpu
\`\`\`

## Mitigation

1. Move a guest.

\`\`\`sh
$ virsh -c qemu:///system migrate "$domain" qemu+ssh://other-host/system
\`\`\`
`;

/** The faults after one change of the sound one, without their place. */
function faultsAfter(from: string, to: string): readonly string[] {
  expect(SOUND).toContain(from);
  return faultsOfRunbook(parseRunbook('KvmHostCpuSteal', SOUND.replace(from, to))).map((fault) =>
    fault.replace(/^[^ ]+ /, ''),
  );
}

describe('the runbooks of this repository', () => {
  it('have no fault', () => {
    expect(faultsOf(readRunbooks())).toEqual([]);
  });

  it('are one for each alert', () => {
    const names = readRunbooks().map(({ name }) => name);
    expect(names).toEqual(ALERTS.map(({ name }) => name).toSorted());
  });

  it('are all in the list, each once', () => {
    for (const { name } of ALERTS) {
      expect(runbookIndex().split(`| [${name}](${name}.md) |`)).toHaveLength(2);
    }
  });
});

describe('reading a runbook', () => {
  it('finds title, headings, prose and blocks with their lines', () => {
    const runbook = parseRunbook('KvmHostCpuSteal', SOUND);
    expect(runbook.titles).toEqual(['KvmHostCpuSteal']);
    expect(runbook.sections.map(({ heading }) => heading)).toEqual([
      'Meaning',
      'Impact',
      'Diagnosis',
      'Mitigation',
    ]);
    const diagnosis = sectionOf(runbook, 'Diagnosis');
    expect(diagnosis?.prose[0]).toEqual({ text: '1. See the share.', line: 13 });
    expect(diagnosis?.blocks).toEqual([
      {
        language: 'promql',
        text: 'instance:kvm_host_cpu_steal:ratio{instance="$instance"}',
        line: 15,
      },
      {
        language: 'sh',
        text:
          '$ virsh -r -c qemu:///system list\n' +
          '$ curl "http://$instance/metrics" | grep ^kvm_host_cpu',
        line: 21,
      },
    ]);
  });

  it('takes the prompt off commands', () => {
    const block = { language: 'sh', text: '$ df -h\n$ echo "$domain"', line: 1 };
    expect(commandsOf(block)).toEqual(['df -h', 'echo "$domain"']);
  });

  it('knows what the reader fills in from what the command sets itself', () => {
    expect(
      placeholdersOf(`awk '{print $x}' "$path"; for name in a; do echo "$name"; done`),
    ).toEqual(['path']);
  });

  it('fills in values and leaves what it does not know', () => {
    expect(filled('a{instance="$instance",x="$other"}', { instance: 'host:9177' })).toBe(
      'a{instance="host:9177",x="$other"}',
    );
  });
});

describe('a fault of a runbook is found', () => {
  it('none in a sound one', () => {
    expect(faultsAfter('Guests are slow.', 'Guests are slower.')).toEqual([]);
  });

  it('an alert without runbook', () => {
    expect(faultsOf([])).toHaveLength(ALERTS.length);
    expect(faultsOf([])).toContain('KvmSwapStorm: the alert has no runbook');
  });

  it('a runbook without alert', () => {
    const faults = faultsOfRunbook(
      parseRunbook('KvmGone', SOUND.replace('# KvmHostCpuSteal', '# KvmGone')),
    );
    expect(faults).toContain('KvmGone.md:1: there is no such alert');
  });

  it('another title, another order of headings', () => {
    expect(faultsAfter('# KvmHostCpuSteal', '# Steal')).toEqual([
      'the title is not KvmHostCpuSteal',
    ]);
    expect(faultsAfter('## Impact', '## Effect')).toEqual([
      'headings are Meaning, Effect, Diagnosis, Mitigation',
    ]);
  });

  it('an expression that is none, a series and a label that do not exist', () => {
    const good = 'instance:kvm_host_cpu_steal:ratio{instance="$instance"}';
    expect(faultsAfter(good, 'sum(')[0]).toMatch(/^not PromQL/);
    expect(faultsAfter(good, 'kvm_host_cpu_stolen{instance="$instance"}')).toEqual([
      'kvm_host_cpu_stolen is neither in the catalogue nor a recording rule',
    ]);
    expect(faultsAfter(good, 'kvm_host_load1{domain="$domain"}')).toEqual([
      'kvm_host_load1 has no label domain',
    ]);
  });

  it('a sum or a join that takes hosts of two clusters for one', () => {
    const good = 'instance:kvm_host_cpu_steal:ratio{instance="$instance"}';
    expect(faultsAfter(good, `count by (domain) (${good})`)).toContain(
      'by (domain) mixes clusters',
    );
    expect(faultsAfter(good, `${good} and on (job, instance) ${good}`)).toEqual([
      'on (job, instance) mixes clusters',
    ]);
    expect(faultsAfter(good, `sum by (cluster, job, instance) (${good})`)).toEqual([]);
  });

  it('a placeholder the alert has no label for', () => {
    expect(faultsAfter('{instance="$instance"}', '{instance="$cpuset"}')).toEqual([
      '$cpuset is no label of the alert',
    ]);
  });

  it('a series in a command that does not exist', () => {
    expect(faultsAfter('grep ^kvm_host_cpu', 'grep ^kvm_cpu_of_host')).toEqual([
      'there is no kvm_cpu_of_host',
    ]);
  });

  it('a command without prompt, a block of another language, one that does not end', () => {
    expect(faultsAfter('$ virsh -c', 'virsh -c')[0]).toMatch(/does not begin with "\$ "$/);
    expect(faultsAfter('```promql', '```')).toContain('a block is promql or sh, not ""');
    expect(faultsAfter('other-host/system\n```\n', 'other-host/system\n')).toEqual([
      'the block does not end',
    ]);
  });

  it('a diagnosis that could change something', () => {
    const fault = ['a diagnosis uses virsh -r -c qemu:///system'];
    expect(faultsAfter('virsh -r -c qemu:///system list', 'virsh -c qemu:///system list')).toEqual(
      fault,
    );
  });

  it('virsh that takes whatever connection is the default', () => {
    expect(faultsAfter('virsh -c qemu:///system migrate', 'virsh migrate')).toEqual([
      'virsh without its -c',
    ]);
  });

  it('steps that are not counted, or show nothing', () => {
    expect(faultsAfter('2. See the guests', '3. See the guests')).toEqual(['step 3 is number 2']);
    expect(faultsAfter('## Mitigation', '3. Think.\n\n## Mitigation')).toEqual([
      'step 3 has neither expression nor command',
    ]);
  });

  it('a link to a file or a heading that does not exist', () => {
    expect(faultsAfter('(KvmHostCpuStarved.md)', '(nowhere.md)')).toEqual(['no nowhere.md']);
    expect(faultsAfter('(KvmHostCpuStarved.md)', '(../policy.md#gpu)')).toEqual([
      'no ../policy.md#gpu',
    ]);
  });

  it('an alert, a series or a limit in the text that does not exist', () => {
    expect(faultsAfter('Guests are slow.', 'KvmSlow follows.')).toEqual([
      'there is no alert KvmSlow',
    ]);
    expect(faultsAfter('Guests are slow.', 'See `kvm_slow`.')).toEqual(['there is no kvm_slow']);
    expect(faultsAfter('Guests are slow.', 'See `slow_ratio`.')).toEqual([
      'there is no slow_ratio',
    ]);
  });

  it('a meaning that is not what the rule compares', () => {
    expect(faultsAfter('`steal_ratio`', '`load_ratio`')).toEqual([
      'Meaning does not name the limit steal_ratio',
      'the rule does not compare with load_ratio',
    ]);
    expect(faultsAfter('[cpu](../policy.md#cpu)', 'the policy')).toEqual([
      'Meaning does not link ../policy.md#cpu',
    ]);
    expect(faultsAfter('fifteen minutes', 'ten minutes')).toEqual([
      'Meaning does not say that it waits 15m (warning)',
    ]);
  });

  it('a second severity nobody mentions', () => {
    const runbook = parseRunbook(
      'KvmUplinkSaturated',
      SOUND.replace('# KvmHostCpuSteal', '# KvmUplinkSaturated')
        .replace('fifteen', 'ten')
        .replace(
          '`steal_ratio` in [cpu](../policy.md#cpu)',
          '`utilisation_ratio` and\n`drop_ratio` in [network](../policy.md#network)',
        ),
    );
    expect(faultsOfRunbook(runbook)).toEqual([
      'KvmUplinkSaturated.md:3: Meaning does not say when it is critical',
    ]);
  });

  it('prose that is too wide, but not an address that cannot be broken', () => {
    const wide = Array.from({ length: 20 }, () => 'word').join(' ');
    expect(faultsAfter('Guests are slow.', wide)).toEqual(['99 columns']);
    expect(faultsAfter('Guests are slow.', 'x'.repeat(90))).toEqual([]);
  });
});
