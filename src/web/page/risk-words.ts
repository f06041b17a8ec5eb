import { RISK_LEVEL_NAMES, type RiskResource } from '../../overcommit/risk-model.ts';

export const LEVEL_WORDS = RISK_LEVEL_NAMES;

export const RESOURCE_WORDS: Readonly<Record<RiskResource, string>> = {
  cpu: 'CPU',
  memory: 'Memory',
  storage: 'Storage',
  network: 'Network',
};
