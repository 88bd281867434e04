// The language client of one window: starts the program that locate.ts finds, and brings it
// back when it dies, three times within three minutes at the most. Starting and stopping go
// through one queue, so that no order of commands can leave two programs running.
import { Disposable, ExtensionContext, LogOutputChannel, workspace } from 'vscode';
import {
    CloseAction,
    CloseHandlerResult,
    ErrorAction,
    ErrorHandler,
    ErrorHandlerResult,
    LanguageClient,
    RevealOutputChannelOn,
    State,
} from 'vscode-languageclient/node';
import { Feed } from './feed';
import { locate, Program } from './locate';
import { ServerStatus, StatusItem } from './status';

const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 3 * 60 * 1000;
const STOP_TIMEOUT_MS = 2000;

interface LanguageFilter {
    scheme: string;
    language: string;
}

/** The files of the languages that start the extension. */
function filesOf({ extension }: ExtensionContext): LanguageFilter[] {
    const { activationEvents } = extension.packageJSON as { activationEvents: string[] };
    const prefix = 'onLanguage:';
    return activationEvents
        .filter((event) => event.startsWith(prefix))
        .map((event) => ({ scheme: 'file', language: event.slice(prefix.length) }));
}

class RestartPolicy implements ErrorHandler {
    private deaths: number[] = [];

    constructor(private readonly onGivenUp: (message: string) => void) {}

    error(): ErrorHandlerResult {
        return { action: ErrorAction.Continue };
    }

    closed(): CloseHandlerResult {
        const now = Date.now();
        this.deaths = this.deaths.filter((time) => now - time < RESTART_WINDOW_MS);
        this.deaths.push(now);
        if (this.deaths.length <= MAX_RESTARTS) {
            return { action: CloseAction.Restart, handled: true };
        }
        this.onGivenUp(`gloss ended ${this.deaths.length} times within three minutes.`);
        return { action: CloseAction.DoNotRestart, handled: true };
    }
}

function environment(): NodeJS.ProcessEnv {
    const added = workspace.getConfiguration('gloss').get<Record<string, string>>('env', {});
    return { ...process.env, ...added };
}

export class GlossClient implements Disposable {
    private current: LanguageClient | undefined;
    private queue: Promise<void> = Promise.resolve();
    private readonly feed: Feed;
    private readonly selector: LanguageFilter[];
    program: Program | undefined;

    constructor(
        private readonly context: ExtensionContext,
        private readonly log: LogOutputChannel,
        private readonly status: StatusItem,
    ) {
        this.feed = new Feed(() => this.current, log);
        this.selector = filesOf(context);
        this.feed.watch(this.selector);
    }

    get client(): LanguageClient | undefined {
        return this.current;
    }

    start(): Promise<void> {
        return this.enqueue(() => this.doStart());
    }

    stop(): Promise<void> {
        return this.enqueue(() => this.doStop());
    }

    restart(): Promise<void> {
        return this.enqueue(async () => {
            await this.doStop();
            await this.doStart();
        });
    }

    private enqueue(step: () => Promise<void>): Promise<void> {
        this.queue = this.queue.then(step).catch((error: unknown) => {
            const message = error instanceof Error ? error.message : String(error);
            this.log.error(message);
            this.status.update({ state: 'error', message });
        });
        return this.queue;
    }

    private async doStart(): Promise<void> {
        if (this.current) {
            return;
        }
        const env = environment();
        try {
            this.program = await locate({
                setting: workspace.getConfiguration('gloss').get('path', ''),
                extensionFolder: this.context.extensionPath,
                workspaceFolder: workspace.workspaceFolders?.[0]?.uri.fsPath,
                env,
            });
        } catch (error) {
            this.program = undefined;
            const message = error instanceof Error ? error.message : String(error);
            this.log.error(message);
            this.status.update({ state: 'missing', message });
            return;
        }
        const { path, source, version } = this.program;
        this.log.info(`starting ${path} (from ${source}): ${version}`);
        this.status.update({ state: 'starting' });
        const client = this.create(path, env);
        this.current = client;
        await client.start();
    }

    private create(path: string, env: NodeJS.ProcessEnv): LanguageClient {
        const settings = workspace.getConfiguration('gloss');
        const policy = new RestartPolicy((message) => {
            this.log.error(message);
            this.status.update({ state: 'error', message });
        });
        const client = new LanguageClient(
            'gloss',
            'gloss',
            // No `transport`: that would append --stdio.
            { command: path, args: ['lsp', ...settings.get<string[]>('args', [])], options: { env } },
            {
                documentSelector: this.selector,
                outputChannel: this.log,
                revealOutputChannelOn: RevealOutputChannelOn.Never,
                errorHandler: policy,
                initializationFailedHandler: () => false,
                initializationOptions: () => ({
                    features: {
                        hover: settings.get('features.hover'),
                        definition: settings.get('features.definition'),
                        documentSymbol: settings.get('features.documentSymbol'),
                    },
                    servedLanguages: this.feed.served(),
                    trusted: workspace.isTrusted,
                }),
                middleware: {
                    provideHover: (document, position, token, next) =>
                        this.feed.isAsking(document, position)
                            ? undefined
                            : next(document, position, token),
                },
            },
        );
        client.onNotification('gloss/status', (status: ServerStatus) => {
            this.status.update(status);
        });
        client.onDidChangeState(({ newState }) => {
            if (newState === State.Starting) {
                this.status.update({ state: 'starting' });
            } else if (newState === State.Stopped && this.status.current.state !== 'error') {
                this.status.update({ state: 'stopped' });
            }
        });
        return client;
    }

    private async doStop(): Promise<void> {
        const client = this.current;
        this.current = undefined;
        if (!client) {
            return;
        }
        try {
            // A client that never came up cannot be stopped, only dropped.
            if (client.needsStop()) {
                await client.stop(STOP_TIMEOUT_MS);
            }
        } finally {
            this.status.update({ state: 'stopped' });
        }
    }

    dispose(): void {
        this.feed.dispose();
        void this.stop();
    }
}
