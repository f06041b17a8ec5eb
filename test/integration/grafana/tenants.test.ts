import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { committedDashboards } from '../../../grafana/dashboard-models.ts';
import { queriesOf, type PanelModel } from '../../../grafana/lint/model.ts';
import { renames } from '../../../grafana/lint/meaning-rules.ts';
import { objections } from '../../support/grafana/promtool-answers.ts';

const RECORDING_RULES = join(import.meta.dirname, '../../../rules/recording.yaml');
const TITLE = 'What each tenant was promised';

interface Guest {
  readonly host: string;
  readonly name: string;
  readonly vcpus: number;
  readonly state?: string;
  /** As labels of its owner; none: no manager is known. */
  readonly owner?: string;
}

function seriesOf({ host, name, vcpus, state = 'running', owner }: Guest) {
  const guest = `job="kvm",instance="${host}",domain="${name}"`;
  return [
    [`kvm_domain_vcpus{${guest}}`, `${vcpus}x5`],
    [`kvm_domain_state{${guest},state="${state}",reason="booted"}`, '1x5'],
    ...(owner === undefined ? [] : [[`kvm_domain_owner_info{${guest},${owner}}`, '1x5'] as const]),
  ] as const;
}

/** The query of a column, as it is committed. */
function queryOf(uid: string, column: string): string {
  const dashboard = committedDashboards().find((one) => one.uid === uid);
  const found = (dashboard === undefined ? [] : queriesOf(dashboard)).find(
    ({ panel, target }) => panel.title === TITLE && titleOf(panel, target.refId) === column,
  );
  if (found === undefined) throw new Error(`no column ${column}`);
  return found.expr;
}

function titleOf({ transformations }: PanelModel, refId: string | undefined): string | undefined {
  return renames(transformations).get(`Value #${refId ?? ''}`);
}

async function tenantsOf(
  guests: readonly Guest[],
  expr: string,
  values: Readonly<Record<string, number>>,
): Promise<string> {
  const series = guests.flatMap(seriesOf);
  return objections({ series, ruleFiles: [RECORDING_RULES], expr, time: '3m', values });
}

const GUESTS: readonly Guest[] = [
  { host: 'a', name: 'a1', vcpus: 2, owner: 'manager="openstack",tenant="shop"' },
  { host: 'a', name: 'a2', vcpus: 4, owner: 'manager="opennebula",tenant="lab"' },
  { host: 'b', name: 'b1', vcpus: 8, owner: 'manager="openstack",tenant="shop"' },
  // Off: takes nothing from anybody.
  { host: 'b', name: 'b2', vcpus: 16, state: 'shutoff', owner: 'manager="openstack",tenant="lab"' },
  { host: 'b', name: 'b3', vcpus: 32, state: 'shutoff' },
  // Somebody's, but nobody wrote down whose: virt-manager names the operating system alone.
  { host: 'a', name: 'a4', vcpus: 64, owner: 'manager="libosinfo",image="debian"' },
  { host: 'b', name: 'b4', vcpus: 128 },
];

describe('the table of tenants', () => {
  it('adds up what each was promised on all hosts, and in a row of their own what is nobody’s', async () => {
    const expected = { 'tenant="shop"': 10, 'tenant="lab"': 4, 'tenant="no owner known"': 192 };
    expect(await tenantsOf(GUESTS, queryOf('kvm-fleet', 'vCPUs'), expected)).toBe('');
  });

  it('counts guests that are not off, and the hosts they are on', async () => {
    const guests = { 'tenant="shop"': 2, 'tenant="lab"': 1, 'tenant="no owner known"': 2 };
    expect(await tenantsOf(GUESTS, queryOf('kvm-fleet', 'Guests'), guests)).toBe('');
    const more = { host: 'a', name: 'a5', vcpus: 1, owner: 'tenant="shop"' };
    expect(await tenantsOf([...GUESTS, more], queryOf('kvm-fleet', 'Hosts'), guests)).toBe('');
  });

  it('counts a guest once that is in two states, as after a change nobody marked', async () => {
    const again = { host: 'b', name: 'b4', vcpus: 128, state: 'paused' };
    const series = [...seriesOf({ ...again, state: 'running' }), ...seriesOf(again).slice(1)];
    const expr = queryOf('kvm-fleet', 'Guests');
    const values = { 'tenant="no owner known"': 1 };
    const question = { series, ruleFiles: [RECORDING_RULES], expr, time: '3m', values };
    expect(await objections(question)).toBe('');
  });

  it('keeps hosts apart on the dashboard of one', async () => {
    expect(
      await tenantsOf(GUESTS, queryOf('kvm-host', 'vCPUs'), {
        'job="kvm",instance="a",tenant="shop"': 2,
        'job="kvm",instance="a",tenant="lab"': 4,
        'job="kvm",instance="a",tenant="no owner known"': 64,
        'job="kvm",instance="b",tenant="shop"': 8,
        'job="kvm",instance="b",tenant="no owner known"': 128,
      }),
    ).toBe('');
  });

  it('says so where no guest has a known owner', async () => {
    const unowned = GUESTS.filter(({ owner }) => owner === undefined);
    const expected = { 'tenant="no owner known"': 128 };
    expect(await tenantsOf(unowned, queryOf('kvm-fleet', 'vCPUs'), expected)).toBe('');
  });

  it('loses nothing to a tenant that calls itself as that row is called', async () => {
    const thief = { host: 'b', name: 'b5', vcpus: 1, owner: 'tenant="no owner known"' };
    const expected = { 'job="kvm",instance="b",tenant="no owner known"': 129 };
    const guests = [...GUESTS.filter(({ name }) => name === 'b4'), thief];
    expect(await tenantsOf(guests, queryOf('kvm-host', 'vCPUs'), expected)).toBe('');
  });
});
