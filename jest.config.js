const jupyterLabConfig = require('@jupyterlab/testutils/lib/jest-config');

// Packages that ship ES modules only: Jest has to transform them.
const esModules = [
  '@codemirror',
  '@jupyter/',
  '@jupyterlab/',
  '@marijn',
  '@microsoft',
  'color',
  'exenv-es6',
  'lib0',
  'marked',
  'nanoid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

module.exports = {
  ...jupyterLabConfig(__dirname),
  coverageReporters: ['text', 'lcov'],
  collectCoverageFrom: ['src/**/*.{ts,tsx}', '!src/**/*.spec.{ts,tsx}'],
  modulePathIgnorePatterns: [
    '<rootDir>/jupyter_mlops/labextension',
    '<rootDir>/.venv'
  ],
  reporters: ['default'],
  setupFilesAfterEnv: ['<rootDir>/src/testing/setup.ts'],
  testRegex: '/src/.*\\.spec\\.tsx?$',
  transformIgnorePatterns: [`/node_modules/(?!${esModules}).+`]
};
