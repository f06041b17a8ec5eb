import { join } from 'node:path';
import ts from 'typescript';

import { NOT_IN_ALL } from '../src/common/dashboard.ts';

/**
 * A JSON Schema (draft-07) of the classic dashboard, derived from the types of Grafana's Foundation
 * SDK, which Grafana generates from the schemas of its own kinds. Grafana publishes the schema in
 * the SDK's repository but not in its package. Stricter than the types where they say `any`: the
 * options and custom fields of a panel follow its type, and queries are Prometheus'.
 */
export function schemaFromSdk(): Schema {
  const converter = new Converter();
  const dashboard = converter.type('dashboard', 'Dashboard');
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Derived from @grafana/grafana-foundation-sdk by grafana/schema/from-sdk.ts.',
    ...dashboard,
    definitions: converter.definitions(),
  };
}

export type Schema = Readonly<Record<string, unknown>>;

/** Panel types that are used, and the package of the SDK that knows their options. */
const PANEL_PACKAGES: Readonly<Record<string, string>> = {
  timeseries: 'timeseries',
  stat: 'stat',
  table: 'table',
  'state-timeline': 'statetimeline',
};

const PACKAGES = ['dashboard', 'prometheus', ...Object.values(PANEL_PACKAGES)];

/** What a link of a value is to Grafana; the SDK has no type of its own for it. */
const DATA_LINKS: Schema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      url: { type: 'string' },
      targetBlank: { type: 'boolean' },
    },
    required: ['title', 'url'],
    additionalProperties: false,
  },
};

class Converter {
  readonly #checker: ts.TypeChecker;
  readonly #modules: ReadonlyMap<string, ts.Symbol>;
  readonly #definitions = new Map<string, Schema>();

