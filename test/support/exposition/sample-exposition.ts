import type { Family } from '../../../src/exposition/family.ts';
import { labelText } from '../../../src/exposition/labels.ts';
import type { Producer } from '../../../src/exposition/render.ts';

export const vcpuSeconds: Family = {
  name: 'kvm_domain_vcpu_seconds_total',
  help: 'CPU time of a vCPU thread, from /proc/<pid>/task/<tid>/schedstat.',
  type: 'counter',
  unit: 'seconds',
  labels: ['domain', 'vcpu'],
};

const domainInfo: Family = {
  name: 'kvm_domain_info',
  help: 'Facts of a "domain" from its XML, with a \\ and\na second line.',
  type: 'info',
  unit: '',
  labels: ['domain', 'uuid'],
};

export const memoryTotal: Family = {
  name: 'kvm_host_memory_bytes',
  help: 'MemTotal of /proc/meminfo.',
  type: 'gauge',
  unit: 'bytes',
  labels: [],
};

export const AWKWARD_NAME = 'a "quoted" \\ name\nüñí 🐧';

/** A small exposition with every kind of line: counters, info, escapes, no labels, no samples. */
export const sampleExposition: Producer = function* (writer) {
  writer.family(domainInfo);
  writer.sample(labelText(domainInfo.labels, [AWKWARD_NAME, '6c1d']), 1);
  yield;
  writer.family(vcpuSeconds);
  writer.sample(labelText(vcpuSeconds.labels, ['web', '0']), 18446744073709551615n);
  writer.sample(labelText(vcpuSeconds.labels, ['web', '1']), 0.25);
  writer.sample(labelText(vcpuSeconds.labels, ['web', '2']), undefined);
  yield;
  writer.family({ ...memoryTotal, name: 'kvm_host_never_read_bytes' });
  yield;
  writer.family(memoryTotal);
  writer.sample('', 16 * 2 ** 30);
  yield;
};
