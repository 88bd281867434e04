// A workspace that is trusted, seen from inside the extension host.
'use strict';

const fs = require('node:fs');
const vscode = require('vscode');
const t = require('./lib');

const RUNNING = 2; // State.Running of vscode-languageclient

let extension;
let file;

const running = () => extension.exports?.client?.state === RUNNING;

async function activates() {
    extension = vscode.extensions.getExtension('gloss-authors.gloss');
    t.point(extension, 'the extension is there');
    file = await t.openServerC();
    t.point(await t.until(() => extension.isActive), 'a C file activates it');
    t.point(extension.exports?.apiVersion === 1, 'it exports apiVersion 1', extension.exports);
    t.point(await t.until(running), 'the client is running');
    const commands = await vscode.commands.getCommands(true);
    const wanted = ['start', 'stop', 'restart', 'showLogs', 'showStatus'];
    const missing = wanted.filter((name) => !commands.includes(`gloss.${name}`));
    t.point(missing.length === 0, 'its commands are registered', missing);
    t.point(
        fs.existsSync(process.env.GLOSS_E2E_WORKSPACE_RAN),
        'the program that the trusted workspace names is the one that runs',
    );
    const pid = t.enginePid();
    t.point(pid && t.alive(pid), 'engine.json names a living engine', pid);
}

async function showsStatus() {
    t.point(await t.statusItemShows('gloss: ready'), 'the status item becomes ready');
}

async function answers() {
    t.point(
        await t.until(() => t.hasWorkspaceSymbol('processCommand', '/src/server.c')),
        'workspace symbols have processCommand',
    );
    t.point(
        await t.until(() => t.hasDocumentSymbol(file.uri, 'processCommand')),
        'document symbols have processCommand',
    );
    const text = file.document.getText();
    const position = file.document.positionAt(text.indexOf('processCommand'));
    let shown = '';
    const hovered = await t.until(async () => {
        const command = 'vscode.executeHoverProvider';
        const hovers = await vscode.commands.executeCommand(command, file.uri, position);
        shown = hovers.flatMap((hover) => hover.contents.map((part) => part.value)).join('\n');
        return shown.includes('processCommand') && shown.includes('→ `reply_t`');
    });
    t.point(hovered, 'hover on it has what clangd said', shown);
    t.point(fs.existsSync(process.env.GLOSS_E2E_CLANGD_RAN), 'clangd was run for it');
}

async function followsEdits() {
    await file.editor.edit((edit) => {
        edit.insert(new vscode.Position(file.document.lineCount, 0),
            '\nint unsavedByTheEditor(void)\n{\n    return 1;\n}\n');
    });
    t.point(
        await t.until(() => t.hasDocumentSymbol(file.uri, 'unsavedByTheEditor')),
        'document symbols follow an edit that is not saved',
    );
    await vscode.commands.executeCommand('workbench.action.files.revert');
    t.point(
        await t.until(async () => !(await t.hasDocumentSymbol(file.uri, 'unsavedByTheEditor'))),
        'and its being reverted',
    );
}

async function restarts() {
    const old = t.bridges();
    const before = extension.exports.client;
    await vscode.commands.executeCommand('gloss.restart');
    t.point(
        old.length === 1 && (await t.until(() => !t.alive(old[0]))),
        'restart ends the old program', old,
    );
    t.point(
        extension.exports.client !== before && (await t.until(running)) && t.bridges().length === 1,
        'and brings a new one',
    );
    t.point(
        await t.until(() => t.hasWorkspaceSymbol('processCommand', '/src/server.c')),
        'that answers',
    );
    t.point(await t.statusItemShows('gloss: ready'), 'and the status item is ready again');

    const killed = t.bridges();
    killed.forEach((pid) => process.kill(pid, 'SIGKILL'));
    t.point(
        killed.length === 1 &&
            (await t.until(() => {
                const now = t.bridges();
                return now.length === 1 && now[0] !== killed[0] && running();
            })),
        'a program that was killed is started again', { killed, now: t.bridges() },
    );
}

async function stops() {
    await vscode.commands.executeCommand('gloss.stop');
    t.point(await t.until(() => t.bridges().length === 0), 'stop ends the program', t.bridges());
    t.point(await t.statusItemShows('gloss: stopped'), 'and the status item says so');
    await vscode.commands.executeCommand('gloss.start');
    t.point(await t.until(running), 'start brings it back');
}

exports.run = () => t.runAll([activates, showsStatus, answers, followsEdits, restarts, stops]);
