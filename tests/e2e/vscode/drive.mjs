// Starts the VS Code server, opens its workbench in Chromium and lets a test file run in the
// extension host. What only the page can show (the status item) it looks up for the test.
//   node drive.mjs SERVER_JS DATA_FOLDER EXTENSION_FOLDER TEST_JS WORKSPACE [SERVER_FLAG…]
// Exits with 0 when the host ran the test to its end without a failure.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import readline from 'node:readline';
import { chromium } from 'playwright-core';

const LIMIT_MS = 90_000;
const STATUS_ITEM = '[id="gloss-authors.gloss.gloss.status"]';
const POLL_MS = 50;

const [serverJs, dataFolder, extensionFolder, testJs, workspace, ...flags] = process.argv.slice(2);
const wanted = process.env.GLOSS_E2E_WANTED;

function startServer() {
    const arguments_ = [serverJs, '--accept-server-license-terms', '--host', '127.0.0.1',
        '--port', '0', '--without-connection-token', '--telemetry-level', 'off',
        // A login shell would bring its own PATH.
        '--force-disable-user-env',
        '--server-data-dir', dataFolder, '--extensions-dir', `${dataFolder}/extensions`, ...flags];
    const server = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
    const port = new Promise((resolve, reject) => {
        readline.createInterface({ input: server.stdout }).on('line', (line) => {
            console.error(line);
            const match = /listening on (\d+)/.exec(line);
            if (match) {
                resolve(match[1]);
            }
        });
        server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
    return { server, port };
}

/** Answers what the test asks for through the file GLOSS_E2E_WANTED, until it is aborted. */
async function watchStatusItem(page, signal) {
    while (!signal.aborted) {
        const text = fs.existsSync(wanted) ? fs.readFileSync(wanted, 'utf8') : '';
        if (text && (await page.locator(STATUS_ITEM, { hasText: text }).count()) > 0) {
            fs.rmSync(wanted);
            fs.writeFileSync(`${wanted}.new`, text);
            fs.renameSync(`${wanted}.new`, `${wanted}.seen`);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
}

const { server, port } = startServer();
const ended = once(server, 'exit');
const stop = new AbortController();
let browser;
let status = 1;
try {
    const host = `127.0.0.1:${await port}`;
    browser = await chromium.launch({
        executablePath: process.env.GLOSS_E2E_CHROMIUM,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    const page = await browser.newPage();
    const exitCode = new Promise((resolve) => {
        page.exposeFunction('codeAutomationExit', resolve);
        setTimeout(resolve, LIMIT_MS, 'the time is over').unref();
    });
    await page.exposeFunction('codeAutomationLog', (type, values) => {
        console.error(`[${type}]`, ...values);
    });
    const payload = JSON.stringify([
        ['extensionDevelopmentPath', `vscode-remote://${host}${extensionFolder}`],
        ['extensionTestsPath', `vscode-remote://${host}${testJs}`],
        ['skipWelcome', 'true'],
    ]);
    const query = new URLSearchParams({ folder: workspace, payload });
    await page.goto(`http://${host}/?${query}`);
    const watching = watchStatusItem(page, stop.signal);
    const code = await Promise.race([exitCode, watching]);
    console.error('the host ended with', code);
    if (code !== 0) {
        await page.screenshot({ path: `${dataFolder}/last.png` });
    }
    stop.abort();
    await watching;
    status = code === 0 ? 0 : 1;
} finally {
    stop.abort();
    await browser?.close();
    server.kill('SIGTERM');
    await ended;
}
process.exit(status);
