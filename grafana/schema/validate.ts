import { Ajv } from 'ajv';
import type { Schema } from './from-sdk.ts';

/** Says what a dashboard has that the schema does not allow, with where. */
export type Validator = (dashboard: unknown) => readonly string[];

export function validatorOf(schema: Schema): Validator {
  const ajv = new Ajv({ allErrors: true, discriminator: true, strictTypes: false });
  const validate = ajv.compile(schema);
  return (dashboard) => {
    if (validate(dashboard)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const extra =
        'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : '';
      return `${instancePath}: ${message ?? 'invalid'}${extra}`;
    });
  };
}
