import { basename, join } from 'node:path';
import { format } from 'prettier';

/** Where the JSON that Grafana loads is kept. */
export const DASHBOARD_FOLDER = join(import.meta.dirname, 'dashboards');
export const SCHEMA_FILE = join(import.meta.dirname, 'schema', 'dashboard.schema.json');

export function dashboardFile({ uid }: { readonly uid?: string | undefined }): string {
  if (uid === undefined) throw new Error('a dashboard has no uid');
  return join(DASHBOARD_FOLDER, `${uid}.json`);
}

/** The same for Grafana's gallery. */
export function galleryFile(dashboard: { readonly uid?: string | undefined }): string {
  return join(import.meta.dirname, 'gallery', basename(dashboardFile(dashboard)));
}

/** JSON in the form of the repository's other files, so that differences can be read. */
export function jsonText(value: unknown): Promise<string> {
  return format(JSON.stringify(value), { parser: 'json', printWidth: 100 });
}
