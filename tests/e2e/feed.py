"""The change feed: whoever goes on behind a cursor sees every change once, as exactly the delta, over the
WebSocket and by `gloss events --follow`, live, replayed, and behind a kill -9 of the engine."""
import json
import os
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from house import WAIT_S, wait  # noqa: E402
from lsp import Control, Editor  # noqa: E402
from tap import case, equal, main  # noqa: E402
from ws import WebSocket, http  # noqa: E402

QUIET = {"GLOSS_ENRICH_ENABLED": "false"}  # hovers would be changes too


def is_of(path, event_type="file:completed"):
    return lambda e: e["event_type"] == event_type and e["subject"] == path


def entity_changes(events):
    return [(e["event_type"], e["data"]["name"]) for e in events if e["event_type"].startswith("entity.")]


def check_order(events):
    """Durable events have rising places, one epoch, and none comes twice."""
    places = [(e["seq"], e["i"]) for e in events if "seq" in e]
    equal(places, sorted(set(places)), "places")
    equal(len({e["epoch"] for e in events}), 1, "epochs")


class Subscriber:
    """A WebSocket that goes on behind a cursor."""

    def __init__(self, engine, workspace, since=None, events=("entity.*", "file:*")):
        self.ws = WebSocket(engine)
        data = {"workspace": workspace["id"], "events": list(events), "snapshot": "never"}
        if since is not None:
            data["since"] = since
        self.reply = self.ws.request("subscribe", data)
        assert self.reply["success"], self.reply
        self.cursor = since
        self.all = []

    def until(self, last):
        events = self.ws.events_until(last)
        for e in events:
            if "seq" in e:
                self.cursor = {"epoch": e["epoch"], "seq": e["seq"]}
        self.all += events
        return events


def start_engine(house):
    process, engine = house.serve(house.tree, env=QUIET)
    workspace = house.wait_ready()
    return process, engine, workspace


def edit(house, old, new, path="src/queue.c"):
    with open(house.path(path), encoding="utf-8") as f:
        text = f.read()
    assert old in text, old
    house.write(path, text.replace(old, new))


@case("from the start: the whole tree as entity.added, once each")
def _(house):
    trees.write_c(house)
    _, engine, workspace = start_engine(house)
    s = Subscriber(engine, workspace, {"epoch": workspace["epoch"], "seq": 0})
    data = s.reply["data"]
    assert data["recovered"] is True and data["epoch"] == workspace["epoch"], data
    seen = set()

    def three_files(e):
        if e["event_type"] == "file:completed":
            seen.add(e["subject"])
        return len(seen) == 3
    events = s.until(three_files)
    check_order(events)
    equal(sorted(e["data"]["key"] for e in events if e["event_type"] == "entity.added"),
          sorted(e["key"] for e in house.entities()))
    s.ws.close()


@case("an edit on disk is exactly its delta: one function, one entity.updated")
def _(house):
    trees.write_c(house)
    _, engine, workspace = start_engine(house)
    s = Subscriber(engine, workspace, {"epoch": workspace["epoch"], "seq": workspace["head"]})

    edit(house, "int sum = 0", "int sum = 1")
    events = s.until(is_of("src/queue.c"))
    equal(entity_changes(events), [("entity.updated", "queue_sum")])
    updated = [e for e in events if e["event_type"] == "entity.updated"][0]
    equal(updated["data"]["key"], "c:fn:src/queue.c#queue_sum")
    equal(updated["data"]["rev"], updated["seq"])
    counts = events[-1]["data"]
    equal((counts["added"], counts["updated"], counts["deleted"], counts["state"]), (0, 1, 0, "indexed"))

    edit(house, "static int total;", "static int total;\nint fresh(void) { return 7; }")
    equal(entity_changes(s.until(is_of("src/queue.c"))), [("entity.added", "fresh")])
    edit(house, "\nint fresh(void) { return 7; }", "")
    equal(entity_changes(s.until(is_of("src/queue.c"))), [("entity.deleted", "fresh")])

    os.remove(house.path("src/main.c"))
    last = lambda e: e["event_type"] == "entity.deleted" and e["data"]["name"] == "main"  # noqa: E731
    equal(entity_changes(s.until(last)), [("entity.deleted", "main")])
    check_order(s.all)
    s.ws.close()


