import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['src/**/*.{ts,tsx}', 'ui-tests/**/*.ts'];

export default defineConfig([
  {
    ignores: [
      '.venv',
      'coverage',
      'jupyter_mlops',
      'lib',
      'node_modules',
      'ui-tests/playwright-report',
      'ui-tests/test-results'
    ]
  },
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    extends: [js.configs.recommended],
    languageOptions: { globals: globals.node }
  },
  {
    files: TYPESCRIPT,
    extends: [js.configs.recommended, tseslint.configs.recommended],
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        project: 'tsconfig.test.json',
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-floating-promises': [
        'error',
        { ignoreVoid: true }
      ],
      '@typescript-eslint/no-namespace': 'off',
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'prefer-arrow-callback': 'error',
      // What the plugins import is small, and activation needs it at once.
      'jupyter/prefer-lazy-imports': 'off'
    }
  },
  {
    files: ['ui-tests/**/*.ts', 'src/**/*.spec.{ts,tsx}', 'src/testing/*.ts'],
    rules: {
      'jupyter/require-disposable-ownership': 'off',
      'jupyter/no-untranslated-string': 'off',
      'jupyter/prefer-lazy-imports': 'off'
    }
  },
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off' }
  },
  { files: ['style/*.js'], languageOptions: { sourceType: 'module' } },
  prettier
]);
