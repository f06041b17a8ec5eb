/** The property of that name if this is a JSON object that has it as text. */
export function textAt(json: unknown, name: string): string | undefined {
  const value = propertyAt(json, name);
  return typeof value === 'string' ? value : undefined;
}

/** The property of that name if this is a JSON object that has it. */
export function propertyAt(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, name)
    ? Reflect.get(json, name)
    : undefined;
}
