// Keeps texts; plain JavaScript.
const PREFIX = "notes:";

/** In memory, for tests. */
export class MemoryStore {
    constructor() {
        this.texts = new Map();
    }

    write(key, text) {
        this.texts.set(PREFIX + key, text);
    }

    read(key) {
        return this.texts.get(PREFIX + key);
    }
}

export function open(kind) {
    const stores = { memory: () => new MemoryStore() };
    return stores[kind]();
}
