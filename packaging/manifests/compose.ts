import { yamlText } from './yaml.ts';

const NOT_RUN =
  'Never run as it is, for want of Docker and of images where it is tested; its parts are: see docs/quick-start.md.';

/** The five-minute look: a simulated host, Prometheus with the rules, Alertmanager and Grafana. */
export function composeFile(): string {
  return yamlText(
    [NOT_RUN, 'Written by packaging/generate.ts. In this folder: docker compose up --build'],
    {
      name: 'kvm-overcommit',
      services: {
        exporter: {
          build: '../..',
          command: ['--demo'],
          ports: ['127.0.0.1:9177:9177'],
          read_only: true,
          cap_drop: ['ALL'],
        },
        prometheus: {
          image: 'docker.io/prom/prometheus:v3.5.0',
          command: ['--config.file=/etc/prometheus/prometheus.yml'],
          volumes: [
            './prometheus.yml:/etc/prometheus/prometheus.yml:ro',
            '../../rules/recording.yaml:/etc/prometheus/recording.yaml:ro',
            '../../rules/alerts.yaml:/etc/prometheus/alerts.yaml:ro',
          ],
          ports: ['127.0.0.1:9090:9090'],
          depends_on: ['exporter'],
        },
        alertmanager: {
          image: 'docker.io/prom/alertmanager:v0.28.1',
          command: ['--config.file=/etc/alertmanager/alertmanager.yml'],
          volumes: ['../../rules/alertmanager.example.yaml:/etc/alertmanager/alertmanager.yml:ro'],
          ports: ['127.0.0.1:9093:9093'],
        },
        grafana: {
          image: 'docker.io/grafana/grafana:12.1.1',
          environment: {
            // To look at, on this machine only.
            GF_AUTH_ANONYMOUS_ENABLED: 'true',
            GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH:
              '/var/lib/grafana/dashboards/kvm-overcommit/kvm-fleet.json',
          },
          volumes: [
            './datasource.yml:/etc/grafana/provisioning/datasources/kvm-overcommit.yaml:ro',
            '../../grafana/provisioning/dashboards.yaml:/etc/grafana/provisioning/dashboards/kvm-overcommit.yaml:ro',
            '../../grafana/dashboards:/var/lib/grafana/dashboards/kvm-overcommit:ro',
          ],
          ports: ['127.0.0.1:3000:3000'],
          depends_on: ['prometheus'],
        },
      },
    },
  );
}

/** Prometheus' configuration beside it; the names are those of the services. */
export function composePrometheus(): string {
  return yamlText(['Written by packaging/generate.ts.'], {
    global: { scrape_interval: '15s', scrape_timeout: '10s', evaluation_interval: '15s' },
    rule_files: ['recording.yaml', 'alerts.yaml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ['alertmanager:9093'] }] }] },
    scrape_configs: [
      { job_name: 'kvm-overcommit', static_configs: [{ targets: ['exporter:9177'] }] },
    ],
  });
}

/** Grafana's data source beside it. */
export function composeDatasource(): string {
  return yamlText(['Written by packaging/generate.ts.'], {
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        type: 'prometheus',
        access: 'proxy',
        url: 'http://prometheus:9090',
        isDefault: true,
        jsonData: { timeInterval: '15s', httpMethod: 'POST' },
      },
    ],
  });
}