  constructor() {
    const files = PACKAGES.map((name) => [name, typesFile(name)] as const);
    const program = ts.createProgram(
      files.map(([, file]) => file),
      { strict: true, module: ts.ModuleKind.NodeNext, types: [] },
    );
    this.#checker = program.getTypeChecker();
    this.#modules = new Map(
      files.flatMap(([name, file]) => {
        const source = program.getSourceFile(file);
        const symbol = source && this.#checker.getSymbolAtLocation(source);
        return symbol === undefined ? [] : [[name, symbol] as const];
      }),
    );
  }

  definitions(): Schema {
    return Object.fromEntries([...this.#definitions].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A type exported by a package; undefined when it has none of that name. */
  #exported(packageName: string, name: string): ts.Type | undefined {
    const module = this.#modules.get(packageName);
    const symbol =
      module && this.#checker.getExportsOfModule(module).find((one) => one.name === name);
    return symbol && this.#checker.getDeclaredTypeOfSymbol(symbol);
  }

  type(packageName: string, name: string): Schema {
    const type = this.#exported(packageName, name);
    if (type === undefined) throw new Error(`the SDK has no ${packageName}.${name}`);
    return this.#of(type);
  }

  #of(type: ts.Type): Schema {
    if ((type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0) return {};
    if ((type.flags & ts.TypeFlags.Null) !== 0) return { type: 'null' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if ((type.flags & ts.TypeFlags.StringLike) !== 0 && !type.isUnion()) return { type: 'string' };
    if ((type.flags & ts.TypeFlags.NumberLike) !== 0 && !type.isUnion()) return { type: 'number' };
    if ((type.flags & ts.TypeFlags.BooleanLike) !== 0) return { type: 'boolean' };
    if (type.isUnion()) return this.#ofUnion(type);
    if (this.#checker.isArrayType(type)) {
      const item = this.#checker.getIndexTypeOfType(type, ts.IndexKind.Number);
      return { type: 'array', items: item === undefined ? {} : this.#of(item) };
    }
    const values = this.#checker.getIndexTypeOfType(type, ts.IndexKind.String);
    if (values !== undefined) return { type: 'object', additionalProperties: this.#of(values) };
    return this.#ofObject(type);
  }

  #ofUnion({ types }: ts.UnionType): Schema {
    const present = types.filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0);
    const literals = present.flatMap((one) =>
      one.isStringLiteral() || one.isNumberLiteral() ? [one.value] : [],
    );
    if (literals.length === present.length) return { enum: literals };
    const schemas = present.map((one) => this.#of(one));
    const unique = [...new Map(schemas.map((one) => [JSON.stringify(one), one])).values()];
    const [only] = unique;
    return unique.length === 1 && only !== undefined ? only : { anyOf: unique };
  }

  #ofObject(type: ts.Type): Schema {
    const name = nameOf(type);
    if (name === 'Dataquery' && this.#isOpaque(type)) return this.type('prometheus', 'Dataquery');
    if (name === 'Panel') return this.#anyPanel();
    if (name === undefined) return this.#properties(type, {});
    if (!this.#definitions.has(name)) {
      // First, because a type may contain itself.
      this.#definitions.set(name, {});
      this.#definitions.set(name, this.#properties(type, this.#replaced(name)));
    }
    return { $ref: `#/definitions/${name}` };
  }

  /** cog.Dataquery says nothing but that it is a query. */
  #isOpaque(type: ts.Type): boolean {
    return type.getProperties().every((property) => property.name.startsWith('_'));
  }

  /** Properties for which the types are too loose, or wrong. */
  #replaced(name: string): Readonly<Record<string, Schema>> {
    if (name === 'Dashboard') {
      const panels = [this.type('dashboard', 'RowPanel'), ...this.#panels()];
      return { panels: { type: 'array', items: oneByType(panels) } };
    }
    return {};
  }

  #panels(): readonly Schema[] {
    const panel = this.#exported('dashboard', 'Panel');
    if (panel === undefined) throw new Error('the SDK has no dashboard.Panel');
    return Object.entries(PANEL_PACKAGES).map(([type, packageName]) => {
      const name = `Panel_${type}`;
      if (!this.#definitions.has(name)) {
        this.#definitions.set(name, {});
        this.#definitions.set(
          name,
          this.#properties(panel, {
            type: { const: type },
            options: this.type(packageName, 'Options'),
            fieldConfig: this.#fieldConfigSource(packageName),
          }),
        );
      }
      return { $ref: `#/definitions/${name}` };
    });
  }

  #anyPanel(): Schema {
    return oneByType(this.#panels());
  }

  /** Defaults and overrides with the custom fields of one panel type. */
  #fieldConfigSource(packageName: string): Schema {
    const config = this.#exported('dashboard', 'FieldConfig');
    const custom = this.#exported(packageName, 'FieldConfig');
    if (config === undefined) throw new Error('the SDK has no dashboard.FieldConfig');
    const customSchema =
      custom === undefined
        ? { type: 'object', additionalProperties: false }
        : this.#properties(custom, {}, 'all optional');
    const defaults = this.#properties(config, { custom: customSchema });
    const overridable: [string, Schema][] = [
      ...this.#propertySchemas(config).filter(([name]) => name !== 'custom' && name !== 'links'),
      ['links', DATA_LINKS],
      ...(custom === undefined ? [] : this.#propertySchemas(custom)).map(
        ([name, schema]): [string, Schema] => [`custom.${name}`, schema],
      ),
    ];
    const property = {
      type: 'object',
      required: ['id', 'value'],
      discriminator: { propertyName: 'id' },
      oneOf: overridable.map(([id, value]) => ({
        properties: { id: { const: id }, value },
        additionalProperties: false,
      })),
    };
    const override = {
      type: 'object',
      properties: {
        matcher: this.type('dashboard', 'MatcherConfig'),
        properties: { type: 'array', items: property },
      },
      required: ['matcher', 'properties'],
      additionalProperties: false,
    };
    return {
      type: 'object',
      properties: { defaults, overrides: { type: 'array', items: override } },
      required: ['defaults', 'overrides'],
      additionalProperties: false,
    };
  }

  #properties(
    type: ts.Type,
    replaced: Readonly<Record<string, Schema>>,
    required: 'as declared' | 'all optional' = 'as declared',
  ): Schema {
    const own = type.getProperties().filter(({ name }) => !name.startsWith('_'));
    const needed = own.filter(
      ({ name, flags }) => (flags & ts.SymbolFlags.Optional) === 0 && !NOT_IN_ALL.has(name),
    );
    return {
      type: 'object',
      properties: { ...Object.fromEntries(this.#propertySchemas(type, replaced)), ...replaced },
      ...(required === 'as declared' && needed.length > 0
        ? { required: needed.map(({ name }) => name) }
        : {}),
      additionalProperties: false,
    };
  }

  #propertySchemas(
    type: ts.Type,
    replaced: Readonly<Record<string, Schema>> = {},
  ): readonly [string, Schema][] {
    return type
      .getProperties()
      .filter(({ name }) => !name.startsWith('_') && !(name in replaced))
      .map((property) => [property.name, this.#of(this.#checker.getTypeOfSymbol(property))]);
  }
}

function oneByType(schemas: readonly Schema[]): Schema {
  return {
    type: 'object',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: schemas,
  };
}

function typesFile(packageName: string): string {
  const root = join(import.meta.dirname, '../../node_modules/@grafana/grafana-foundation-sdk');
  return join(root, 'dist', packageName, 'types.gen.d.ts');
}

/** Names are unique among the types that are reached, but for Options and FieldConfig of panels. */
function nameOf(type: ts.Type): string | undefined {
  const symbol = type.aliasSymbol ?? type.getSymbol();
  if (symbol === undefined || symbol.name === '__type') return undefined;
  const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? '';
  const packageName = /\/dist\/([^/]+)\//.exec(file)?.[1] ?? '';
  return packageName === 'dashboard' || packageName === 'common' || packageName === 'cog'
    ? symbol.name
    : `${packageName}_${symbol.name}`;
}
