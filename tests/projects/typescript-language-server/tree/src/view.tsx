import { Note, Notebook, sorted } from "./model";

declare global {
    namespace JSX {
        interface IntrinsicElements {
            [name: string]: unknown;
        }
        type Element = { name: string };
    }
}

interface NoteProps {
    note: Note;
    onOpen?: (note: Note) => void;
}

export function NoteView({ note, onOpen }: NoteProps) {
    return <li onClick={() => onOpen?.(note)}>{note.text}</li>;
}

export const NotebookView = (props: { notebook: Notebook; word: string }) => (
    <ul>
        {sorted(props.notebook.search(props.word)).map((note) => (
            <NoteView note={note} />
        ))}
    </ul>
);
