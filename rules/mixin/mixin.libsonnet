// The pack as a mixin: rules and dashboards with settings. Render with
//   jsonnet -e '(import "rules/mixin/mixin.libsonnet").prometheusAlerts'
// or, with settings,
//   (import 'mixin.libsonnet') { _config+:: { clusterLabel: 'datacenter' } }
{
  _config:: {
    // More matchers for everything that is scraped, e.g. 'job="kvm"'.
    selector: '',
    // The target label that says which cluster a host belongs to. Dashboards keep their variable `cluster`.
    clusterLabel: 'cluster',
    // Without a slash at the end; empty: relative to the Grafana that shows the alert.
    grafanaUrl: '',
    runbookUrl: 'https://github.com/kvm-overcommit-exporter/kvm-overcommit-exporter/blob/main/docs/runbooks',
    // How often groups are evaluated, e.g. '30s'; null: as the server does by itself.
    interval: null,
    severities: { critical: 'critical', warning: 'warning', info: 'info' },
  },

  local config = $._config,
  // As a part of a JSON string.
  local escaped(text) =
    local quoted = std.escapeStringJson(text);
    std.substr(quoted, 1, std.length(quoted) - 2),
  local places = [
    ['{__selector__}', if config.selector == '' then '' else '{' + config.selector + '}'],
    ['__selector__,', if config.selector == '' then '' else config.selector + ','],
    ['__cluster__', config.clusterLabel],
    ['__grafanaUrl__', config.grafanaUrl],
    ['__runbookUrl__', config.runbookUrl],
    ['__interval__', if config.interval == null then '' else config.interval],
    ['__critical__', config.severities.critical],
    ['__warning__', config.severities.warning],
    ['__info__', config.severities.info],
  ],
  local text = std.foldl(
    function(text, place) std.strReplace(text, place[0], escaped(place[1])),
    places,
    importstr 'rules.json',
  ),
  local rules = std.parseJson(text),
  local withInterval(group) = {
    [field]: group[field]
    for field in std.objectFields(group)
    if field != 'interval' || config.interval != null
  },

  prometheusRules+:: { groups+: std.map(withInterval, rules.recording.groups) },
  prometheusAlerts+:: { groups+: std.map(withInterval, rules.alerts.groups) },
  grafanaDashboards+:: {
    'kvm-fleet.json': import '../../grafana/dashboards/kvm-fleet.json',
    'kvm-guest.json': import '../../grafana/dashboards/kvm-guest.json',
    'kvm-host.json': import '../../grafana/dashboards/kvm-host.json',
    'kvm-memory.json': import '../../grafana/dashboards/kvm-memory.json',
    'kvm-network.json': import '../../grafana/dashboards/kvm-network.json',
    'kvm-storage.json': import '../../grafana/dashboards/kvm-storage.json',
  },
}
