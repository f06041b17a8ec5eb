import { describe, expect, it } from 'vitest';

import { COMPUTED } from '../../../docs/computed.ts';
import { NOT_COVERED } from '../../../docs/not-covered.ts';
import { replacedBy, replacesFaults } from '../../../docs/replaces.ts';
import { labelsOfExpression } from '../../../rules/tool/series.ts';
import { parsePromql } from '../../../tools/promql.ts';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';

const pairs = CATALOGUE.flatMap(({ name, unit }) =>
  replacedBy(name).map((peer) => ({ name, unit, peer })),
);

/** Words of a name that say the opposite of each other. */
const FREE = /(?:^|_)(?:free|avail|unused|unsed|usable)(?:_|$)/;
const USED = /(?:^|_)(?:used|usage|allocated|allocation)(?:_|$)/;
const GOOD = /(?:^|_)(?:up|success|responsive)(?:_|$)/;
const BAD = /(?:^|_)(?:error|failed|timed_out|down)(?:_|$)/;
const SPAN = /(?:^|_)(?:uptime|age|seconds_since)(?:_|$)/;

describe('what another exporter says', () => {
  it('is replaced by metrics there are, once each', () => {
    expect(replacesFaults()).toEqual([]);
  });

  it('is told to be listed under a name that no metric has, or twice', () => {
    expect(
      replacesFaults({ kvm_domain_cpus: ['libvirt_cpus'], kvm_domain_vcpus: ['twice', 'twice'] }),
    ).toEqual([
      'docs/replaces.ts: there is no metric kvm_domain_cpus',
      'docs/replaces.ts: kvm_domain_vcpus replaces twice twice',
    ]);
  });

  it('is never replaced by what is left of it, or the other way round', () => {
    const turned = pairs.filter(
      ({ name, peer }) =>
        (USED.test(peer) && FREE.test(name)) ||
        (FREE.test(peer) && USED.test(name)) ||
        (BAD.test(peer) && GOOD.test(name)) ||
        (GOOD.test(peer) && BAD.test(name)),
    );
    expect(turned).toEqual([]);
  });

  it('is no share or span of time where ours is an amount or a moment', () => {
    const other = pairs.filter(
      ({ name, unit, peer }) =>
        (/_(?:percent|ratio)$/.test(peer) && unit !== 'ratio') ||
        (SPAN.test(peer) && /_(?:time|timestamp)_seconds$/.test(name)),
    );
    expect(other).toEqual([]);
  });

  it('is a counter where ours is one', () => {
    const gauges = /_(?:ratio|percent|some|full|state|up)$/;
    expect(pairs.filter(({ name, peer }) => name.endsWith('_total') && gauges.test(peer))).toEqual(
      [],
    );
  });

  it('is in one place: replaced, computed, or not covered', () => {
    const replaced = new Set(pairs.map(({ peer }) => peer));
    const computed = COMPUTED.flatMap(({ peers }) => peers);
    const notCovered = NOT_COVERED.flatMap(({ peers }) => peers);
    const others = [...computed, ...notCovered];
    expect(others.filter((peer, index) => others.indexOf(peer) !== index)).toEqual([]);
    expect(others.filter((peer) => replaced.has(peer))).toEqual([]);
  });

  it('is computed from families and labels there are', () => {
    const faults = COMPUTED.flatMap(({ expr }) => labelsOfExpression(parsePromql(expr)).faults);
    expect(faults).toEqual([]);
  });

  it.each([
    'opennebula_datastore_used_bytes',
    'proxmox_node_storage_used_bytes',
    'openstack_nova_local_storage_used_bytes',
  ])('%s is not what is free', (peer) => {
    expect(pairs).not.toContainEqual(
      expect.objectContaining({ peer, name: 'kvm_filesystem_free_bytes' }),
    );
  });
});
