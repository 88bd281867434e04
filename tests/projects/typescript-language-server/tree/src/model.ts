/** What a note is about. */
export enum Topic {
    Work = "work",
    Home = "home",
}

export interface Note {
    readonly id: number;
    text: string;
    topic?: Topic;
    tags: Set<string>;
}

export type Order = (a: Note, b: Note) => number;

/** Notes by their number. */
export class Notebook {
    static readonly limit = 1000;
    private notes = new Map<number, Note>();
    #next = 1;

    constructor(public readonly title: string) {}

    get size(): number {
        return this.notes.size;
    }

    add(text: string, topic?: Topic): Note {
        if (this.size >= Notebook.limit) {
            throw new TooManyNotes(this.title);
        }
        const note: Note = { id: this.#next++, text, topic, tags: new Set() };
        this.notes.set(note.id, note);
        return note;
    }

    *search(word: string): Generator<Note> {
        for (const note of this.notes.values()) {
            if (note.text.includes(word)) {
                yield note;
            }
        }
    }

    async save(write: (text: string) => Promise<void>): Promise<void> {
        await write(JSON.stringify([...this.notes.values()]));
    }
}

export class TooManyNotes extends Error {}

export namespace orders {
    export const byId: Order = (a, b) => a.id - b.id;
    export function byLänge(a: Note, b: Note): number {
        return a.text.length - b.text.length;
    }
}

export function sorted<T extends Note>(notes: Iterable<T>, order: Order = orders.byId): T[] {
    return [...notes].sort(order);
}
