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

/**
 * What each kind of test may import of test/ beside itself, test/support and test/fixtures. Unit tests
 * also hold the parts of long runs, and of bench; nothing else crosses from one kind to another.
 */
const TESTS_MAY_USE = {
  support: [],
  fixtures: [],
  unit: ['corpus', 'fuzz', 'hang', 'soak'],
  integration: ['corpus'],
  lab: [],
  paging: [],
  package: [],
  hang: [],
  soak: [],
  fuzz: [],
  corpus: [],
};

const testZones = Object.entries(TESTS_MAY_USE).flatMap(([kind, used]) => {
  const shared =
    kind === 'fixtures' ? [] : ['fixtures', ...(kind === 'support' ? [] : ['support'])];
  const own = [kind, ...used, ...shared];
  const closed = Object.keys(TESTS_MAY_USE).filter((one) => !own.includes(one));
  const message = `test/${kind} may use of test ${own.slice(1).join(', ') || 'nothing else'}.`;
  const bench = kind === 'unit' ? [] : ['bench'];
  return outsideZone(
    `test/${kind}`,
    closed,
    [...bench, ...closed.map((one) => `test/${one}`)],
    message,
  );
});

/** What is not a test may use of test/ what tests share, and the lab not even that. */
const toolZones = [
  ...outsideZone(
    'bench',
    [],
    ['test/(?!support/)[a-z]+'],
    'bench may use of test only test/support.',
  ),
  ...outsideZone('lab', [], ['test', 'bench'], 'lab stands alone: tests and benches use it.'),
];

/** Errors for imports of a folder that lead to these, seen from its parent and from the repository. */
function outsideZone(folder, ofParent, ofRepository, message) {
  const depth = folder.split('/').length;
  return [0, 1, 2, 3].map((below) => {
    const up = (steps, names) => `(?:\\.\\./){${steps}}(?:${names.join('|')})/`;
    const ways = [up(below + depth, ofRepository)];
    if (depth > 1) ways.push(up(below + 1, ofParent));
    return {
      files: [`${folder}/${'*/'.repeat(below)}*.ts`],
      rules: {
        'no-restricted-imports': [
          'error',
          { patterns: [{ regex: `^(?:${ways.join('|')})`, message }] },
        ],
      },
    };
  });
}

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
      // One program for all files: a quarter less time than the project service, which editors want.
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
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
    files: [
      'test/**',
      'bench/**',
      'docs/**',
      'packaging/**',
      'rules/**',
      'grafana/**',
      'tools/**',
      'lab/**',
    ],
    rules: { 'no-restricted-imports': 'off' },
  },
  ...zones.flat(),
  ...testZones,
  ...toolZones,
);
