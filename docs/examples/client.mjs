#!/usr/bin/env node
// Searches, shows the hover of what it found first, then prints what changes.
//   client.mjs WORDS [FOLDER]    the workspace; without it the only one that is open
// Node 22 has WebSocket; Node 20 has it behind --experimental-websocket. No package is needed.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [words, folder] = process.argv.slice(2);
const runtime = process.env.XDG_RUNTIME_DIR || process.env.XDG_STATE_HOME || path.join(os.homedir(), '.local/state');
const engine = JSON.parse(fs.readFileSync(path.join(runtime, 'gloss/engine.json'), 'utf8'));

const ws = new WebSocket(`ws://127.0.0.1:${engine.port}/v1/ws`, ['gloss.v1', `bearer.${engine.token}`]);
const waiting = new Map(); // request_id → what to do with the answer
let number = 0;

/** The data of the answer; throws what the engine says is wrong. */
function ask(action, data) {
    const request = { type: 'request', action, request_id: ++number, data };
    if (folder) {
        request.workspace = fs.realpathSync(folder);
    }
    ws.send(JSON.stringify(request));
    return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
}

ws.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'response') {
        const { resolve, reject } = waiting.get(message.request_id);
        waiting.delete(message.request_id);
        message.success ? resolve(message.data) : reject(new Error(message.error));
    } else if (message.type === 'event') {
        console.log(message.event_type, message.data.key ?? message.subject);
    }
};
ws.onclose = ({ code, reason }) => console.log('closed:', code, reason);

await new Promise((resolve, reject) => {
    ws.onopen = resolve;
    ws.onerror = () => reject(new Error('the engine does not let us in'));
});
const { results } = await ask('search', { q: words, limit: 10 });
for (const { kind, name, path: file, range } of results) {
    console.log(`${kind} ${name} at ${file}:${range.start.line + 1}`);
}
if (results.length > 0) {
    const { entity } = await ask('get', { key: results[0].key });
    console.log(entity.hover.markdown ?? `no hover: ${entity.hover.reason ?? entity.hover.state}`);
}
await ask('subscribe', { events: ['entity.*'] });
console.log('following');
