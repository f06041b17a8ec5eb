import { z } from 'zod';

import { HOST_SCHEMA } from '../src/page/json/host-schema.ts';

/** The JSON Schema of `/api/v1/host`, from what the exporter itself is typed by. */
export function hostSchemaText(): string {
  const schema = z.toJSONSchema(HOST_SCHEMA, {
    override: ({ jsonSchema }) => {
      // Fields may be added: whoever reads does not break on them.
      delete jsonSchema.additionalProperties;
    },
  });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
