// Hovers that other extensions' servers gave are handed over to gloss, so that it knows them
// without a server of its own. VS Code does not show one provider what another one said, so
// when the user hovers the name of a definition we ask once more for the same place, which
// the server has just answered: never more than once for a place of one text, and never by
// ourselves. What our own providers would say to that question is left out.
import {
    CancellationToken,
    commands,
    Disposable,
    extensions,
    Hover,
    languages,
    LogOutputChannel,
    Position,
    Range,
    TextDocument,
    workspace,
} from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';

const LOADING = '(loading...)';
const LOADING_TRIES = 3;
const LOADING_WAIT_MS = 1000;
const SEEN_MAX = 10_000;
const OWN_TEXT = '*gloss: ';

// Extensions that answer hovers, by what they serve. Others are found out by their first answer.
const SERVED_BY: Record<string, string[]> = {
    'vscode.typescript-language-features': [
        'javascript',
        'javascriptreact',
        'typescript',
        'typescriptreact',
    ],
    'llvm-vs-code-extensions.vscode-clangd': [
        'c',
        'cpp',
        'cuda-cpp',
        'objective-c',
        'objective-cpp',
    ],
    'ms-vscode.cpptools': ['c', 'cpp', 'cuda-cpp'],
    'ms-python.python': ['python'],
    'ms-python.vscode-pylance': ['python'],
    'ms-pyright.pyright': ['python'],
    'detachhead.basedpyright': ['python'],
    'golang.go': ['go'],
    'rust-lang.rust-analyzer': ['rust'],
    'redhat.java': ['java'],
    'ms-dotnettools.csharp': ['csharp'],
    'dart-code.dart-code': ['dart'],
    'scalameta.metals': ['scala'],
    'sumneko.lua': ['lua'],
    'bmewburn.vscode-intelephense-client': ['php'],
    'shopify.ruby-lsp': ['ruby'],
    'mads-hartmann.bash-ide-vscode': ['shellscript'],
    'ziglang.vscode-zig': ['zig'],
};

interface Entity {
    name_range: { start: Position; end: Position };
}

interface Outcome {
    taken: number;
    dropped: Record<string, number>;
}

function textsOf(hovers: Hover[]): string[] {
    const texts: string[] = [];
    for (const hover of hovers) {
        for (const part of hover.contents) {
            if (typeof part === 'string') {
                texts.push(part);
            } else if ('language' in part) {
                texts.push(`\`\`\`${part.language}\n${part.value}\n\`\`\``);
            } else {
                texts.push(part.value);
            }
        }
    }
    return texts.filter((text) => text.trim() !== '' && !text.includes(OWN_TEXT));
}

export class Feed implements Disposable {
    private readonly asking = new Map<string, number>();
    private readonly seen = new Set<string>();
    private readonly observed = new Set<string>();
    private readonly outlines = new WeakMap<
        TextDocument,
        { version: number; names: Promise<Range[]> }
    >();
    private readonly watching: Disposable[] = [];

    constructor(
        private readonly client: () => LanguageClient | undefined,
        private readonly log: LogOutputChannel,
    ) {}

    /** From now on, for these languages. */
    watch(selector: { scheme: string; language: string }[]): void {
        this.watching.push(
            languages.registerHoverProvider(selector, {
                provideHover: (document, position, token) => {
                    if (!this.isAsking(document, position)) {
                        void this.look(document, position, token);
                    }
                    return undefined;
                },
            }),
            extensions.onDidChange(() => this.tellServed()),
        );
    }

    /** Whether a hover is our own question: then we have nothing to say. */
    isAsking(document: TextDocument, position: Position): boolean {
        return this.asking.has(this.key(document, position));
    }

    /** The languages for which another extension answers hovers. */
    served(): string[] {
        const found = new Set(this.observed);
        for (const [id, served] of Object.entries(SERVED_BY)) {
            if (extensions.getExtension(id)) {
                served.forEach((language) => found.add(language));
            }
        }
        return [...found].sort();
    }

