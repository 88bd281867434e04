"""The commands on a small tree: what they print, their JSON, their exit codes."""
import fcntl
import glob
import json
import os
import pty
import re
import signal
import sqlite3
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from house import wait  # noqa: E402
from tap import case, equal, main  # noqa: E402

COMMANDS = ("dashboard", "doctor", "events", "export", "index", "lsp", "migrate", "outline", "retry", "search",
            "serve", "show", "status", "stop", "version")
N_FILES = 8  # of trees.write_mixed, that a grammar reads
SUMMARY = {"files", "skipped", "failed", "unchanged", "entities", "edges", "hovers", "seconds",
           "peak_rss_bytes", "epoch", "seq"}
ENTITY = {"key", "lang", "kind", "name", "qualified_name", "path", "range", "name_range", "signature", "doc",
          "parent", "rev"}


def signals_pending(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return any(int(line.split()[1], 16) for line in f if line.startswith(("SigPnd", "ShdPnd")))


@case("gloss --help names every command, each has --help of its own")
def _(house):
    text = house.gloss("--help").ok().out
    for name in COMMANDS:
        assert f"\n  {name} " in text, f"{name} is not in the help: {text}"
        own = house.gloss(name, "--help").ok()
        assert own.out.startswith(f"usage: gloss {name}") and "--db" in own.out, str(own)
        equal(own.err, "", name)
        equal(house.gloss("help", name).ok().out, own.out)


@case("wrong usage gives 2 and one line that says what to do")
def _(house):
    house.gloss("frobnicate").fails(2, "no command \"frobnicate\".*--help")
    house.gloss("index", "--frobnicate").fails(2, "unknown option --frobnicate.*gloss index --help")
    house.gloss("index", "--jobs", "many").fails(2, "--jobs wants a whole number")
    house.gloss("index", "a", "b").fails(2, "one argument too many")
    house.gloss("search").fails(2, "QUERY is missing")
    house.gloss("search", "x", "--kind", "sofa").fails(2, "no kind \"sofa\"")
    house.gloss("search", "x", "--lang", "latin").fails(2, "no language \"latin\"; there are c, ")
    for limit in ("0", "1001", "18446744073709551616", "9223372036854775808"):
        house.gloss("search", "x", "--limit", limit).fails(2, "--limit wants a (number from 1 to 1000|whole number)")
    house.gloss("search", "x", "--path", "[").fails(2, r'--path "\[": a \[ without its \]; write \\\[')
    house.gloss("search", "x", "--path", "src/[a-z/*").fails(2, "without its")
    house.gloss("search", "x", "--path", "src\\").fails(2, "cannot end in a backslash")
    for place in ("file.c:0", "file.c:0:1", "file.c:1:0"):
        house.gloss("show", place).fails(2, place + ": lines and columns count from 1")
    house.gloss("show", "").fails(2, "the name is empty")
    house.gloss("export", "--format", "xml").fails(2, "no format \"xml\"")
    house.gloss("events", "--since", "yesterday").fails(2, "--since wants EPOCH:SEQ")
    house.gloss("index", "--db", "mysql://localhost/x").fails(2, "no kind of index")
    equal(house.gloss().code, 2, "no command at all")


@case("what fails gives 1 and one line that says what to do")
def _(house):
    house.gloss("index", house.path("nowhere")).fails(1, "nowhere: ")
    house.gloss("index", house.write("file.c", "int a;\n")).fails(1, "file.c: ")
    house.gloss("search", "x").fails(1, "has no index yet; run `gloss index ")
    house.gloss("export").fails(1, "has no index yet")
    house.gloss("events").fails(1, "has no index yet")
    house.gloss("outline", "file.c").fails(1, "run `gloss index DIR` first")
    house.gloss("outline", "").fails(1, "name is empty")
    house.gloss("index", "").fails(1, '"": No such file')
    house.gloss("migrate", "--to", house.dir + "/copy.db").fails(1, "no index at sqlite:.*: `gloss index DIR` makes one")
    house.gloss("search", "x", "--db", house.path("file.c")).fails(1, "file.c: is no index of gloss")
    house.gloss("show", "file.c:1").fails(1, "run `gloss index DIR` first")


@case("a person at a terminal is told where the engine listens, why it ends, and that nothing is found")
def _(house):
    house.write("a.c", "int a;\n")
    house.index()
    for kind, args, wanted in (
            ("xterm", ["search", "zzz"], "nothing is found by this name; --text looks"),
            ("dumb", ["index"], ""),
            ("xterm", ["serve", "--idle-exit", "1"], r"the engine listens at ws://127\.0\.0\.1:\d+/v1/ws; it ends when "
             r"nobody (?s:.*)the engine ends: nobody has been here")):
        ours, theirs = pty.openpty()
        p = house.start(*args, env={"TERM": kind}, stderr_fd=theirs)
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # the last who had it is gone
            pass
        os.close(ours)
        equal(p.wait(), 0, said)
        assert re.search(wanted, said.decode()), said
        assert kind != "dumb" or b"\x1b" not in said, said


@case("an error is one line, and a name in it that a terminal obeys is shown")
def _(house):
    r = house.gloss("index", "no\nwhere \x1b[31m \x7f \x9b5m").fails(1, re.escape(r"no\nwhere \x1b[31m \u007f \u009b5m: "))
    assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f]", r.err), r.err


