import { z } from 'zod';

/**
 * What the checks read of a dashboard's JSON. Everything else is left to the schema; nothing here
 * is trusted to be sensible, only to have these types.
 */
const DataSourceRef = z.looseObject({ type: z.string().optional(), uid: z.string().optional() });

const GridPos = z.looseObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });

const Target = z.looseObject({
  refId: z.string().optional(),
  expr: z.string().optional(),
  legendFormat: z.string().optional(),
  format: z.string().optional(),
  datasource: DataSourceRef.optional(),
});

const DataLink = z.looseObject({ title: z.string(), url: z.string().optional() });

const Override = z.looseObject({
  matcher: z.looseObject({ id: z.string(), options: z.unknown().optional() }),
  properties: z.array(z.looseObject({ id: z.string(), value: z.unknown().optional() })),
});

const FieldConfig = z.looseObject({
  defaults: z.looseObject({
    unit: z.string().optional(),
    mappings: z.array(z.unknown()).optional(),
    links: z.array(DataLink).optional(),
  }),
  overrides: z.array(Override),
});

const PANEL_FIELDS = {
  id: z.number().optional(),
  type: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  gridPos: GridPos.optional(),
  datasource: DataSourceRef.optional(),
  targets: z.array(Target).optional(),
  fieldConfig: FieldConfig.optional(),
  options: z
    .looseObject({
      reduceOptions: z.looseObject({ fields: z.string().optional() }).optional(),
    })
    .optional(),
  transformations: z
    .array(z.looseObject({ id: z.string(), options: z.unknown().optional() }))
    .optional(),
};

const Panel = z.looseObject({
  ...PANEL_FIELDS,
  collapsed: z.boolean().optional(),
  /** What is folded into a row. */
  panels: z.array(z.looseObject(PANEL_FIELDS)).optional(),
});

const Variable = z.looseObject({
  name: z.string(),
  type: z.string(),
  label: z.string().optional(),
  query: z.unknown().optional(),
  datasource: DataSourceRef.optional(),
  multi: z.boolean().optional(),
  allValue: z.string().optional(),
  refresh: z.number().optional(),
});

const Annotation = z.looseObject({
  name: z.string(),
  expr: z.string().optional(),
  datasource: DataSourceRef.optional(),
});

const Dashboard = z.looseObject({
  uid: z.string().optional(),
  title: z.string(),
  tags: z.array(z.string()).optional(),
  editable: z.boolean().optional(),
  panels: z.array(Panel).optional(),
  templating: z.looseObject({ list: z.array(Variable).optional() }),
  annotations: z.looseObject({ list: z.array(Annotation).optional() }),
  links: z.array(z.looseObject({ type: z.string(), tags: z.array(z.string()) })).optional(),
});

export type DashboardModel = z.infer<typeof Dashboard>;
export type PanelModel = z.infer<typeof Panel>;
type TargetModel = z.infer<typeof Target>;
export type VariableModel = z.infer<typeof Variable>;

/** @throws ZodError when it is not even the shape of a dashboard. */
export function readDashboard(json: string): DashboardModel {
  return Dashboard.parse(JSON.parse(json));
}

/** All panels but rows, those folded into rows too. */
export function panelsOf(dashboard: DashboardModel): readonly PanelModel[] {
  return (dashboard.panels ?? []).flatMap((panel): readonly PanelModel[] =>
    panel.type === 'row' ? (panel.panels ?? []) : [panel],
  );
}

export function variablesOf({ templating }: DashboardModel): readonly VariableModel[] {
  return templating.list ?? [];
}

/** A PromQL query with where it is, for messages. */
export interface Located {
  readonly panel: PanelModel;
  readonly target: TargetModel;
  readonly expr: string;
  readonly where: string;
}

export function queriesOf(dashboard: DashboardModel): readonly Located[] {
  return panelsOf(dashboard).flatMap((panel) =>
    (panel.targets ?? []).flatMap((target) => {
      if (target.expr === undefined) return [];
      const where = `${nameOf(panel)} ${target.refId ?? '?'}`;
      return { panel, target, expr: target.expr, where };
    }),
  );
}

export function nameOf({ title, id }: PanelModel): string {
  return `"${title ?? ''}" (${id ?? 'no id'})`;
}
