/**
 * Bundles what draws dashboards in a browser: `node bundle.ts FOLDER` writes app.js and app.css.
 */
import { build } from 'esbuild';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bundle.ts FOLDER');
await build({
  entryPoints: [join(import.meta.dirname, 'browser/main.tsx')],
  outfile: join(folder, 'app.js'),
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'chrome120',
  mainFields: ['module', 'browser', 'main'],
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'window' },
  loader: { '.svg': 'dataurl', '.png': 'dataurl', '.ttf': 'dataurl', '.woff2': 'dataurl' },
  logLevel: 'warning',
});
