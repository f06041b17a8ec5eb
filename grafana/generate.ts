import { writeFileSync } from 'node:fs';
import { dashboardFile, galleryFile, jsonText, SCHEMA_FILE } from './dashboard-file.ts';
import { forGallery } from './gallery.ts';
import { schemaFromSdk } from './schema/from-sdk.ts';
import { DASHBOARDS } from './src/dashboards.ts';

/** Writes what is committed and what check.ts compares with. */
for (const dashboard of DASHBOARDS) {
  writeFileSync(dashboardFile(dashboard), await jsonText(dashboard));
  writeFileSync(galleryFile(dashboard), await jsonText(forGallery(dashboard)));
}
writeFileSync(SCHEMA_FILE, await jsonText(schemaFromSdk()));
