import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import type { IDaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';

import { REPOSITORY, type Project } from '../project.ts';
import { yamlText } from './yaml.ts';

/** Where a person will have pushed the image to. */
const REGISTRY = 'ghcr.io/kvm-overcommit-exporter';
/** Nodes that are hypervisors; on others there is nothing to see. */
const NODE_LABEL = 'kvm-overcommit-exporter/hypervisor';
const NOT_RUN =
  'Checked against the schemas of Kubernetes and the Prometheus operator, never run in a cluster.';

/** One exporter on each hypervisor, with the mounts and the one capability of the README. */
export function daemonSet({ name, version }: Project): IDaemonSet {
  const labels = { 'app.kubernetes.io/name': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { [NODE_LABEL]: 'true' },
          tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
          automountServiceAccountToken: false,
          // QEMU's processes and the interfaces of the node are what it is about.
          hostPID: true,
          hostNetwork: true,
          containers: [
            {
              name: 'exporter',
              image: `${REGISTRY}/${name}:${version}`,
              args: ['--path.procfs=/host/proc', '--path.sysfs=/host/sys', '--path.rootfs=/host'],
              ports: [{ name: 'metrics', containerPort: 9177, hostPort: 9177 }],
              readinessProbe: { httpGet: { path: '/-/ready', port: 'metrics' } },
              livenessProbe: {
                httpGet: { path: '/-/healthy', port: 'metrics' },
                periodSeconds: 30,
                timeoutSeconds: 10,
              },
              resources: {
                requests: { cpu: '50m', memory: '200Mi' },
                // The worker that looks at files comes on top; see the systemd unit.
                limits: { memory: '512Mi' },
              },
              securityContext: {
                // Capabilities of a container are root's; all but this one are taken away.
                runAsUser: 0,
                runAsGroup: 0,
                capabilities: { drop: ['ALL'], add: ['DAC_READ_SEARCH'] },
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              volumeMounts: [
                {
                  name: 'host',
                  mountPath: '/host',
                  readOnly: true,
                  mountPropagation: 'HostToContainer',
                },
                // The directory, not the socket in it, which goes stale when the daemon restarts.
                { name: 'libvirt', mountPath: '/run/libvirt', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'host', hostPath: { path: '/' } },
            { name: 'libvirt', hostPath: { path: '/run/libvirt', type: 'Directory' } },
          ],
        },
      },
    },
  };
}

/** Scrapes them under the name of their node. */
function podMonitor({ name }: Project): IPodMonitor {
  const labels = { 'app.kubernetes.io/name': name };
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name, labels },
    spec: {
      selector: { matchLabels: labels },
      podMetricsEndpoints: [
        {
          port: 'metrics',
          interval: '30s',
          scrapeTimeout: '10s',
          relabelings: [
            { sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'instance' },
          ],
        },
      ],
    },
  };
}

/** A dashboard each, found by the sidecar of Grafana's chart by its label. */
function dashboardMaps({ name }: Project): readonly IConfigMap[] {
  const folder = join(REPOSITORY, 'grafana/dashboards');
  return readdirSync(folder)
    .sort()
    .map((file) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `${name}-${file.replace('.json', '')}`,
        labels: { 'app.kubernetes.io/name': name, grafana_dashboard: '1' },
      },
      // Without the spaces of the file: an object holds 1 MiB.
      data: { [file]: JSON.stringify(JSON.parse(readFileSync(join(folder, file), 'utf8'))) },
    }));
}

/** What examples/kubernetes holds. */
export function exampleManifest(project: Project): string {
  return yamlText(
    [
      NOT_RUN,
      'Written by packaging/generate.ts. Label the hypervisors, and push the image or name your own:',
      `kubectl label node <name> ${NODE_LABEL}=true`,
      'The rules are in rules/kubernetes; the dashboards in the manifest that npm run package makes.',
    ],
    daemonSet(project),
    podMonitor(project),
  );
}

/** Everything in one file: exporter, scraping, rules and dashboards. */
export function wholeManifest(project: Project): string {
  const rules = readFileSync(join(REPOSITORY, 'rules/kubernetes/prometheusrule.yaml'), 'utf8');
  return [
    yamlText(
      [
        NOT_RUN,
        'Dashboards are too large for what apply notes by itself: kubectl apply --server-side -f',
      ],
      daemonSet(project),
      podMonitor(project),
      ...dashboardMaps(project),
    ),
    rules,
  ].join('---\n');
}