@case("an edit in an editor's buffer comes before it is saved, and is not sent again by saving")
def _(house):
    trees.write_c(house)
    _, engine, workspace = start_engine(house)
    s = Subscriber(engine, workspace, {"epoch": workspace["epoch"], "seq": workspace["head"]})
    editor = Editor(house)
    editor.initialize()
    editor.open("src/queue.c", "c")
    text = trees.QUEUE_C.replace("int sum = 0", "int sum = 9")
    editor.notify("textDocument/didChange", {
        "textDocument": {"uri": editor.uri("src/queue.c"), "version": 2}, "contentChanges": [{"text": text}]})
    equal(entity_changes(s.until(is_of("src/queue.c"))), [("entity.updated", "queue_sum")])
    house.write("src/queue.c", text)
    editor.notify("textDocument/didSave", {"textDocument": {"uri": editor.uri("src/queue.c")}})
    equal(editor.bye(), 0)
    house.write("src/last.c", "int the_last;\n")
    equal(entity_changes(s.until(is_of("src/last.c"))), [("entity.added", "the_last")])
    s.ws.close()


@case("behind a kill -9 of the engine: the cursor goes on, no gap, no repeat, same epoch")
def _(house):
    trees.write_c(house)
    process, engine, workspace = start_engine(house)
    s = Subscriber(engine, workspace, {"epoch": workspace["epoch"], "seq": 0})
    s.until(lambda e: e["event_type"] == "file:completed" and e["seq"] >= workspace["head"])
    before = list(s.all)
    process.kill()
    process.wait()
    edit(house, "int sum = 0", "int sum = 2")  # while nobody looks
    _, engine = house.serve(house.tree, env=QUIET)
    s2 = Subscriber(engine, workspace, s.cursor)
    equal(s2.reply["data"]["recovered"], True)
    equal(s2.reply["data"]["epoch"], workspace["epoch"])
    equal(entity_changes(s2.until(is_of("src/queue.c"))), [("entity.updated", "queue_sum")])
    edit(house, "q->n++", "q->n++ ")  # and live
    equal(entity_changes(s2.until(is_of("src/queue.c"))), [("entity.updated", "queue_add")])
    check_order(before + s2.all)

    s3 = Subscriber(engine, workspace, {"epoch": workspace["epoch"], "seq": 0})  # the whole story again
    events = s3.until(lambda e: e.get("seq") == s2.cursor["seq"] and e["event_type"] == "file:completed")
    durable = [(e["seq"], e["i"], e["event_type"]) for e in events if "seq" in e]
    equal(durable, [(e["seq"], e["i"], e["event_type"]) for e in before + s2.all if "seq" in e])
    for one in (s2, s3):
        one.ws.close()


@case("a kill -9 at any moment of many edits: the replayed log tells the index")
def _(house):
    trees.write_c(house)
    process, _, workspace = start_engine(house)
    for round_ in range(3):
        for i in range(60):
            house.write(f"src/gen{i}.c", f"int gen{i}(void) {{ return {round_}; }}\n")
        wait("some of it is stored", lambda: house.gloss("events").ok().out.count('"file:completed"') > 20)
        process.kill()
        process.wait()
        process, engine = house.serve(house.tree, env=QUIET)
    house.wait_ready()
    wait("all is indexed", lambda: house.status()["workspaces"][0]["files"]["indexed"] == 63)
    rows = {}
    for e in house.gloss("events").lines():
        if e["event_type"] in ("entity.added", "entity.updated"):
            assert (e["event_type"] == "entity.added") == (e["data"]["key"] not in rows), e
            rows[e["data"]["key"]] = e["data"]
        elif e["event_type"] == "entity.deleted":
            del rows[e["data"]["key"]]
    index = {e["key"]: e for e in house.entities()}
    equal(sorted(rows), sorted(index))
    for key, e in index.items():
        equal((rows[key]["rev"], rows[key]["signature"]), (e["rev"], e["signature"]), key)
    equal(house.status()["workspaces"][0]["epoch"], workspace["epoch"])


@case("a cursor of another epoch, and one ahead, are told, never passed over")
def _(house):
    trees.write_c(house)
    _, engine, workspace = start_engine(house)
    s = Subscriber(engine, workspace, {"epoch": "0" * 32, "seq": 1})
    equal((s.reply["data"]["recovered"], s.reply["data"]["reason"]), (False, "epoch"))
    s.ws.close()
    s = Subscriber(engine, workspace, {"epoch": workspace["epoch"], "seq": workspace["head"] + 1000})
    equal((s.reply["data"]["recovered"], s.reply["data"]["reason"]), (False, "ahead"))
    s.ws.close()


