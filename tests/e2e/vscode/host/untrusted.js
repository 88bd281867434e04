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

exports.run = () => t.runAll([staysSafe]);
