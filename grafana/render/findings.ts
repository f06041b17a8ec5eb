import type { PanelFacts } from './browser/protocol.ts';

/** Longer labels push the graph aside. */
const LONGEST_AXIS_LABEL = 8;

/**
 * Everything a reader would stumble over.
 *
 * @param mayBeEmpty titles of panels the host has nothing to show in.
 */
export function findingsOf(
  panels: readonly PanelFacts[],
  mayBeEmpty: ReadonlySet<string>,
): readonly string[] {
  return panels.flatMap((panel) =>
    faultsOf(panel, mayBeEmpty).map((fault) => `"${panel.title}" ${fault}`),
  );
}

function faultsOf(panel: PanelFacts, mayBeEmpty: ReadonlySet<string>): readonly string[] {
  const { error, empty, duplicates, axisLabels, cut, title } = panel;
  if (error !== undefined) return [`cannot be drawn: ${error}`];
  return [
    ...(empty && !mayBeEmpty.has(title) ? ['is empty, and nothing says that it may be'] : []),
    ...duplicates.map((name) => `has two series called ${name}`),
    ...axisLabels
      .filter((label) => label.length > LONGEST_AXIS_LABEL)
      .map((label) => `has the axis label "${label}"`),
    ...cut.map(({ part, text }) => `cuts its ${part} "${text}"`),
  ];
}
