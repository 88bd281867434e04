"""The include lint: what src/ and lsp/ include, held against the module table of src/meson.build.

layers.py ROOT ROW…     rows as "module:use,use"; prints TAP, one point per rule
layers.py --self-test   plants one breach per rule in a tiny tree and shows that each is caught
"""
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

# Any of their headers may be included from outside; of all others only <folder>.h.
OPEN_MODULES = {"base", "model", "rt"}
LSP = {"lsp/wire", "lsp/client", "lsp/server"}
# Where a third-party header lives. A prefix ending in "/" stands for a folder.
HOMES = {
    "jansson.h": {"codec", "hub", "config", "app"} | LSP,
    "sqlite3.h": {"store"},
    "rocksdb/": {"store"},
    "libpq-fe.h": {"store"},
    "libwebsockets.h": {"hub"},
    "tree_sitter/": {"lang", "parse", "extract"},
    "uv.h": {"rt", "hub"},
    "xxhash.h": {"base"},
}
# Headers made outside src/ and lsp/, and who may see them.
GENERATED = {"registry.h": {"lang"}}
THREADS = re.compile(
    r"\b(?:pthread_\w+|uv_(?:mutex|thread|cond|rwlock|sem|barrier|key|once)_\w+|uv_queue_work"
    r"|atomic_\w+|_Atomic|__atomic_\w+|__sync_\w+|(?:thrd|mtx|cnd)_\w+)\b"
    r"|<(?:pthread|stdatomic|threads|semaphore)\.h>")
THREAD_EXCEPTIONS = {"src/model/snapshot.c"}  # one reference counter
HEADER_LINES = 120
BIG_HEADER_LINES = 160
BIG_HEADERS = 5
SOURCE_LINES = 800

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
COMMENT_OR_STRING = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", re.S)

RULES = ("upward", "private", "third-party", "threads", "length", "pragma", "stray")
TITLES = {
    "upward": "a module includes itself and its row, and nobody includes app",
    "private": "from outside a folder only its public header is included",
    "third-party": "third-party headers stay in their module",
    "threads": "threads, mutexes and atomics live in src/rt",
    "length": f"headers have at most {HEADER_LINES} lines, sources {SOURCE_LINES}",
    "pragma": "every header opens with #pragma once",
    "stray": "every file belongs to a module of the table and names what it includes from src/",
}


def parse_rows(rows):
    table = {}
    for row in rows:
        name, _, uses = row.partition(":")
        table[name] = {u for u in uses.split(",") if u}
    return table


def module_of(path, table):
    """Module of a path that is relative to src/ (or begins with lsp/); None if there is none."""
    parts = path.split("/")
    for n in (2, 1):
        name = "/".join(parts[:n])
        if len(parts) > n and name in table:
            return name
    return None


def find_sources(root):
    for top in ("src", "lsp"):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f != "node_modules")
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def without_comments(text):
    """Comments and strings blanked, lines kept; the names after #include stay."""
    def blank(match):
        part = match.group(0)
        line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if part[0] == '"' and re.match(r"[ \t]*#[ \t]*include", line):
            return part
        return "\n" * part.count("\n") or " "
    return COMMENT_OR_STRING.sub(blank, text)


class Lint:
    def __init__(self, root, table):
        self.root = root
        self.table = table
        self.problems = {rule: [] for rule in RULES}
        self.notes = []
        self.files = 0

    def add(self, rule, path, line, text):
        self.problems[rule].append(f"{path}:{line}: {text}")

    def run(self):
        big = []
        for path in find_sources(self.root):
            self.files += 1
            with open(os.path.join(self.root, path), encoding="utf-8") as f:
                raw = f.read()
            text = without_comments(raw)
            inner = path[4:] if path.startswith("src/") else path
            module = module_of(inner, self.table)
            if module is None:
                self.add("stray", path, 1, "in no module of the table")
                continue
            for match in INCLUDE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                self.check_include(path, line, module, match.group(1), match.group(2))
            if module != "rt" and path not in THREAD_EXCEPTIONS:
                for match in THREADS.finditer(text):
                    line = text.count("\n", 0, match.start()) + 1
                    self.add("threads", path, line, f"{match.group(0)} outside src/rt")
            self.check_form(path, raw, text, big)
        for n, path in sorted(big, reverse=True)[BIG_HEADERS:]:
            self.add("length", path, n, f"{n} lines; {BIG_HEADERS} bigger headers have the exception")
        return self.problems

    def check_include(self, path, line, module, quote, name):
        for third, homes in HOMES.items():
            if name == third or (third.endswith("/") and name.startswith(third)):
                if module not in homes:
                    self.add("third-party", path, line, f"{name} does not belong in {module}")
                return
        if quote == "<":
            return
        if name in GENERATED:
            if module not in GENERATED[name]:
                self.add("private", path, line, f"{name} is not for {module}")
            return
        used = module_of(name, self.table)
        if used is None:
            self.add("stray", path, line, f'"{name}" is not written from src/ on')
            return
        if used == module:
            return
        if used == "app" or used not in self.table[module]:
            self.add("upward", path, line, f"{module} may not use {used} ({name})")
            return
        public = f"{used}/{used.split('/')[-1]}.h"
        if used not in OPEN_MODULES and name != public:
            self.add("private", path, line, f"{name} is {used}'s own; include {public}")

    def check_form(self, path, raw, text, big):
        n = raw.count("\n")
        if path.endswith(".c"):
            if n > SOURCE_LINES:
                self.add("length", path, n, f"{n} lines")
            return
        if n > BIG_HEADER_LINES:
            self.add("length", path, n, f"{n} lines")
        elif n > HEADER_LINES:
            big.append((n, path))
            self.notes.append(f"{path}: {n} lines")
        if text.lstrip().split("\n", 1)[0].strip() != "#pragma once":
            self.add("pragma", path, 1, "does not open with #pragma once")


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


