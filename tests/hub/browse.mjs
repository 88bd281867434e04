// A page in Chromium.
//   node browse.mjs CHROMIUM ADDRESS
// A line of standard input is a selector, a tab and a text: it is answered with `seen` when such an element of the page
// has that text. What the page writes to its console is printed, too.
import readline from 'node:readline';
import { chromium } from 'playwright-core';

const LIMIT_MS = 30_000;
const [executablePath, address] = process.argv.slice(2);
const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
});
try {
    const page = await browser.newPage();
    page.on('console', (message) => console.log(`console: ${message.text()}`));
    page.on('pageerror', (error) => console.log(`error: ${error.message}`));
    await page.goto(address);
    console.log('open');
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [selector, text] = line.split('\t');
        await page.locator(selector, { hasText: text }).first().waitFor({ timeout: LIMIT_MS });
        console.log('seen');
    }
} finally {
    await browser.close();
}
