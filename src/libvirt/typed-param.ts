import { ProtocolError } from './errors.ts';
import type { Codec } from './xdr.ts';

/** The value of a typed parameter: 64-bit integers are bigint, the other numbers are number. */
export type TypedValue = number | bigint | boolean | string;

/** virTypedParameter, with its type as libvirt spells it. */
export type TypedParam =
  | { readonly field: string; readonly type: 'int' | 'uint' | 'double'; readonly value: number }
  | { readonly field: string; readonly type: 'llong' | 'ullong'; readonly value: bigint }
  | { readonly field: string; readonly type: 'boolean'; readonly value: boolean }
  | { readonly field: string; readonly type: 'string'; readonly value: string };

/** virTypedParameterType. */
export const typedParamTypes = {
  int: 1,
  uint: 2,
  llong: 3,
  ullong: 4,
  double: 5,
  boolean: 6,
  string: 7,
} as const;

/** Shortest encoding: empty field name (4), type (4), value (4). */
export const MIN_TYPED_PARAM_BYTES = 12;

export const typedParam: Codec<TypedParam> = {
  read: (reader) => {
    const field = reader.string();
    const type = reader.int();
    switch (type) {
      case typedParamTypes.int:
        return { field, type: 'int', value: reader.int() };
      case typedParamTypes.uint:
        return { field, type: 'uint', value: reader.uint() };
      case typedParamTypes.llong:
        return { field, type: 'llong', value: reader.hyper() };
      case typedParamTypes.ullong:
        return { field, type: 'ullong', value: reader.uhyper() };
      case typedParamTypes.double:
        return { field, type: 'double', value: reader.double() };
      case typedParamTypes.boolean:
        return { field, type: 'boolean', value: reader.int() !== 0 };
      case typedParamTypes.string:
        return { field, type: 'string', value: reader.string() };
      default:
        throw new ProtocolError(`typed parameter ${field}: unknown type ${type}`);
    }
  },
  write: (writer, param) => {
    writer.string(param.field);
    writer.int(typedParamTypes[param.type]);
    switch (param.type) {
      case 'int':
        writer.int(param.value);
        break;
      case 'uint':
        writer.uint(param.value);
        break;
      case 'llong':
        writer.hyper(param.value);
        break;
      case 'ullong':
        writer.uhyper(param.value);
        break;
      case 'double':
        writer.double(param.value);
        break;
      case 'boolean':
        writer.int(param.value ? 1 : 0);
        break;
      case 'string':
        writer.string(param.value);
        break;
    }
  },
};
