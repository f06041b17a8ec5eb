import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * What each folder of src may import, beside itself: arrows go down only (docs/design.md). A folder that
 * is not named here may import nothing.
 */
const MAY_USE = {
  runtime: [],
  libvirt: [],
  exposition: ['runtime'],
  config: ['runtime'],
  model: ['runtime'],
  sources: ['model', 'runtime'],
  guests: ['sources', 'libvirt', 'model', 'config', 'runtime'],
  collect: ['guests', 'sources', 'libvirt', 'model', 'config', 'runtime'],
  overcommit: ['model', 'config', 'runtime'],
  view: ['overcommit', 'model', 'exposition', 'config', 'runtime'],
  risk: ['view', 'overcommit', 'model', 'config', 'runtime'],
  metrics: ['risk', 'view', 'overcommit', 'model', 'exposition', 'config', 'runtime'],
  page: ['metrics', 'risk', 'view', 'overcommit', 'model', 'config', 'runtime'],
  web: [
    ...['page', 'metrics', 'risk', 'view', 'overcommit', 'exposition'],
    ...['collect', 'model', 'config', 'runtime'],
  ],
  demo: ['collect', 'sources', 'model', 'config', 'runtime'],
};

const NO_COMMANDS = { group: ['node:child_process'], message: 'The exporter never runs commands.' };

/** A zone: whatever of src is neither the folder's own nor one it may use is an error. */
const zones = Object.entries(MAY_USE).map(([folder, used]) => {
  const closed = Object.keys(MAY_USE).filter((one) => one !== folder && !used.includes(one));
  const outside = [...closed, '[a-z-]+\\.ts$'].join('|');
  const up = (depth) => `(\\.\\./){${depth}}`;
  const message = `src/${folder} may use ${used.length === 0 ? 'nothing else' : used.join(', ')}.`;
  return [1, 2, 3].map((depth) => ({
    files: [`src/${folder}/${'*/'.repeat(depth - 1)}*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [NO_COMMANDS, { regex: `^${up(depth)}(?:${outside})`, message }] },
      ],
    },
  }));
});

export default tseslint.config(
  {
    ignores: [
      ...['**/node_modules', 'dist', 'out', 'coverage', 'test-artifacts'],
      // Needs packages that are installed only to draw; `npm run test:render` checks its types.
      ...['grafana/render/browser', 'grafana/render/bundle.ts'],
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Numbers and bigints in template literals are what a metrics writer is made of.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-restricted-imports': ['error', { patterns: [NO_COMMANDS] }],
    },
  },
  {
    // Tools around the exporter start guests, Prometheus, QEMU: that is their job.
    files: ['test/**', 'bench/**', 'docs/**', 'packaging/**', 'rules/**', 'grafana/**', 'tools/**'],
    rules: { 'no-restricted-imports': 'off' },
  },
  ...zones.flat(),
);
