"""Small trees that tests index."""
import json

QUEUE_C = """\
#include "queue.h"

static int total;

/* Adds one number at the end.
 * Returns the new length. */
int
queue_add(struct queue *q, int number)
{
    q->items[q->n++] = number;
    total++;
    return q->n;
}

int
queue_sum(const struct queue *q)
{
    int sum = 0;
    for (int i = 0; i < q->n; i++)
        sum += q->items[i];
    return sum;
}
"""

QUEUE_H = """\
#define QUEUE_MAX 64

/* Numbers in their order. */
struct queue {
    int items[QUEUE_MAX];
    int n;
};

int queue_add(struct queue *q, int number);
int queue_sum(const struct queue *q);
"""

MAIN_C = """\
#include "queue.h"

int
main(void)
{
    struct queue q = {.n = 0};
    queue_add(&q, 1);
    return queue_sum(&q);
}
"""

# Columns behind what UTF-16 and UTF-8 count differently.
WIDE_C = "/* \U0001F600 */ int after_emoji(void) { return 1; }\nchar *cjk = \"日本語\"; int after_cjk;\n"

SHOP_PY = '''\
"""A shop."""

LIMIT = 3


class Shop:
    """Sells things."""

    def sell(self, thing):
        """Sells one thing."""
        return price(thing)


def price(thing):
    return len(thing)
'''

APP_JS = """\
// Starts it.
export function start(root) {
    return new View(root);
}

class View {
    constructor(root) {
        this.root = root;
    }
    draw() {
        return start(this.root);
    }
}
"""

MODEL_TS = """\
export interface Item {
    id: string;
}

export type Items = Item[];

export class Store {
    items: Items = [];
    add(item: Item): number {
        return this.items.push(item);
    }
}
"""

VIEW_TSX = """\
import { Item } from "./model";

export function ItemView(props: { item: Item }) {
    return <li>{props.item.id}</li>;
}
"""


def write_c(house):
    house.write("src/queue.c", QUEUE_C)
    house.write("src/queue.h", QUEUE_H)
    house.write("src/main.c", MAIN_C)


def write_compile_commands(house, *names):
    house.write("compile_commands.json", json.dumps([
        {"directory": house.path("src"), "file": house.path("src", name),
         "arguments": ["cc", "-c", "-o", name + ".o", name]} for name in names]))


def write_mixed(house):
    """C, Python, JavaScript, TypeScript, TSX, one file no grammar reads, one that is ignored."""
    write_c(house)
    house.write("src/wide.c", WIDE_C)
    house.write("app/shop.py", SHOP_PY)
    house.write("web/app.js", APP_JS)
    house.write("web/model.ts", MODEL_TS)
    house.write("web/view.tsx", VIEW_TSX)
    house.write("notes.txt", "nothing to see\n")
    house.write("out/made.c", "int made_by_a_machine;\n")
    house.write(".gitignore", "out/\n")
