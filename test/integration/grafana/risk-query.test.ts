import { describe, expect, it } from 'vitest';

import { committedDashboards } from '../../../grafana/dashboard-models.ts';
import { queriesOf } from '../../../grafana/lint/model.ts';
import { hostRisk, resourceRisk } from '../../../grafana/src/common/risk-query.ts';
import { objections as promtoolObjections } from '../../support/grafana/promtool-answers.ts';

/** Values at 1 min, 2 min … of three hosts; `_` is no sample. */
const SERIES = [
  // Seen all the time: memory at high risk, CPU at low; its exporter was updated on the way.
  ['kvm_exporter_build_info{job="kvm",instance="well",version="1"}', '1x60 _x120'],
  ['kvm_exporter_build_info{job="kvm",instance="well",version="2"}', '_x60 1x120'],
  ['instance_resource:kvm_risk:level{job="kvm",instance="well",resource="cpu"}', '0x180'],
  ['instance_resource:kvm_risk:level{job="kvm",instance="well",resource="memory"}', '2x180'],
  // Its libvirt goes down after half an hour, so no risk is recorded any more.
  ['kvm_exporter_build_info{job="kvm",instance="blind",version="1"}', '1x180'],
  ['instance_resource:kvm_risk:level{job="kvm",instance="blind",resource="cpu"}', '0x30 _x150'],
  // Its exporter goes down after half an hour.
  ['kvm_exporter_build_info{job="kvm",instance="gone",version="1"}', '1x30 _x150'],
  ['instance_resource:kvm_risk:level{job="kvm",instance="gone",resource="cpu"}', '0x30 _x150'],
] as const;

describe('risk in dashboards, when hosts go silent', () => {
  /** What promtool says against an expression having these values, by labels beside the job. */
  function objections(
    expr: string,
    time: string,
    values: Readonly<Record<string, number>>,
  ): Promise<string> {
    const ofJob = Object.entries(values).map(
      ([labels, value]) => [`job="kvm",${labels}`, value] as const,
    );
    return promtoolObjections({ series: SERIES, expr, time, values: Object.fromEntries(ofJob) });
  }

  it('of a host is its highest, and unknown, not low, once libvirt or the exporter is down', async () => {
    const well = { 'instance="well"': 2 };
    expect(
      await objections(hostRisk(), '20m', { ...well, 'instance="blind"': 0, 'instance="gone"': 0 }),
    ).toBe('');
    expect(
      await objections(hostRisk(), '60m', {
        ...well,
        'instance="blind"': -1,
        'instance="gone"': -1,
      }),
    ).toBe('');
  });

  it('of a host whose exporter is gone for more than an hour is no longer shown', async () => {
    const left = { 'instance="well"': 2, 'instance="blind"': -1 };
    expect(await objections(hostRisk(), '120m', left)).toBe('');
  });

  it('of one resource is unknown where there is nothing of that kind', async () => {
    const network = { 'instance="well"': -1, 'instance="blind"': -1 };
    expect(await objections(hostRisk('network'), '120m', network)).toBe('');
  });

  it('of all resources of a host is complete', async () => {
    expect(
      await objections(resourceRisk(), '120m', {
        'instance="well",resource="cpu"': 0,
        'instance="well",resource="memory"': 2,
        'instance="well",resource="storage"': -1,
        'instance="well",resource="network"': -1,
        'instance="blind",resource="cpu"': -1,
        'instance="blind",resource="memory"': -1,
        'instance="blind",resource="storage"': -1,
        'instance="blind",resource="network"': -1,
      }),
    ).toBe('');
  });

  it.each([
    ['Hosts at high or critical risk', '60m', 1],
    ['Hosts at unknown risk', '20m', 0],
    ['Hosts at unknown risk', '60m', 2],
  ])('is counted in "%s" after %s: %d', async (title, time, count) => {
    const query = committedDashboards()
      .flatMap(queriesOf)
      .find(({ panel }) => panel.title === title);
    const expr = `label_replace(${query?.expr ?? ''}, "job", "kvm", "", "")`;
    expect(await objections(expr, time, { '': count })).toBe('');
  });
});
