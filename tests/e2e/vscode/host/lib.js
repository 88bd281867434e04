// Test points and waiting, for what runs inside the extension host. Points go to the file
// GLOSS_E2E_POINTS: the console of the host is not ours alone.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const vscode = require('vscode');

// Only a limit: every wait ends with its condition.
const TIMEOUT_MS = 15000;
const POLL_MS = 20;

let count = 0;
let failed = 0;

function write(line) {
    fs.appendFileSync(process.env.GLOSS_E2E_POINTS, `${line}\n`);
}

function point(ok, name, detail) {
    count += 1;
    write(`${ok ? 'ok' : 'not ok'} ${count} - ${name}`);
    if (!ok) {
        failed += 1;
        if (detail !== undefined) {
            const text = typeof detail === 'string' ? detail : JSON.stringify(detail, null, 1);
            write(`# ${text.replaceAll('\n', '\n# ')}`);
        }
    }
    return Boolean(ok);
}

/** The first true value of the condition, or its last one when the time is over. */
async function until(condition) {
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
        const value = await condition();
        if (value || Date.now() > deadline) {
            return value;
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
}

function children(pid) {
    const pids = [];
    for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
        const text = fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
        pids.push(...text.split(' ').filter(Boolean).map(Number));
    }
    return pids;
}

/** Pids of the programs this host runs whose command line holds the word `lsp`. */
function bridges() {
    return children(process.pid).filter((pid) => {
        try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0lsp\0');
        } catch {
            return false;
        }
    });
}

function alive(pid) {
    try {
        return !/^.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
        return false;
    }
}

function enginePid() {
    try {
        const file = `${process.env.XDG_RUNTIME_DIR}/gloss/engine.json`;
        return JSON.parse(fs.readFileSync(file, 'utf8')).pid;
    } catch {
        return undefined;
    }
}

/** Tell the driver to wait for this text in the status item, and wait for the driver. */
async function statusItemShows(text) {
    fs.writeFileSync(process.env.GLOSS_E2E_WANTED, text);
    const answer = () => {
        try {
            return fs.readFileSync(`${process.env.GLOSS_E2E_WANTED}.seen`, 'utf8');
        } catch {
            return undefined;
        }
    };
    const seen = await until(answer);
    fs.rmSync(`${process.env.GLOSS_E2E_WANTED}.seen`, { force: true });
    return seen === text;
}

async function openServerC() {
    const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, 'src/server.c');
    const document = await vscode.workspace.openTextDocument(uri);
    const editor = await vscode.window.showTextDocument(document);
    return { uri, document, editor };
}

function flatten(symbols) {
    return symbols.flatMap((symbol) => [symbol, ...flatten(symbol.children ?? [])]);
}

/** What the index has of a name, by the program that a user would ask. */
function shown(name) {
    const folder = vscode.workspace.workspaceFolders[0].uri.fsPath;
    try {
        return execFileSync('gloss', ['show', '--json', '--dir', folder, name], { encoding: 'utf8' });
    } catch (error) {
        return String(error);
    }
}

async function hasDocumentSymbol(uri, name) {
    const command = 'vscode.executeDocumentSymbolProvider';
    const symbols = (await vscode.commands.executeCommand(command, uri)) ?? [];
    return flatten(symbols).some((symbol) => symbol.name === name);
}

async function hasWorkspaceSymbol(name, file) {
    const command = 'vscode.executeWorkspaceSymbolProvider';
    const symbols = (await vscode.commands.executeCommand(command, name)) ?? [];
    return symbols.some(
        (symbol) => symbol.name === name && symbol.location.uri.fsPath.endsWith(file),
    );
}

/** Run the tests one after the other and write the plan. */
async function runAll(tests) {
    for (const test of tests) {
        try {
            await test();
        } catch (error) {
            point(false, `${test.name} ran to its end`, String(error?.stack ?? error));
        }
    }
    write(`1..${count}`);
    if (failed > 0) {
        throw new Error(`${failed} of ${count} failed`);
    }
}

module.exports = {
    alive,
    bridges,
    enginePid,
    hasDocumentSymbol,
    hasWorkspaceSymbol,
    openServerC,
    point,
    runAll,
    shown,
    statusItemShows,
    until,
};
