import { Ajv } from 'ajv';
import type { Schema } from './from-sdk.ts';

/** What a dashboard has that the schema does not allow, with where. */
export function schemaFaults(schema: Schema, dashboard: unknown): readonly string[] {
  const ajv = new Ajv({ allErrors: true, discriminator: true, strictTypes: false });
  if (ajv.validate(schema, dashboard)) return [];
  return (ajv.errors ?? []).map(({ instancePath, message, params }) => {
    const extra =
      'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : '';
    return `${instancePath}: ${message ?? 'invalid'}${extra}`;
  });
}
