import { labelText } from '../../exposition/labels.ts';
import { gauge, info, type Metric } from '../metric.ts';

/** The exporter itself. */
export const exporterMetrics: readonly Metric[] = [
  info(
    'kvm_exporter_build_info',
    'Versions of the exporter and of the Node.js it runs on.',
    { labels: ['version', 'nodeversion'] },
    ({ build }, sample) => {
      const values = [build.version, build.nodeVersion];
      sample(labelText(['version', 'nodeversion'], values), 1);
    },
  ),
  gauge(
    'kvm_exporter_demo',
    'Whether all values come from the simulated host of --demo.',
    {},
    ({ snapshot }, sample) => {
      sample('', snapshot.demo ? 1 : 0);
    },
  ),
  gauge(
    'kvm_scrape_collector_success',
    'Whether a collector succeeded.',
    {
      labels: ['collector'],
    },
    ({ snapshot }, sample) => {
      for (const { collector, success } of snapshot.outcomes) {
        sample(`{collector="${collector}"}`, success ? 1 : 0);
      }
    },
  ),
  gauge(
    'kvm_scrape_collector_duration_seconds',
    'How long a collector took; collectors run side by side, so these do not add up.',
    { labels: ['collector'] },
    ({ snapshot }, sample) => {
      for (const { collector, durationSeconds } of snapshot.outcomes) {
        sample(`{collector="${collector}"}`, durationSeconds);
      }
    },
  ),
];
