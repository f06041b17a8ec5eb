import { fileURLToPath } from 'node:url';

function inPack(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

export const RECORDING_FILE = inPack('recording.yaml');
export const FLEET_FILE = inPack('fleet.yaml');
export const ALERTS_FILE = inPack('alerts.yaml');
export const MANIFEST_FILE = inPack('kubernetes/prometheusrule.yaml');
export const ALERTMANAGER_FILE = inPack('alertmanager.example.yaml');
export const TESTS_FOLDER = inPack('tests');
export const RISK_DOCUMENT = inPack('../docs/risk-model.md');
