import type { RiskLevel, RiskResource } from '../../overcommit/risk-model.ts';

/** Rister's words for risk, and one beyond: what he called high is not yet a loss. */
export const LEVEL_WORDS: Readonly<Record<RiskLevel, string>> = {
  0: 'Low',
  1: 'Medium',
  2: 'High',
  3: 'Critical',
};

export const RESOURCE_WORDS: Readonly<Record<RiskResource, string>> = {
  cpu: 'CPU',
  memory: 'Memory',
  storage: 'Storage',
  network: 'Network',
};
