import { RUNBOOK_BASE_URL } from '../../rules/src/annotations.ts';
import { nameOf, panelsOf, variablesOf, type DashboardModel, type PanelModel } from './model.ts';
import { labelsOfQuery, renames } from './meaning-rules.ts';
import { parsed } from './target-rules.ts';

/** Rules about all dashboards of the set together. */
export interface SetRule {
  readonly name: string;
  readonly faults: (dashboards: readonly DashboardModel[]) => readonly string[];
}

export const LINK_RULES: readonly SetRule[] = [
  {
    name: 'uids-unique',
    faults: (all) => {
      const uids = all.map(({ uid }) => uid);
      return uids.flatMap((uid, index) =>
        uid === undefined || uids.indexOf(uid) !== index ? [`uid ${uid ?? 'missing'}`] : [],
      );
    },
  },
  {
    name: 'dropdown-finds-dashboards',
    faults: (all) =>
      all.flatMap((dashboard) =>
        (dashboard.links ?? []).flatMap(({ type, tags }) =>
          type !== 'dashboards' || all.every((one) => tags.every((tag) => one.tags?.includes(tag)))
            ? []
            : [`${dashboard.title}: not every dashboard has the tags ${tags.join()}`],
        ),
      ),
  },
  {
    name: 'link-targets-exist',
    faults: (all) => everyLink(all, ({ url }) => linkFaults(url, all)),
  },
  { name: 'links-carry-values-there-are', faults: (all) => everyLink(all, valueFaults) },
];

interface Link {
  readonly dashboard: DashboardModel;
  readonly panel: PanelModel;
  readonly url: string;
}

function everyLink(
  all: readonly DashboardModel[],
  faultsOf: (link: Link) => readonly string[],
): readonly string[] {
  return all.flatMap((dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      urlsOf(panel).flatMap((url) =>
        faultsOf({ dashboard, panel, url }).map(
          (fault) => `${dashboard.title} ${nameOf(panel)}: ${fault}`,
        ),
      ),
    ),
  );
}

/** The uid is of this set, and the dashboard has the variables that are set. */
export function linkFaults(url: string, all: readonly DashboardModel[]): readonly string[] {
  if (url.startsWith(`${RUNBOOK_BASE_URL}/`)) return [];
  const uid = /\/d\/([\w-]+)(?:\?|$)/.exec(url)?.[1];
  const target = all.find((one) => one.uid === uid);
  if (target === undefined) return [`${url} leads nowhere`];
  const known = new Set(variablesOf(target).map(({ name }) => name));
  return [...url.matchAll(/[?&]var-(\w+)=/g)]
    .map(([, name = '']) => name)
    .filter((name) => !known.has(name))
    .map((name) => `${target.title} has no variable ${name}`);
}

function urlsOf({ fieldConfig }: PanelModel): readonly string[] {
  const links = [
    ...(fieldConfig?.defaults.links ?? []),
    ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
      properties.flatMap(({ id, value }): readonly unknown[] =>
        id === 'links' && Array.isArray(value) ? value : [],
      ),
    ),
  ];
  return links.map((link) =>
    typeof link === 'object' && link !== null && 'url' in link ? String(link.url) : '',
  );
}

/** Labels and columns a link takes values from are in the results of every query of the panel. */
function valueFaults({ dashboard, panel, url }: Link): readonly string[] {
  const queries = parsed(dashboard).filter((query) => query.panel === panel);
  const columns = new Set(renames(panel.transformations).values());
  const fields = [...url.matchAll(/__data\.fields\.(\w+)/g)].map(([, name = '']) => name);
  const labels = [...url.matchAll(/__field\.labels\.(\w+)/g)].map(([, name = '']) => name);
  return [
    ...fields.filter((field) => !columns.has(field)).map((field) => `no column ${field}`),
    ...labels.flatMap((label) =>
      queries
        .filter((query) => !labelsOfQuery(query).has(label) && !isLimit(query.expr))
        .map((query) => `query ${query.target.refId ?? ''} has no label ${label}`),
    ),
  ];
}

/** Lines for limits have their links taken away by an override. */
function isLimit(expr: string): boolean {
  return /^(?:min|max) by \(severity\) \(kvm_policy_/.test(expr);
}
