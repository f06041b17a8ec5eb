import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'out', 'coverage', 'test-artifacts'] },
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
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:child_process'], message: 'The exporter never runs commands.' },
          ],
        },
      ],
    },
  },
  {
    // Tools around the exporter start guests, Prometheus, QEMU: that is their job.
    files: ['test/**', 'bench/**', 'docs/**', 'packaging/**', 'rules/**', 'grafana/**', 'tools/**'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['src/libvirt/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['../**', 'node:child_process'], message: 'src/libvirt stands alone.' },
          ],
        },
      ],
    },
  },
);
