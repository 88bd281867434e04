// The one status bar item. It shows what the server last said of itself, or why there is no
// server; it never pops up anything.
import {
    Disposable,
    MarkdownString,
    StatusBarAlignment,
    StatusBarItem,
    window,
    workspace,
} from 'vscode';

/** Parameters of the notification `gloss/status`. */
export interface ServerStatus {
    state: 'starting' | 'indexing' | 'enriching' | 'ready' | 'paused' | 'error';
    files?: number;
    entities?: number;
    hovers?: { known: number; empty: number; unknown: number };
    message?: string;
}

export type Status =
    | ServerStatus
    | { state: 'stopped' | 'missing'; message?: string };

const ICONS: Record<Status['state'], string> = {
    starting: '$(loading~spin)',
    indexing: '$(sync~spin)',
    enriching: '$(sync~spin)',
    ready: '$(check)',
    paused: '$(debug-pause)',
    error: '$(error)',
    stopped: '$(circle-slash)',
    missing: '$(warning)',
};

const LINKS = '[Status](command:gloss.showStatus) · [Logs](command:gloss.showLogs)';

/** The status as lines of plain text. */
export function describe(status: Status): string[] {
    const lines: string[] = [status.state];
    if ('entities' in status && status.entities !== undefined) {
        lines.push(`${status.entities} entities in ${status.files ?? 0} files`);
    }
    if ('hovers' in status && status.hovers) {
        const { known, empty, unknown } = status.hovers;
        lines.push(`hovers: ${known} known, ${empty} empty, ${unknown} unknown`);
    }
    if (status.message) {
        lines.push(status.message);
    }
    return lines;
}

export class StatusItem implements Disposable {
    private readonly item: StatusBarItem;
    private readonly settings: Disposable;
    private status: Status = { state: 'stopped' };

    constructor() {
        this.item = window.createStatusBarItem('gloss.status', StatusBarAlignment.Left);
        this.item.name = 'gloss';
        this.item.command = 'gloss.showStatus';
        this.settings = workspace.onDidChangeConfiguration((event) => {
            if (event.affectsConfiguration('gloss.statusBar')) {
                this.update(this.status);
            }
        });
        this.update(this.status);
    }

    get current(): Status {
        return this.status;
    }

    update(status: Status): void {
        this.status = status;
        const icon = ICONS[status.state] ?? '$(question)';
        this.item.text = `${icon} gloss: ${status.state}`;
        const running = status.state !== 'stopped' && status.state !== 'missing';
        const toggle = running
            ? '[Restart](command:gloss.restart) · [Stop](command:gloss.stop)'
            : '[Start](command:gloss.start)';
        const tooltip = new MarkdownString();
        // Text of the server is no markdown: its links must not become ours.
        tooltip.appendText(`gloss: ${describe(status).join('\n')}`);
        tooltip.appendMarkdown(`\n\n${LINKS} · ${toggle}`);
        tooltip.isTrusted = {
            enabledCommands: [
                'gloss.showStatus',
                'gloss.showLogs',
                'gloss.restart',
                'gloss.stop',
                'gloss.start',
            ],
        };
        this.item.tooltip = tooltip;
        if (workspace.getConfiguration('gloss').get('statusBar.show') === 'never') {
            this.item.hide();
        } else {
            this.item.show();
        }
    }

    dispose(): void {
        this.settings.dispose();
        this.item.dispose();
    }
}
