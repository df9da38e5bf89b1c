/**
 * Browser tests: JupyterLab with the extension, in the system's Chromium.
 *
 * CHROMIUM_PATH          the browser; by default chromium of the PATH
 * MLOPS_UI_PORT          the port of the server; by default a free one
 * MLOPS_TEST_TARGET      where tests/publish.spec.ts publishes to, such as
 *                        127.0.0.1:5000/lab/iris; by default the embedded registry
 */
const { execFileSync } = require('child_process');
const { accessSync, constants } = require('fs');
const path = require('path');
const baseConfig = require('@jupyterlab/galata/lib/playwright-config');

/** Find a program as a shell would. */
function which(name) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const files = folders.map(folder => path.join(folder, name));
  return files.find(file => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Ask the system for a free port; workers inherit the answer. */
function freePort() {
  const script =
    "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})";
  return execFileSync(process.execPath, ['-e', script]).toString().trim();
}

process.env.MLOPS_UI_PORT ??= freePort();
const baseURL = `http://127.0.0.1:${process.env.MLOPS_UI_PORT}`;
process.env.TARGET_URL = baseURL;

module.exports = {
  ...baseConfig,
  testDir: path.join(__dirname, 'tests'),
  outputDir: path.join(__dirname, 'test-results'),
  reporter: [['list']],
  fullyParallel: false,
  workers: 1,
  use: {
    ...baseConfig.use,
    baseURL,
    viewport: { width: 1280, height: 900 },
    video: 'off',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath:
        process.env.CHROMIUM_PATH ??
        which('chromium') ??
        which('chromium-browser') ??
        which('google-chrome'),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run'
      ]
    }
  },
  webServer: {
    command: 'jupyter lab --config jupyter_server_test_config.py --allow-root',
    cwd: __dirname,
    url: `${baseURL}/lab`,
    timeout: 120 * 1000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10000 },
    reuseExistingServer: false
  }
};
