import { fileURLToPath } from 'node:url';

function inPack(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

export const RECORDING_FILE = inPack('recording.yaml');
export const FLEET_FILE = inPack('fleet.yaml');
export const ALERTS_FILE = inPack('alerts.yaml');
/** For engines whose templates have no `query`. */
export const PLAIN_ALERTS_FILE = inPack('alerts-plain.yaml');
/** For rulers that do not know `keep_firing_for`. */
export const ALERTS_WITHOUT_KEEP_FIRING_FILE = inPack('alerts-without-keep-firing.yaml');
export const MANIFEST_FILE = inPack('kubernetes/prometheusrule.yaml');
/** What rules/mixin/mixin.libsonnet puts its settings into. */
export const MIXIN_RULES_FILE = inPack('mixin/rules.json');
export const ALERTMANAGER_FILE = inPack('alertmanager.example.yaml');
export const TESTS_FOLDER = inPack('tests');
export const RISK_DOCUMENT = inPack('../docs/risk-model.md');
