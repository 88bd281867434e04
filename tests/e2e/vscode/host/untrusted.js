// The same workspace without trust: gloss runs, but nothing that the workspace names and no
// language server.
'use strict';

const fs = require('node:fs');
const vscode = require('vscode');
const t = require('./lib');

async function staysSafe() {
    t.point(vscode.workspace.isTrusted === false, 'the workspace is not trusted');
    const file = await t.openServerC();
    const extension = vscode.extensions.getExtension('gloss-authors.gloss');
    t.point(await t.until(() => extension?.isActive), 'the extension is active all the same');
    t.point(await t.statusItemShows('gloss: ready'), 'the status item becomes ready');
    t.point(
        await t.until(() => t.hasDocumentSymbol(file.uri, 'processCommand')),
        'document symbols have processCommand',
    );
    t.point(
        !fs.existsSync(process.env.GLOSS_E2E_WORKSPACE_RAN),
        'the program that the workspace names was not run',
    );
    t.point(!fs.existsSync(process.env.GLOSS_E2E_CLANGD_RAN), 'no clangd was run');
}

/** Another extension's server answers hovers; it is asked by the user, and gloss gets to know. */
async function handsOver() {
    const { document } = await t.openServerC();
    const other = { asked: [] };
    const provider = vscode.languages.registerHoverProvider('c', {
        provideHover(_, position) {
            other.asked.push(document.offsetAt(position));
            return new vscode.Hover(new vscode.MarkdownString('told by the other'));
        },
    });
    const text = document.getText();
    const hover = (offset) => vscode.commands.executeCommand(
        'vscode.executeHoverProvider', document.uri, document.positionAt(offset));
    const use = text.lastIndexOf('processCommand') + 1;
    const definition = text.indexOf('processCommand') + 1;
    await hover(use);
    await hover(definition);
    let json = '';
    t.point(
        await t.until(() => {
            json = t.shown('processCommand');
            return json.includes('told by the other') && json.includes('VS Code (editor)');
        }),
        'what another extension says to a hover is in the index', json,
    );
    t.point(!json.includes('gloss:'), 'and nothing of what gloss said to it', json);
    await hover(definition);
    const at = (offset) => other.asked.filter((one) => one === offset).length;
    t.point(
        at(use) === 1 && at(definition) === 3 && other.asked.length === 4,
        'it was asked by the user, and once by gloss for the definition', other.asked,
    );
    provider.dispose();
    t.point(!fs.existsSync(process.env.GLOSS_E2E_CLANGD_RAN), 'still without a clangd');
}

exports.run = () => t.runAll([staysSafe, handsOver]);