    private tellServed(): void {
        this.client()
            ?.sendNotification('workspace/didChangeConfiguration', {
                settings: { gloss: { servedLanguages: this.served() } },
            })
            .catch((error: unknown) => this.log.debug(String(error)));
    }

    private key(document: TextDocument, position: Position): string {
        return `${document.uri.toString()}@${document.version}:${position.line}:${position.character}`;
    }

    /** Ranges of the names that the index has for this text. */
    private names(client: LanguageClient, document: TextDocument): Promise<Range[]> {
        const known = this.outlines.get(document);
        if (known?.version === document.version) {
            return known.names;
        }
        const textDocument = { uri: client.code2ProtocolConverter.asUri(document.uri) };
        const names = client
            .sendRequest<Entity[] | null>('gloss/outline', { textDocument })
            .then((entities) =>
                (entities ?? []).map(
                    ({ name_range: { start, end } }) =>
                        new Range(start.line, start.character, end.line, end.character),
                ),
            );
        this.outlines.set(document, { version: document.version, names });
        return names;
    }

    private async look(
        document: TextDocument,
        position: Position,
        token: CancellationToken,
    ): Promise<void> {
        const client = this.client();
        if (!client?.isRunning() || !workspace.getConfiguration('gloss').get('feed.enable', true)) {
            return;
        }
        const version = document.version;
        try {
            const name = (await this.names(client, document)).find(
                (range) => range.contains(position) && !range.end.isEqual(position),
            );
            if (!name || document.version !== version || token.isCancellationRequested) {
                return;
            }
            const key = this.key(document, name.start);
            if (this.seen.has(key)) {
                return;
            }
            if (this.seen.size >= SEEN_MAX) {
                this.seen.clear();
            }
            this.seen.add(key);
            if (!(await this.borrow(client, document, position))) {
                this.seen.delete(key);
            }
        } catch (error) {
            this.log.debug(`a hover was not handed over: ${String(error)}`);
        }
    }

    private async ask(document: TextDocument, position: Position): Promise<string[]> {
        const key = this.key(document, position);
        this.asking.set(key, (this.asking.get(key) ?? 0) + 1);
        try {
            const command = 'vscode.executeHoverProvider';
            return textsOf(
                (await commands.executeCommand<Hover[]>(command, document.uri, position)) ?? [],
            );
        } finally {
            const left = (this.asking.get(key) ?? 1) - 1;
            if (left > 0) {
                this.asking.set(key, left);
            } else {
                this.asking.delete(key);
            }
        }
    }

    /** False: nothing came of it, a later hover may try again. */
    private async borrow(
        client: LanguageClient,
        document: TextDocument,
        position: Position,
    ): Promise<boolean> {
        const version = document.version;
        let texts = await this.ask(document, position);
        for (let n = 0; n < LOADING_TRIES && texts.some((t) => t.includes(LOADING)); n++) {
            await new Promise((resolve) => setTimeout(resolve, LOADING_WAIT_MS));
            if (document.isClosed || document.version !== version) {
                return false;
            }
            texts = await this.ask(document, position);
        }
        if (texts.length === 0 || texts.some((text) => text.includes(LOADING))) {
            return false;
        }
        if (!this.served().includes(document.languageId)) {
            this.observed.add(document.languageId);
            this.tellServed();
        }
        if (document.isClosed || document.version !== version || !client.isRunning()) {
            return false;
        }
        const outcome = await client.sendRequest<Outcome>('gloss/hovers', {
            textDocument: {
                uri: client.code2ProtocolConverter.asUri(document.uri),
                version,
            },
            server: 'VS Code',
            hovers: [
                {
                    position: { line: position.line, character: position.character },
                    contents: texts,
                },
            ],
        });
        return outcome.taken > 0;
    }

    dispose(): void {
        this.watching.forEach((one) => one.dispose());
    }
}
