import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

import { DASHBOARDS } from '../../../grafana/src/dashboards.ts';
import { driftedManifests } from '../../../packaging/generate.ts';
import { composeFile, composePrometheus } from '../../../packaging/manifests/compose.ts';
import { daemonSet, wholeManifest } from '../../../packaging/manifests/kubernetes.ts';
import { readProject, REPOSITORY } from '../../../packaging/project.ts';
import { parseFlags } from '../../../src/config/flags.ts';

const KINDS = [DaemonSet, PodMonitor, ConfigMap, PrometheusRule] as const;
const project = readProject();

/** The kind of an object. Throws what the schema of that kind has against it. */
function validate(object: unknown): string {
  const { kind } = z.object({ kind: z.string() }).parse(object);
  const constructor = KINDS.find((one) => one.kind === kind);
  if (constructor === undefined) throw new Error(`no schema for ${kind}`);
  const model: unknown = Reflect.construct(constructor, [object]);
  if (
    model instanceof DaemonSet ||
    model instanceof PodMonitor ||
    model instanceof ConfigMap ||
    model instanceof PrometheusRule
  ) {
    model.validate();
    return kind;
  }
  throw new Error(`${kind} has no model`);
}

it('the manifests in examples/ are those packaging/generate.ts writes', () => {
  expect(driftedManifests()).toEqual([]);
});

describe('the manifest for Kubernetes', () => {
  const objects = parseAllDocuments(wholeManifest(project)).map((one) =>
    z.unknown().parse(one.toJS()),
  );

  it('has objects that fit the schemas of their kinds', () => {
    expect(objects.map(validate)).toEqual([
      'DaemonSet',
      'PodMonitor',
      ...DASHBOARDS.map(() => 'ConfigMap'),
      'PrometheusRule',
    ]);
  });

  it('would be refused with a field of the wrong type', () => {
    const broken = structuredClone(daemonSet(project));
    Reflect.set(broken.spec?.template.spec ?? {}, 'hostPID', 'yes');
    expect(() => validate(broken)).toThrow(/hostPID/);
  });

  it('says in its first line that no cluster has seen it', () => {
    expect(wholeManifest(project).split('\n')[0]).toContain('never run in a cluster');
  });

  it('starts the exporter of this version, with flags it takes and one capability', () => {
    const [container] = daemonSet(project).spec?.template.spec?.containers ?? [];
    expect(container?.image).toMatch(new RegExp(`:${project.version}$`));
    expect(parseFlags(container?.args ?? [], [], '').kind).toBe('run');
    expect(container?.securityContext?.capabilities).toEqual({
      drop: ['ALL'],
      add: ['DAC_READ_SEARCH'],
    });
  });

  it('has objects a cluster can hold', () => {
    const sizes = objects.map((object) => JSON.stringify(object).length);
    expect(Math.max(...sizes)).toBeLessThan(2 ** 20);
  });
});

describe('the compose file', () => {
  const compose = z
    .object({
      services: z.record(
        z.string(),
        z.object({ volumes: z.array(z.string()).default([]), build: z.string().optional() }),
      ),
    })
    .parse(parse(composeFile()));

  it('mounts only files that are there', () => {
    const sources = Object.values(compose.services).flatMap(({ volumes, build }) => [
      ...volumes.map((volume) => volume.split(':')[0] ?? ''),
      ...(build === undefined ? [] : [join(build, 'Dockerfile')]),
    ]);
    expect(sources.length).toBeGreaterThan(6);
    const missing = sources.filter(
      (path) => !existsSync(join(REPOSITORY, 'examples/compose', path)),
    );
    expect(missing).toEqual([]);
  });

  it('has a Prometheus that asks the other services by their names', () => {
    const targets = [...composePrometheus().matchAll(/- ([a-z]+):\d+$/gm)].map(([, name]) => name);
    expect(targets).toEqual(['alertmanager', 'exporter']);
    for (const target of targets) expect(Object.keys(compose.services)).toContain(target);
  });

  it('says in its first line that it has not been run', () => {
    expect(composeFile().split('\n')[0]).toContain('Never run as it is');
  });
});
