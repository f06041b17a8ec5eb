import { join } from 'node:path';
import ts from 'typescript';

import type { DashboardModel, PanelModel } from '../lint/model.ts';
import { nameOf, panelsOf } from '../lint/model.ts';

/** Folders of Grafana's own types below node_modules/@grafana: the oldest that is promised, and the newest. */
export const SCHEMA_VERSIONS = ['schema-10', 'schema'] as const;

const PANELS: Readonly<Record<string, string>> = {
  timeseries: 'timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen',
  stat: 'stat/panelcfg/x/StatPanelCfg_types.gen',
  table: 'table/panelcfg/x/TablePanelCfg_types.gen',
  'state-timeline': 'statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen',
};

/**
 * Options and custom fields of panels a version of Grafana does not know.
 *
 * @param packages folder that holds `@grafana`.
 * @param version one of `SCHEMA_VERSIONS`.
 */
export function unknownFields(
  dashboards: readonly DashboardModel[],
  packages: string,
  version: string,
): readonly string[] {
  const types = new PanelTypes(join(packages, '@grafana', version));
  return dashboards.flatMap((dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      types.unknownIn(panel).map((path) => `${dashboard.title} ${nameOf(panel)}: ${path}`),
    ),
  );
}

class PanelTypes {
  readonly #checker: ts.TypeChecker;
  readonly #ofModule = new Map<string, ReadonlyMap<string, ts.Type>>();

  /** @param schema folder of the package. */
  constructor(schema: string) {
    const files = Object.values(PANELS).map((path) =>
      join(schema, 'dist/esm/raw/composable', `${path}.d.ts`),
    );
    const program = ts.createProgram(files, {
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      // Its files name the package they are in, which is installed under another name.
      paths: {
        '@grafana/schema': [join(schema, 'dist/esm/index.d.ts'), join(schema, 'dist/index.d.ts')],
      },
      skipLibCheck: true,
      types: [],
    });
    this.#checker = program.getTypeChecker();
    for (const [type, path] of Object.entries(PANELS)) {
      const source = program.getSourceFile(join(schema, 'dist/esm/raw/composable', `${path}.d.ts`));
      const symbol = source && this.#checker.getSymbolAtLocation(source);
      if (symbol === undefined) throw new Error(`no types of ${type} in ${schema}`);
      this.#ofModule.set(
        type,
        new Map(
          this.#checker
            .getExportsOfModule(symbol)
            .map((one) => [one.name, this.#checker.getDeclaredTypeOfSymbol(one)]),
        ),
      );
    }
  }

  unknownIn(panel: PanelModel): readonly string[] {
    const types = this.#ofModule.get(panel.type);
    if (types === undefined) return [`nobody knows a ${panel.type}`];
    const { fieldConfig, options } = panel;
    const custom: unknown = fieldConfig?.defaults['custom'];
    const overridden = (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
      properties
        .filter(({ id }) => id.startsWith('custom.'))
        .map(({ id, value }) => ({ [id.slice('custom.'.length)]: value })),
    );
    const fields = types.get('FieldConfig');
    return [
      ...this.#unknown(options, types.get('Options'), 'options'),
      ...[custom, ...overridden].flatMap((value) => this.#unknown(value, fields, 'custom')),
    ];
  }

  /** Paths of properties the type has not. Whatever is any, or of no known type, may have all. */
  #unknown(value: unknown, type: ts.Type | undefined, path: string): readonly string[] {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    if (type === undefined) return Object.keys(value).map((key) => `${path}.${key}`);
    const parts = (type.isUnion() ? type.types : [type]).filter(
      ({ flags }) => (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) === 0,
    );
    if (parts.some(({ flags }) => (flags & ts.TypeFlags.Any) !== 0)) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      const found = parts.flatMap((part) => part.getProperty(key) ?? []);
      const [first] = found;
      if (first === undefined) {
        const isOpen = parts.some((part) => part.getStringIndexType() !== undefined);
        return isOpen ? [] : [`${path}.${key}`];
      }
      return this.#unknown(inner, this.#checker.getTypeOfSymbol(first), `${path}.${key}`);
    });
  }
}