@case("events --follow: the same delta, and on behind the cursor of the last line")
def _(house):
    trees.write_c(house)
    process, _, workspace = start_engine(house)
    lines = []
    follow = house.start("events", "--follow", "--since", f"{workspace['epoch']}:{workspace['head']}")

    def read(stream):
        for line in stream:
            lines.append(json.loads(line))
    reader = threading.Thread(target=read, args=(follow.stdout,), daemon=True)
    reader.start()

    def completed(path):
        return lambda: [e for e in lines if is_of(path)(e)]
    edit(house, "int sum = 0", "int sum = 3")
    wait("the delta", completed("src/queue.c"))
    equal(entity_changes(lines), [("entity.updated", "queue_sum")])
    process.kill()
    process.wait()
    equal(follow.wait(WAIT_S), 1)
    assert "--since" in house.stderr_text(), house.stderr_text()
    reader.join(WAIT_S)

    last = [e for e in lines if "seq" in e][-1]
    edit(house, "q->n++", "q->n++ ")
    equal(len(house.engine() or {}), 0)
    house.env.update(QUIET)
    follow = house.start("events", "--follow", "--since", f"{last['epoch']}:{last['seq']}")
    seen = len(lines)
    reader = threading.Thread(target=read, args=(follow.stdout,), daemon=True)
    reader.start()
    wait("the delta of what happened meanwhile", lambda: [e for e in lines[seen:] if is_of("src/queue.c")(e)])
    equal(entity_changes(lines[seen:]), [("entity.updated", "queue_add")])
    check_order(lines)
    follow.terminate()
    equal(follow.wait(WAIT_S), 0)


@case("the hub's actions and probes: search, get, stats, livez, readyz")
def _(house):
    trees.write_c(house)
    _, engine, workspace = start_engine(house)
    ws = WebSocket(engine)
    for member in ("connection_id", "protocol", "heartbeat_s", "limits"):
        assert member in ws.hello, ws.hello
    r = ws.request("search", {"workspace": workspace["id"], "q": "queue_add"})
    assert r["success"], r
    text = json.dumps(r["data"])
    assert "c:fn:src/queue.c#queue_add" in text, text
    r = ws.request("get", {"workspace": workspace["id"], "key": "c:fn:src/queue.c#queue_add"})
    assert r["success"] and "int queue_add" in json.dumps(r["data"]), r
    r = ws.request("get", {"workspace": workspace["id"], "key": "c:fn:src/queue.c#none"})
    equal((r["success"], r["problem"]["status"]), (False, 404))
    r = ws.request("frobnicate", {})
    equal((r["success"], r["problem"]["status"]), (False, 404))
    assert ws.request("stats", {})["success"]
    ws.close()
    auth = [("Authorization", f"Bearer {engine['token']}")]
    equal(http(engine["port"], "/livez", auth)[0], 200)
    equal(http(engine["port"], "/readyz", auth)[0], 200)
    status, _, body = http(engine["port"], "/v1/stats", auth)
    equal(status, 200)
    assert workspace["id"] in body.decode(), body


@case("gloss stop closes the WebSocket with 1001")
def _(house):
    trees.write_c(house)
    _, engine, workspace = start_engine(house)
    s = Subscriber(engine, workspace)
    house.gloss("stop").ok()
    try:
        while True:
            s.ws.receive()
    except ConnectionError:
        pass
    equal(s.ws.close_code, 1001)
    house.wait_empty()


@case("a WebSocket client keeps the engine from idling; its end lets it go")
def _(house):
    trees.write_c(house)
    house.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "1"
    _, engine = house.serve(house.tree, env=QUIET)
    control = Control(house)
    workspace = wait("it is ready", lambda: (w := control.request("gloss/status")["workspaces"]) and
                     w[0]["state"] == "ready" and w[0])
    s = Subscriber(engine, workspace)
    control.close()
    house.write("src/one.c", "int one_more;\n")
    s.until(is_of("src/one.c"))
    assert house.engine()
    s.ws.close()
    house.wait_empty(10)


main()