SELF_ROWS = ["base:", "model:base", "rt:base", "codec:base,model", "store:base,model",
             "lsp/wire:base,rt,codec", "hub:base,model,rt,codec,lsp/wire",
             "app:base,model,rt,codec,store,lsp/wire,hub"]
SELF_TREE = {
    "src/base/base.h": "#pragma once\n",
    "src/base/str.h": '#pragma once\n#include "base/base.h"\n',
    "src/model/span.h": '#pragma once\n#include "base/str.h"\n',
    "src/model/snapshot.c": '#include <stdatomic.h>\nstatic _Atomic int refs;\n',
    "src/rt/loop.h": "#pragma once\n#include <uv.h>\n",
    "src/rt/pool.c": '#include "rt/loop.h"\nstatic uv_mutex_t lock;\nvoid f(void) { uv_mutex_lock(&lock); }\n',
    "src/codec/codec.h": '#pragma once\n#include <jansson.h>\n#include "model/span.h"\n',
    "src/codec/inner.h": "#pragma once\n",
    "src/codec/codec.c": '#include "codec/codec.h"\n#include "codec/inner.h"\n',
    "src/store/store.h": "#pragma once\n",
    "src/store/sqlite.c": '#include <sqlite3.h>\n#include "store/store.h"\n/* no uv_mutex_lock(), "no" */\n',
    "lsp/wire/wire.h": '#pragma once\n#include "codec/codec.h"\n',
    "lsp/wire/frame.h": "#pragma once\n",
    "src/hub/hub.h": '#pragma once\n#include "lsp/wire/wire.h"\n',
    "src/app/app.h": "#pragma once\n",
}
# (what is planted, path, text, the rule that must catch it)
PLANTED = [
    ("an upward include", "src/model/bad.c", '#include "store/store.h"\n', "upward"),
    ("an upward include with odd blanks", "src/base/bad.c", '  #  include  "rt/loop.h"\n', "upward"),
    ("a sideways include", "src/store/bad.c", '#include "codec/codec.h"\n', "upward"),
    ("an include of app", "src/hub/bad.c", '#include "app/app.h"\n', "upward"),
    ("a private header", "src/hub/bad.c", '#include "codec/inner.h"\n', "private"),
    ("a private header of lsp", "src/hub/bad.c", '#include "lsp/wire/frame.h"\n', "private"),
    ("another module's generated header", "src/hub/bad.c", '#include "registry.h"\n', "private"),
    ("sqlite outside store", "src/hub/bad.c", "#include <sqlite3.h>\n", "third-party"),
    ("jansson outside its modules", "src/model/bad.c", '#include "jansson.h"\n', "third-party"),
    ("tree-sitter outside its modules", "src/hub/bad.c", "#include <tree_sitter/api.h>\n", "third-party"),
    ("libuv on a low floor", "src/base/bad.h", "#pragma once\n#include <uv.h>\n", "third-party"),
    ("libwebsockets outside hub", "lsp/wire/bad.c", "#include <libwebsockets.h>\n", "third-party"),
    ("a mutex outside rt", "src/hub/bad.c", "static uv_mutex_t m;\nvoid f(void) { uv_mutex_init(&m); }\n", "threads"),
    ("an atomic outside rt", "src/store/bad.c", "#include <stdatomic.h>\n", "threads"),
    ("a thread outside rt", "src/store/bad.c", "void f(void) { pthread_create(0, 0, 0, 0); }\n", "threads"),
    ("a long header", "src/hub/bad.h", "#pragma once\n" + "\n" * 161, "length"),
    ("a long source", "src/hub/bad.c", "\n" * 801, "length"),
    ("a header without its guard", "src/hub/bad.h", "#ifndef BAD\n#define BAD\n#endif\n", "pragma"),
    ("a file in no module", "src/odd/bad.c", "int x;\n", "stray"),
    ("an include beside the file", "src/codec/bad.c", '#include "inner.h"\n', "stray"),
]


def self_test():
    tap = Tap()
    table = parse_rows(SELF_ROWS)

    def lint(extra):
        with tempfile.TemporaryDirectory(prefix="layers-") as root:
            for path, text in {**SELF_TREE, **extra}.items():
                write(root, path, text)
            return Lint(root, table).run()

    found = lint({})
    tap.point("the clean tree passes", [p for ps in found.values() for p in ps])
    for what, path, text, rule in PLANTED:
        found = lint({path: text})
        problems = []
        if not any(p.startswith(path + ":") for p in found[rule]):
            problems.append(f"{path}: not caught by {rule}: {found}")
        problems += [f"also caught by {r}: {ps}" for r, ps in found.items() if ps and r != rule]
        tap.point(f"caught by {rule}: {what}", problems)
    headers = {f"src/hub/big{i}.h": "#pragma once\n" + "\n" * 130 for i in range(BIG_HEADERS)}
    found = lint(headers)
    tap.point(f"{BIG_HEADERS} big headers are let through", found["length"])
    headers["src/hub/more.h"] = "#pragma once\n" + "\n" * 129
    found = lint(headers)
    tap.point("one more is not", [] if len(found["length"]) == 1 else [str(found["length"])])
    tap.finish()


def main(args):
    if args == ["--self-test"]:
        self_test()
    if len(args) < 2:
        sys.exit(__doc__)
    lint = Lint(args[0], parse_rows(args[1:]))
    lint.run()
    tap = Tap()
    tap.point("there are sources to look at", [] if lint.files else ["no .c or .h found"])
    for rule in RULES:
        tap.point(TITLES[rule], lint.problems[rule], lint.notes if rule == "length" else ())
    tap.finish()


main(sys.argv[1:])