@case("version")
def _(house):
    text = house.gloss("version").ok().out
    assert text.startswith("gloss ") and text.count("\n") == 1, text
    equal(house.gloss("--version").ok().out, text)
    equal("gloss " + house.gloss("version", "--json").json()["version"] + "\n", text)


@case("index --json has the documented members and true counts")
def _(house):
    trees.write_mixed(house)
    s = house.index()
    assert SUMMARY <= set(s), f"missing: {SUMMARY - set(s)}"
    equal(s["files"], N_FILES, "files")
    equal(s["failed"], 0, "failed")
    equal(s["unchanged"], 0, "unchanged")
    assert s["skipped"] >= 1, s  # notes.txt
    assert s["edges"] > 0 and s["seconds"] >= 0 and s["peak_rss_bytes"] > 1 << 20 and s["seq"] > 0, s
    assert len(s["epoch"]) == 32 and int(s["epoch"], 16), s
    equal(set(s["hovers"]), {"known", "empty", "unknown"})
    equal(sum(s["hovers"].values()), s["entities"], "hovers of all states")
    equal(len(house.entities()), s["entities"], "exported")


@case("index without --json says the same in words")
def _(house):
    trees.write_mixed(house)
    out = house.gloss("index", house.tree).ok().out
    assert f"{N_FILES} files" in out and "hovers: " in out, out


@case("an entity of every language, with its kind, key and parent")
def _(house):
    trees.write_mixed(house)
    house.index()
    e = house.by_name()
    wanted = [("queue_add", "c", "function", "src/queue.c"), ("queue", "c", "struct", "src/queue.h"),
              ("queue.items", "c", "field", "src/queue.h"), ("QUEUE_MAX", "c", "macro", "src/queue.h"),
              ("total", "c", "variable", "src/queue.c"), ("Shop", "py", "class", "app/shop.py"),
              ("Shop.sell", "py", "method", "app/shop.py"), ("LIMIT", "py", "constant", "app/shop.py"),
              ("start", "js", "function", "web/app.js"), ("View.draw", "js", "method", "web/app.js"),
              ("View.constructor", "js", "constructor", "web/app.js"),
              ("Item", "ts", "interface", "web/model.ts"), ("Items", "ts", "type_alias", "web/model.ts"),
              ("Store.add", "ts", "method", "web/model.ts"), ("ItemView", "tsx", "function", "web/view.tsx")]
    for name, lang, kind, path in wanted:
        assert name in e, f"{name} is missing of {sorted(e)}"
        equal((e[name]["lang"], e[name]["kind"], e[name]["path"]), (lang, kind, path), name)
        assert ENTITY | {"hover"} <= set(e[name]), e[name]
        equal(e[name]["hover"]["state"], "unknown", name)
    assert "made_by_a_machine" not in e, "an ignored file was indexed"
    equal(e["Shop.sell"]["parent"], e["Shop"]["key"])
    equal(e["Shop"]["parent"], None)
    equal(e["Shop.sell"]["doc"], "Sells one thing.")
    keys = [x["key"] for x in house.entities()]
    equal(len(set(keys)), len(keys), "keys are unique")


