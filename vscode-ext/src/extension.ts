// Activation: one client, one status item, five commands. Nothing pops up by itself.
import { commands, ExtensionContext, window, workspace } from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';
import { GlossClient } from './client';
import { describe, StatusItem } from './status';

/** What `activate` exports to other extensions. */
export interface Api {
    readonly apiVersion: 1;
    /** The client that runs now; another object after a restart, undefined when stopped. */
    readonly client: LanguageClient | undefined;
}

// A change of these takes effect with a new program only.
const NEEDS_RESTART = ['gloss.enable', 'gloss.path', 'gloss.args', 'gloss.env', 'gloss.features'];

let gloss: GlossClient | undefined;

function isEnabled(): boolean {
    return workspace.getConfiguration('gloss').get('enable', true);
}

async function showStatus(client: GlossClient, item: StatusItem): Promise<void> {
    const lines = describe(item.current);
    if (client.program) {
        const { path, source, version } = client.program;
        lines.push(`${path} (from ${source}), ${version}`);
    }
    if (!workspace.isTrusted) {
        lines.push('The workspace is not trusted: gloss only parses.');
    }
    const chosen = await window.showInformationMessage(
        `gloss: ${lines.join(' · ')}`,
        'Show Logs',
        'Restart',
    );
    if (chosen === 'Show Logs') {
        await commands.executeCommand('gloss.showLogs');
    } else if (chosen === 'Restart') {
        await commands.executeCommand('gloss.restart');
    }
}

export async function activate(context: ExtensionContext): Promise<Api> {
    const log = window.createOutputChannel('gloss', { log: true });
    const item = new StatusItem();
    const client = new GlossClient(context, log, item);
    gloss = client;
    context.subscriptions.push(
        log,
        item,
        commands.registerCommand('gloss.start', () => client.start()),
        commands.registerCommand('gloss.stop', () => client.stop()),
        commands.registerCommand('gloss.restart', () => client.restart()),
        commands.registerCommand('gloss.showLogs', () => log.show()),
        commands.registerCommand('gloss.showStatus', () => showStatus(client, item)),
        workspace.onDidChangeConfiguration((event) => {
            if (NEEDS_RESTART.some((setting) => event.affectsConfiguration(setting))) {
                void (isEnabled() ? client.restart() : client.stop());
            }
        }),
        workspace.onDidGrantWorkspaceTrust(() => {
            if (client.client) {
                void client.restart();
            }
        }),
    );
    if (isEnabled()) {
        await client.start();
    }
    return {
        apiVersion: 1,
        get client() {
            return client.client;
        },
    };
}

export function deactivate(): Promise<void> | undefined {
    return gloss?.stop();
}