@case("export of a C function: signature, doc, key, ranges")
def _(house):
    trees.write_mixed(house)
    house.index()
    f = house.by_name()["queue_add"]
    equal(f["key"], "c:fn:src/queue.c#queue_add")
    equal(f["signature"], "int queue_add(struct queue *q, int number)")
    equal(f["doc"], "Adds one number at the end.\nReturns the new length.")
    equal(f["range"], {"start": {"line": 6, "character": 0}, "end": {"line": 12, "character": 1}})
    equal(f["name_range"], {"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 9}})


@case("export tells the edges behind the entities, in the order of their places")
def _(house):
    house.write("b.py", "import os\n\nclass B(A):\n    def run(self):\n        '\u00e4\U0001f642'; go(); os.stop()\n")
    house.write("a.c", "int f(void) { return g(h()); }\n")
    n = house.index()["edges"]
    lines = house.exported()
    kinds = [line.get("type") for line in lines]
    equal(kinds, [None] * (len(lines) - n) + ["edge"] * n, "entities first")
    edges = lines[-n:]
    equal(set(edges[0]), {"type", "kind", "from", "path", "line", "character", "target"})
    equal([(e["kind"], e["from"], e["path"], e["line"], e["character"], e["target"]) for e in edges],
          [("calls", "c:fn:a.c#f", "a.c", 0, 21, "g"), ("calls", "c:fn:a.c#f", "a.c", 0, 23, "h"),
           ("imports", None, "b.py", 0, 7, "os"), ("inherits", "py:class:b.py#B", "b.py", 2, 8, "A"),
           ("calls", "py:method:b.py#B.run", "b.py", 4, 15, "go"), ("calls", "py:method:b.py#B.run", "b.py", 4, 24, "stop")])
    keys = {e["key"] for e in lines[:-n]}
    assert all(e["from"] in keys | {None} for e in edges), edges


@case("columns are UTF-16 behind an emoji and behind CJK")
def _(house):
    trees.write_mixed(house)
    house.index()
    e = house.by_name()
    line = trees.WIDE_C.split("\n")[0]
    col = len(line[:line.index("after_emoji")].encode("utf-16-le")) // 2
    equal(col, 13)
    equal(e["after_emoji"]["name_range"]["start"], {"line": 0, "character": col})
    equal(e["after_emoji"]["name_range"]["end"], {"line": 0, "character": col + len("after_emoji")})
    line = trees.WIDE_C.split("\n")[1]
    equal(e["after_cjk"]["name_range"]["start"], {"line": 1, "character": line.index("after_cjk")})


@case("a second run finds everything unchanged and writes nothing")
def _(house):
    trees.write_mixed(house)
    first, before = house.index(), house.entities()
    second = house.index()
    equal(second["unchanged"], N_FILES)
    for member in ("files", "entities", "edges", "epoch", "seq", "skipped"):
        equal(second[member], first[member], member)
    equal(house.entities(), before)


@case("one changed function is one row; what is above moves no key")
def _(house):
    trees.write_mixed(house)
    first, before = house.index(), house.by_name()
    house.write("src/queue.c", "/* new first line */\n" + trees.QUEUE_C.replace("int sum = 0", "int sum = 1"))
    second, after = house.index(), house.by_name()
    equal(second["unchanged"], N_FILES - 1)
    equal(set(before), set(after))
    equal({n: e["key"] for n, e in before.items()}, {n: e["key"] for n, e in after.items()})
    assert after["queue_sum"]["rev"] > first["seq"], after["queue_sum"]
    for name in ("queue_add", "total"):
        equal(after[name]["rev"], before[name]["rev"], f"rev of {name}")
        equal(after[name]["range"]["start"]["line"], before[name]["range"]["start"]["line"] + 1, name)
    events = house.gloss("events", "--since", f"{first['epoch']}:{first['seq']}").lines()
    equal([(x["event_type"], x["data"].get("name")) for x in events if x["event_type"].startswith("entity.")],
          [("entity.updated", "queue_sum")])


@case("an index that another gloss made is read again: what it did not see changes, the rest does not")
def _(house):
    trees.write_mixed(house)
    db = house.path("made.db")
    first = house.index("--db", db)
    before = house.gloss("export", "--db", db, house.tree).ok().out
    with sqlite3.connect(db) as made:
        equal(made.execute("UPDATE meta SET v='0-older' WHERE k='maker'").rowcount, 1)
    again = house.index("--db", db)
    equal((again["unchanged"], again["files"], again["seq"]), (0, first["files"], first["seq"]))
    equal(house.gloss("export", "--db", db, house.tree).ok().out, before)
    equal(house.index("--db", db)["unchanged"], N_FILES)

    with sqlite3.connect(db) as made:
        made.execute("DELETE FROM meta WHERE k='maker'") # so did those that did not say
        equal(made.execute("UPDATE entity SET hash=hash+1 WHERE name='queue_sum'").rowcount, 1)
    house.index("--db", db)
    events = house.gloss("events", "--db", db, "--since", f"{first['epoch']}:{first['seq']}").lines()
    equal([(x["event_type"], x["data"].get("name")) for x in events if x["event_type"].startswith("entity.")],
          [("entity.updated", "queue_sum")])


@case("a removed file takes its entities with it")
def _(house):
    trees.write_mixed(house)
    first = house.index()
    os.remove(house.path("app/shop.py"))
    second = house.index()
    equal(second["files"], N_FILES - 1)
    assert not [e for e in house.entities() if e["path"] == "app/shop.py"]
    events = house.gloss("events", "--since", f"{first['epoch']}:{first['seq']}").lines()
    gone = {x["data"]["name"] for x in events if x["event_type"] == "entity.deleted"}
    equal(gone, {"LIMIT", "Shop", "sell", "price"})


@case("a moved file: the old keys go, the new ones come")
def _(house):
    trees.write_mixed(house)
    first = house.index()
    os.mkdir(house.path("lib"))
    os.rename(house.path("app/shop.py"), house.path("lib/shop.py"))
    second = house.index()
    equal(second["files"], N_FILES)
    equal(second["entities"], first["entities"])
    equal({e["path"] for e in house.entities() if e["lang"] == "py"}, {"lib/shop.py"})


@case("a file that becomes ignored leaves the index, and comes back")
def _(house):
    trees.write_mixed(house)
    house.index()
    house.write(".gitignore", "out/\nweb/\n")
    equal(house.index()["files"], N_FILES - 3)
    house.write(".gitignore", "")
    equal(house.index()["files"], N_FILES + 1)


@case("index that is stopped says so, and goes on with what it had")
def _(house):
    trees.write_c(house)
    house.index()
    (path,) = glob.glob(os.path.join(house.env["XDG_STATE_HOME"], "gloss", "tree-*", "index.db"))
    house.write("src/more.c", "int more;\n")
    for number, name in ((signal.SIGINT, "Interrupt"), (signal.SIGTERM, "Terminated"), (signal.SIGHUP, "Hangup")):
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")  # its writer waits
        p = house.start("index", stderr=name)

        def holds():
            with open(path + ".lock", "rb") as f:
                try:
                    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        wait("it has the index", holds)
        p.send_signal(number)
        wait("the signal was taken", lambda: not signals_pending(p.pid))
        db.execute("ROLLBACK")
        db.close()
        equal(p.wait(30), 1)
        equal(house.stderr_text(name), f"gloss: stopped by {name}; what was indexed is kept\n")
    equal(house.index()["files"], 4)


@case("search: fuzzy by name, filters, --json has a score, best first")
def _(house):
    trees.write_mixed(house)
    house.index()
    found = house.gloss("search", "qadd", "--json").lines()
    equal(found[0]["name"], "queue_add")
    assert ENTITY | {"score"} <= set(found[0]) and "hover" not in found[0], found[0]
    scores = [x["score"] for x in house.gloss("search", "e", "--json").lines()]
    assert len(scores) > 3 and scores == sorted(scores, reverse=True), scores
    equal({x["kind"] for x in house.gloss("search", "queue", "--kind", "function", "--json").lines()},
          {"function"})
    equal({x["lang"] for x in house.gloss("search", "s", "--lang", "py", "--json").lines()}, {"py"})
    equal({x["path"] for x in house.gloss("search", "i", "--path", "web/*", "--json").lines()} -
          {"web/app.js", "web/model.ts", "web/view.tsx"}, set())
    equal(len(house.gloss("search", "e", "--limit", "2", "--json").lines()), 2)
    equal(house.gloss("search", "no_such_name_at_all", "--json").lines(), [])
    assert "src/queue.c:8:1: function int queue_add" in house.gloss("search", "queue_add").ok().out
    equal(house.gloss("search", "queue_add", "--dir", house.tree, "--json", cwd="/").lines()[0]["name"],
          "queue_add")


@case("search --text looks into docs")
def _(house):
    trees.write_mixed(house)
    house.index()
    found = house.gloss("search", "--text", "at the end", "--json").lines()
    assert "queue_add" in {x["name"] for x in found}, found


@case("show by key, by FILE:LINE, by FILE:LINE:COL")
def _(house):
    trees.write_mixed(house)
    house.index()
    one = house.gloss("show", "c:fn:src/queue.c#queue_add", "--json").json()
    equal(one["name"], "queue_add")
    equal({x["path"] for x in one["callers"]}, {"src/main.c"})
    equal(one["isgl1"], "c:fn:queue_add:src_queue_c:7-13")
    equal(house.gloss("show", "src/queue.c:10", "--json").json()["name"], "queue_add")
    equal(house.gloss("show", "app/shop.py:9:9", "--json").json()["qualified_name"], "Shop.sell")
    text = house.gloss("show", "src/queue.c:8").ok().out
    for part in ("function queue_add", "c:fn:src/queue.c#queue_add", "Adds one number", "hover  unknown"):
        assert part in text, text
    house.gloss("show", "c:fn:src/queue.c#nothing").fails(1, "no entity has the key")
    house.gloss("show", "src/queue.c:2").fails(1, "nothing is defined at")


@case("show by name: one is shown, several are listed")
def _(house):
    trees.write_mixed(house)
    house.write("src/again.c", "static int twice(void) { return 1; }\n")
    house.write("src/more.c", "static int twice(void) { return 2; }\n")
    house.index()
    equal(house.gloss("show", "queue_add", "--json").json()["key"], "c:fn:src/queue.c#queue_add")
    equal(house.gloss("show", "Shop.sell", "--json").json()["qualified_name"], "Shop.sell")
    equal(house.gloss("show", "Shop::sell", "--json").json()["qualified_name"], "Shop.sell")
    house.gloss("show", "queue_ad").fails(1, 'the key, place or name "queue_ad"')
    several = house.gloss("show", "twice").fails(1, '2 entities are called "twice"')
    equal(sorted(several.out.split()), ["c:fn:src/again.c#twice", "c:fn:src/more.c#twice",
                                        "src/again.c:1:12:", "src/more.c:1:12:"])


@case("outline is a tree in source order")
def _(house):
    trees.write_mixed(house)
    house.index()
    lines = house.gloss("outline", "app/shop.py").ok().out.splitlines()
    equal([line.split()[1] for line in lines], ["LIMIT", "Shop", "sell", "price"])
    assert lines[2].startswith("  method") and lines[3].startswith("function"), lines
    equal([x["name"] for x in house.gloss("outline", "shop.py", "--json", cwd=house.path("app")).lines()],
          ["LIMIT", "Shop", "sell", "price"])
    house.gloss("outline", "notes.txt").fails(1, "no entities")


@case("events: the log as on the wire, in order, and --since goes on behind a cursor")
def _(house):
    trees.write_mixed(house)
    s = house.index()
    events = house.gloss("events").lines()
    equal(events[0]["event_type"], "index.rebuilt")
    for x in events:
        assert {"type", "event_type", "seq", "epoch", "workspace", "time", "data"} <= set(x), x
        equal((x["type"], x["epoch"]), ("event", s["epoch"]))
    places = [(x["seq"], x["i"]) for x in events]
    equal(places, sorted(set(places)))
    equal(places[-1][0], s["seq"])
    added = [x["data"]["key"] for x in events if x["event_type"] == "entity.added"]
    equal(sorted(added), sorted(e["key"] for e in house.entities()))
    middle = places[len(places) // 2][0]
    equal([(x["seq"], x["i"]) for x in house.gloss("events", "--since", f"{s['epoch']}:{middle}").lines()],
          [p for p in places if p[0] > middle])
    equal(house.gloss("events", "--since", f"{s['epoch']}:{s['seq']}").lines(), [])
    house.gloss("events", "--since", "00ff:1").fails(1, "another epoch")
    house.gloss("events", "--since", f"{s['epoch']}:{s['seq'] + 9}").fails(1, "ahead of the index")


@case("--db and XDG_STATE_HOME decide where the index lies; nothing is written into the tree")
def _(house):
    trees.write_mixed(house)
    before = sorted(os.walk(house.tree))
    house.index()
    state = os.path.join(house.env["XDG_STATE_HOME"], "gloss")
    folders = [f for f in os.listdir(state) if os.path.isdir(os.path.join(state, f))]
    equal(len(folders), 1)
    assert folders[0].startswith("tree-"), folders
    db = os.path.join(state, folders[0], "index.db")
    equal(os.stat(os.path.dirname(db)).st_mode & 0o077, 0, "rights of the index's folder")
    rows = sqlite3.connect(f"file:{db}?mode=ro", uri=True).execute("SELECT count(*) FROM entity").fetchone()
    equal(rows[0], len(house.entities()))

    own = os.path.join(house.dir, "own.db")
    for url in (own, f"sqlite:{own}"):
        house.gloss("index", house.tree, "--db", url).ok()
    assert os.path.exists(own)
    house.gloss("search", "queue_add", "--db", own, env={"XDG_STATE_HOME": os.path.join(house.dir, "else")}).ok()
    house.gloss("search", "queue_add", env={"GLOSS_DB": own, "XDG_STATE_HOME": house.dir + "/else"}).ok()
    for args in (("export",), ("events",), ("outline", "app/shop.py"), ("show", "app/shop.py:9")):
        assert house.gloss(*args, "--db", own, env={"XDG_STATE_HOME": house.dir + "/else"}).ok().out, args
    house.gloss("search", "x", env={"XDG_STATE_HOME": os.path.join(house.dir, "else")}).fails(1, "no index yet")
    equal(sorted(os.walk(house.tree)), before, "the tree")


@case("an index of one tree is not overwritten with another")
def _(house):
    trees.write_mixed(house)
    db = os.path.join(house.dir, "one.db")
    other = os.path.join(house.dir, "other")
    os.mkdir(other)
    with open(os.path.join(other, "lone.py"), "w") as f:
        f.write("def lone():\n    return 1\n")
    house.gloss("index", house.tree, "--db", db).ok()
    rows = "SELECT group_concat(key), max(rev) FROM v_entity"
    read = lambda: sqlite3.connect(f"file:{db}?mode=ro", uri=True).execute(rows).fetchone()
    before = read()
    house.gloss("index", other, "--db", db).fails(1, f"is the index of {house.tree}; choose another --db$")
    equal(read(), before, "the first index")
    house.gloss("index", house.tree, "--db", db).ok()
    equal(read(), before, "the first index, indexed again")


@case("--db that names no file is refused, and nothing is left beside it")
def _(house):
    trees.write_mixed(house)
    folder = os.path.join(house.dir, "folder")
    os.mkdir(folder)
    house.gloss("index", house.tree, "--db", folder).fails(1, "is a folder")
    fifo = os.path.join(house.dir, "fifo")
    os.mkfifo(fifo)
    house.gloss("index", house.tree, "--db", fifo).fails(1, "is no file")
    left = [f for f in os.listdir(house.dir) if f.endswith((".lock", "-journal", "-wal", "-shm"))]
    equal(left, [])


@case("status and stop without an engine")
def _(house):
    equal(house.gloss("status", "--json").json(), {"engine": None, "workspaces": []})
    assert "no engine is running" in house.gloss("status").ok().out
    house.gloss("stop").ok()


@case("dashboard starts an engine, status tells of it, stop ends it")
def _(house):
    trees.write_c(house)
    url = house.gloss("dashboard", "--print").ok().out.strip()
    engine = house.engine()
    equal(url, f"http://127.0.0.1:{engine['port']}/#token={engine['token']}")
    equal(house.gloss("dashboard", "--json").json(), {"url": url})
    for name in ("engine.json", "engine.sock"):
        equal(os.stat(house.runtime(name)).st_mode & 0o077, 0, f"rights of {name}")
    w = wait("it is indexed", lambda: (s := house.status()["workspaces"]) and
             s[0]["files"]["indexed"] == 3 and s[0])
    equal(w["root"], house.tree)
    for member in ("state", "epoch", "head", "entities", "edges", "hovers", "queue", "servers", "progress"):
        assert member in w, f"{member} is missing in {w}"
    status = house.status()
    equal(status["engine"]["pid"], engine["pid"])
    equal(status["engine"]["port"], engine["port"])
    text = house.gloss("status").ok().out
    assert f"pid {engine['pid']}" in text and house.tree in text, text
    house.gloss("stop").ok()
    house.wait_empty()
    assert not os.path.exists(house.runtime("engine.json"))
    equal(house.status()["engine"], None)


@case("index asks the engine that holds the folder, with the same summary")
def _(house):
    trees.write_c(house)
    house.serve(house.tree)
    s = house.index()
    assert SUMMARY <= set(s), s
    equal(s["files"], 3)
    house.write("src/more.c", "int more(void) { return 1; }\n")
    equal(house.index()["files"], 4)
    equal(house.gloss("search", "more", "--json").lines()[0]["name"], "more")


@case("index asks the engine of an index that is named, too, and no engine of another one")
def _(house):
    trees.write_c(house)
    named = {"GLOSS_DB": os.path.join(house.dir, "named.db")}
    house.serve(house.tree, env=named)
    house.wait_ready()
    assert f"\n  index      sqlite:{named['GLOSS_DB']}, " in house.gloss("status").ok().out
    equal(house.index(env=named)["files"], 3)
    house.gloss("search", "queue_add").fails(1, "has no index yet")
    equal(house.index()["unchanged"], 0)
    equal(house.gloss("search", "queue_add", "--json").lines()[0]["name"], "queue_add")


@case("index says what it left out, and why")
def _(house):
    house.write(".gitignore", "*.log\n/out/\n")
    house.write("a.c", "int a;\n")
    house.write("out/b.c", "int b;\n")
    house.write("x.log", "x\n")
    house.write("y.log", "y\n")
    house.write("blob.c", b"int a;\0\1\2" * 99)
    house.write("big.c", "int big;\n" * 400)
    house.write("none.odd", "who knows\n")
    env = {"GLOSS_INDEX_MAX_FILE_BYTES": "2048"}
    for s in (house.index(env=env), house.index(env=env)):  # the second one reads none of them
        equal((s["files"], s["skipped"], s["failed"], s["ignored"]), (1, 4, 0, 3))
        equal({k: v for k, v in s["reasons"].items() if v}, {"binary": 1, "too_large": 1, "no_grammar": 2})
    text = house.gloss("index", env=env).ok().out
    assert "left out: 3 ignored by rules, 2 no_grammar, 1 too_large, 1 binary" in text, text


@case("doctor names what is there and what is missing, with the way to mend it")
def _(house):
    checks = house.gloss("doctor", "--json").json()["checks"]
    whats = {c["what"]: c for c in checks}
    for what in ("version", "state", "runtime", "settings", "engine", "watches", "descriptors"):
        assert what in whats, f"{what} is not in {sorted(whats)}"
    assert "index.max_file_bytes = 2097152" in house.gloss("doctor").ok().out
    house.config({"index": {"jobs": 3}})
    rows = {s["name"]: s for s in house.gloss("doctor", "--settings", "--json").json()["settings"]}
    equal(rows["index.jobs"],
          {"name": "index.jobs", "value": "3", "default": "0", "limits": "0 to 256", "option": "--jobs",
           "variable": "GLOSS_INDEX_JOBS", "of_a_workspace": False, "what": "files parsed at once; 0: one per core"})
    equal([n for n, s in rows.items() if s["of_a_workspace"]], ["index.ignore", "index.max_file_bytes"])
    out = house.gloss("doctor", "--settings").ok().out
    assert "index.jobs = 3\n    files parsed at once; 0: one per core\n    default: 0; may be: 0 to 256; --jobs; GLOSS_INDEX_JOBS\n" in out, out
    house.gloss("doctor", "nowhere").fails(1, "nowhere")


def languages(house, *args, **kw):
    return {row["language"]: row for row in house.gloss("doctor", "--json", *args, **kw).json()["languages"]}


def put_program(house, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexit 3\n")
    os.chmod(path, 0o755)
    return path


@case("doctor tells the server of each language: where it was found, or why not and how to install it")
def _(house):
    house.write("a.c", "int a;\n")
    house.write("b.go", "package b\n")
    house.write("Makefile", "all:\n")
    all_ = languages(house)
    assert len(all_) > 30, "all of them while there is no index"
    house.index()
    path = {"PATH": os.path.join(house.dir, "bin")}
    clangd = put_program(house, os.path.join(house.dir, "bin", "clangd"))
    rows = languages(house, env=path)
    equal(sorted(rows), ["c", "go", "make"])
    equal(rows["c"], {"language": "c", "key_prefix": "c", "files": 1, "server": "clangd", "version": None,
                      "program": clangd, "found": "PATH", "state": "not running", "running": 0, "why": None,
                      "install": None})
    equal((rows["go"]["state"], rows["go"]["why"], rows["go"]["install"]),
          ("missing", "gopls is not on PATH", "apt install gopls"))
    equal((rows["make"]["server"], rows["make"]["state"]), (None, "none known"))
    equal(sorted(languages(house, "--all", env=path)), sorted(all_))
    out = house.gloss("doctor", env=path).ok().out
    assert re.search(r"^ok +c +1 +clangd +not running " + re.escape(clangd) + r" \(PATH\)$", out, re.M), out
    assert re.search(r"^miss +go +1 +gopls +missing +gopls is not on PATH; apt install gopls$", out, re.M), out
    mine = put_program(house, house.path("tools", "mine"))  # named by the user, so it may lie where it likes
    house.config({"servers": [{"name": "gone", "command": ["/nowhere/gone"], "languages": ["go"]},
                              {"name": "mine", "command": [mine], "languages": ["go"]},
                              {"name": "clangd", "enabled": False}]})
    rows = languages(house, env=path)
    equal([rows["go"][m] for m in ("server", "program", "found", "why")],
          ["mine", mine, "configuration", "gone: /nowhere/gone is no program"])
    equal([rows["c"][m] for m in ("state", "program", "why", "install")],
          ["off", None, "turned off by your configuration", None])
    rows = languages(house, env={**path, "GLOSS_TRUSTED": "false"})
    equal((rows["go"]["state"], rows["go"]["program"]), ("off", None))
    assert "not trusted" in rows["go"]["why"], rows["go"]


@case("a workspace's own programs are not its servers, whatever PATH says; doctor tells so")
def _(house):
    house.write("a.c", "int a;\n")
    house.write(".vscode/settings.json", '{"clangd.path": "./clangd"}')
    mark = os.path.join(house.dir, "it-ran")
    for where in ("clangd", "node_modules/.bin/clangd"):
        put_program(house, house.path(where))
        house.write(where, f"#!/bin/sh\ntouch '{mark}'\n")
    linked = os.path.join(house.dir, "linked")
    os.symlink(house.path("node_modules", ".bin"), linked)
    tools = os.path.join(house.dir, "tools")  # what a server would run, and nothing else
    os.mkdir(tools)
    for entry in (".", "", "node_modules/.bin", house.tree, house.path("node_modules/.bin"), linked):
        path = {"PATH": f"{entry}:{tools}"}
        s = house.index("--enrich", env={**path, "GLOSS_LOG_LEVEL": "error"})
        equal((s["hovers"]["known"], os.path.exists(mark)), (0, False), entry)
        c = languages(house, env=path)["c"]
        equal((c["state"], c["program"]), ("missing", None), entry)
        told = "is the workspace's own and is not run" if entry.startswith("/") else "clangd is not on PATH"
        assert told in c["why"], (entry, c)
    home = {"PATH": house.path("node_modules/.bin"), "HOME": house.tree}  # who opens his home keeps what is in it
    equal(languages(house, env=home)["c"]["program"], house.path("node_modules/.bin/clangd"))


@case("doctor knows the state and version of what the engine runs")
def _(house):
    trees.write_mixed(house)
    scenario = os.path.join(house.dir, "scenario.json")
    with open(scenario, "w", encoding="utf-8") as f:
        json.dump({"lives": [{}]}, f)
    dies = put_program(house, os.path.join(house.dir, "bin", "dies"))
    house.config({"servers": [{"name": "fake", "languages": ["py"],
                               "command": [os.environ["GLOSS_FAKE_LS"], scenario, os.path.join(house.dir, "heard")]},
                              {"name": "dies", "command": [dies], "languages": ["c"]}]})
    house.serve(house.tree, env={"PATH": "/nowhere"})
    house.wait_ready()

    def row(language):
        return languages(house, env={"PATH": "/nowhere"})[language]
    python = wait("the server of Python is ready", lambda: (r := row("python"))["state"] == "ready" and r)
    equal([python[m] for m in ("server", "version", "running", "why")], ["fake", "1.0", 1, None])
    c = wait("the server of C fails", lambda: (r := row("c"))["state"] in ("backoff", "given_up") and r)
    assert "status 3" in c["why"], c
    assert re.search(r"^miss +c +\d+ +dies +(backoff|given_up)", house.gloss("doctor").ok().out, re.M)


@case("settings: flags over environment over config.json; a wrong one is named")
def _(house):
    trees.write_mixed(house)
    house.config({"index": {"max_file_bytes": 1024}})
    house.write("big.c", "int big;\n" + "/* x */\n" * 200)
    equal(house.index()["files"], N_FILES)
    equal(house.index(env={"GLOSS_INDEX_MAX_FILE_BYTES": "65536", "XDG_STATE_HOME": house.dir + "/b"})["files"],
          N_FILES + 1)
    house.config({"index": {"jobs": "many"}})
    house.gloss("index").fails(2, r"config\.json.*index\.jobs")
    house.gloss("index", env={"GLOSS_INDEX_JOBS": "-1", "XDG_CONFIG_HOME": house.dir}).fails(2, "GLOSS_INDEX_JOBS")


@case("stdout that is closed early is no crash")
def _(house):
    trees.write_mixed(house)
    house.index()
    p = house.start("export")
    json.loads(p.stdout.readline())
    p.stdout.close()
    assert p.wait(30) in (0, 1, -13), p.returncode
    equal(house.stderr_text(), "")


main()
