"""Scanners of somebody else's: lines in, acknowledgements out, over HTTP and WebSocket; and a kill in the middle."""
import asyncio
import contextlib
import json
import os
import random
import socket
import sqlite3
from urllib.parse import quote

from hubtest import (Client, Engine, WAIT_S, closed_with, equal, has_sanitizer, hub_stats, main, parse_http, rss_kb,
                     until_stats)

LINES = 3000


def entity(path, name, line=1, **more):
    return {"lang": "c", "kind": "function", "name": name, "path": path, "signature": f"int {name}(void)",
            "range": {"start": {"line": line, "character": 0}, "end": {"line": line + 2, "character": 1}}, **more}


def key_of(path, name):
    return f"c:fn:{path}#{name}"


def lines_of(items):
    return b"".join(json.dumps(i).encode() + b"\n" for i in items)


class Stream:
    """One POST of lines in chunks; acknowledgements are read as they come."""

    @classmethod
    async def open(cls, engine, name, query="create=1", alias=False, receive_bytes=0):
        self = cls()
        s = socket.socket()
        if receive_bytes:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        s.setblocking(False)
        await asyncio.get_running_loop().sock_connect(s, ("127.0.0.1", engine.port))
        self.reader, self.writer = await asyncio.open_connection(sock=s, limit=1 << 22)
        where = f"libraries/{name}/documents" if alias else f"workspaces/{name}/entities"
        self.writer.write((f"POST /v1/{where}/stream?{query} HTTP/1.1\r\n"
                           f"Host: 127.0.0.1:{engine.port}\r\nAuthorization: Bearer {engine.token}\r\n"
                           "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        return self

    async def send(self, data):
        for at in range(0, len(data), 50000):
            part = data[at:at + 50000]
            self.writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await self.writer.drain()

    async def end(self):
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def headers(self):
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_S)
        return int(head.split()[1])

    async def line(self):
        line = await asyncio.wait_for(self.reader.readline(), WAIT_S)
        return json.loads(line) if line else None

    async def rest(self):
        lines = []
        while (line := await self.line()):
            lines.append(line)
        return lines

    def close(self):
        self.writer.close()


async def stream(engine, name, items, **options):
    s = await Stream.open(engine, name, **options)
    await s.send(items if isinstance(items, bytes) else lines_of(items))
    await s.end()
    equal(await s.headers(), 200, "status")
    lines = await s.rest()
    s.close()
    return lines


async def get(engine, name, key):
    status, _, body = await engine.http(f"/v1/workspaces/{name}/entities/{key.replace('#', '%23')}")
    return json.loads(body) if status == 200 else None


async def listed(engine, name):
    """All entities of a workspace, by a subscription's snapshot: key → (line, rev)."""
    client = await Client.open(engine, path=f"/v1/workspaces/{name}/ws?subscribe=none")
    await client.subscribe(events=["entity.*"], snapshot="always")
    rows = {}
    while True:
        event = await client.next_event()
        for row in event.get("data", {}).get("rows", []) if event["event_type"] == "snapshot.rows" else []:
            rows[row["key"]] = row["range"]["start"]["line"]
        if event["event_type"] == "snapshot.end":
            await client.close()
            return rows


async def test_stream(engine):
    items = [entity(f"src/f{i // 100}.c", f"n{i}", i % 100, hover=f"**n{i}**") for i in range(LINES)]
    lines = await stream(engine, "streamed", items)
    acks = [l for l in lines if l["type"] == "ack"]
    equal(sum(a["lines"] for a in acks), LINES, "acknowledged")
    equal([a["first_line"] for a in acks], [1] + [a["last_line"] + 1 for a in acks][:-1], "in a row")
    assert all(a["lines"] <= 1000 and a["errors"] == [] for a in acks), acks
    equal(lines[-1]["type"], "done")
    equal((lines[-1]["lines"], lines[-1]["stored"], lines[-1]["failed"], lines[-1]["complete"]),
          (LINES, LINES, 0, True), "done")
    equal(len(await listed(engine, "streamed")), LINES, "entities")
    one = await get(engine, "streamed", key_of("src/f2.c", "n222"))
    found = one.get("entity", one)
    equal((found["hover"]["markdown"], found["hover"]["server"]), ("**n222**", "pushed:streamed"), "hover")
    _, _, body = await engine.http("/v1/workspaces")
    names = {w.get("name"): w for w in json.loads(body)["workspaces"]}
    equal(names["streamed"]["root"], "pushed:streamed")


async def ingested(engine):
    return (await hub_stats(engine))["ingest"]


async def test_what_is_counted(engine):
    was = await ingested(engine)
    items = [entity("c.c", f"n{i}", i, key=f"counted-{i}") for i in range(40)]
    await stream(engine, "counted", lines_of(items) + b"{}\n")
    await stream(engine, "counted", items[:30])
    now = await ingested(engine)
    grown = {k: now[k] - was[k] for k in ("stored", "again", "refused", "lost", "bytes", "batches")}
    equal(grown, {"stored": 40, "again": 30, "refused": 1, "lost": 0, "batches": grown["batches"],
                  "bytes": len(lines_of(items)) + 3 + len(lines_of(items[:30]))})
    assert grown["batches"] >= 2, grown
    equal((now["waiting_lines"], now["waiting_bytes"], now["streams"]), (0, 0, 0))
    _, _, metrics = await engine.http("/metrics")
    text = metrics.decode()
    for name, member, unit in (("stored_total", "stored", 1), ("refused_total", "refused", 1),
                               ("paused_seconds_total", "paused_ms", 1e-3), ("streams", "streams", 1)):
        line = next(l for l in text.splitlines() if l.startswith(f"gloss_ingest_{name} "))
        equal(float(line.split()[1]), now[member] * unit, name)


async def listing(engine):
    _, _, body = await engine.http("/v1/workspaces")
    return json.loads(body)


async def test_closed_ones_are_listed(engine):
    """What an engine before had is told without being opened."""
    longest = "a" + "-b." * 21
    for name in ("left-1", longest):
        await stream(engine, name, [entity("a.c", "one")])
    ids = {w["name"]: w["id"] for w in (await listing(engine))["workspaces"] if "name" in w}
    os.makedirs(os.path.join(engine.env["XDG_STATE_HOME"], "gloss", "pushed:none-000000000000"), exist_ok=True)
    engine.kill()
    engine.start()
    closed = {w["name"]: w for w in (await listing(engine))["closed"]}
    for name in ("left-1", longest):
        equal(closed[name], {"id": ids[name], "name": name, "root": "pushed:" + name})
    assert "none" not in closed, closed
    equal(sorted(closed), list(closed), "by name")
    _, _, body = await engine.http("/v1/stats")
    equal(json.loads(body)["closed"], list(closed.values()), "stats")
    equal([w for w in (await listing(engine))["workspaces"] if "name" in w], [], "opened")
    equal((await files(engine, "left-1"))["files"], ["a.c"])
    now = await listing(engine)
    assert "left-1" in [w.get("name") for w in now["workspaces"]], now
    equal([w["name"] for w in now["closed"]], [n for n in closed if n != "left-1"])
    equal((await files(engine, longest))["count"], 1)  # by then it is open
    equal((await engine.http("/v1/workspaces/" + longest, method="DELETE"))[0], 200)
    assert longest not in [w["name"] for w in (await listing(engine))["closed"]]


async def files(engine, name, query=""):
    status, _, body = await engine.http(f"/v1/workspaces/{name}/files?{query}")
    return json.loads(body) if status == 200 else status


async def test_files_of_a_sender(engine):
    """What a sender has sent, page by page, also of an index that has first to be opened."""
    await stream(engine, "lists", [entity(f"d/{i:04} é.c", "f") for i in range(25)], query="create=1&sender=one")
    await stream(engine, "lists", [entity(f"e/{i}.c", "f") for i in range(3)], query="sender=two")
    await stream(engine, "lists", [entity("d/0003 é.c", "g")])  # now it is nobody's alone
    mine = [f"d/{i:04} é.c" for i in range(25) if i != 3]
    for limit in (1, 7, 24, 25):
        found, cursor = [], ""
        while cursor is not None:
            page = await files(engine, "lists", f"sender=one&limit={limit}&cursor={quote(cursor)}")
            equal(page["count"], len(page["files"]))
            found += page["files"]
            cursor = page["cursor"]
        equal(found, mine, f"pages of {limit}")
    engine.kill()
    engine.start()
    equal((await files(engine, "lists", "sender=one"))["files"], mine, "again")
    equal((await files(engine, "lists", "sender=none"))["files"], [])
    equal(len((await files(engine, "lists"))["files"]), 28, "of all")
    equal(await files(engine, "no-such"), 404)
    for query in ("sender=", "sender=a%20b", "sender=" + "x" * 65, "limit=0", "limit=10001", "limit=x"):
        equal(await files(engine, "lists", query), 400, query)
    s = await Stream.open(engine, "lists", query="sender=")
    equal(await s.headers(), 400, "a stream of nobody")
    s.close()


async def test_bad_lines_fail_alone(engine):
    good = entity("a.c", "good")
    lines = await stream(engine, "bad", b"\n".join([
        json.dumps(good).encode(), b"", b"{not json", b'{"op":"move"}', b'[1]',
        json.dumps(entity("../a.c", "up")).encode(), json.dumps(entity("a.c", "x", parent=key_of("a.c", "no"))).encode(),
        b'{"name":"' + b"x" * (1 << 20) + b'"}', b"\xff\xfe", json.dumps(entity("a.c", "last")).encode()]))
    errors = [e for l in lines if l["type"] == "ack" for e in l["errors"]]
    equal([e["line"] for e in errors], [3, 4, 5, 6, 7, 8, 9], "lines with errors")
    assert all(e["problem"]["status"] == 400 and not e["problem"]["retryable"] for e in errors), errors
    equal((lines[-1]["stored"], lines[-1]["failed"]), (2, 7), "done")
    equal(sorted(await listed(engine, "bad")), [key_of("a.c", "good"), key_of("a.c", "last")], "stored")
    s = await Stream.open(engine, "bad")
    await s.send(lines_of([entity("a.c", "more")]))
    equal(await s.headers(), 200, "status")
    made = (await s.line())["seq"]
    await s.send(b"{\n")
    await s.end()
    equal([l["seq"] for l in await s.rest()], [made, made], "the row that was made, also behind what made none")
    s.close()


async def test_nothing_but_bad_lines(engine):
    """More is said of them than was sent; who reads it is not cut off."""
    s = await Stream.open(engine, "worse", query="create=1&ack=line")

    async def send():
        await s.send(b'{"op":"x"}\n' * 6000)
        await s.end()

    sending = asyncio.ensure_future(send())
    equal(await s.headers(), 200, "status")
    lines = await s.rest()
    await sending
    s.close()
    equal((lines[-1]["type"], lines[-1]["failed"], lines[-1]["complete"]), ("done", 6000, True), lines[-2:])


async def test_each_line_is_told(engine):
    lines = await stream(engine, "told", [entity("a.c", "one"), {"op": "x"}], query="create=1&ack=line", alias=True)
    states = [(l["line"], l["status"]) for l in lines if l["type"] == "line"]
    equal(states, [(1, "processing"), (2, "processing"), (1, "completed"), (2, "failed")], "states")


async def test_operations(engine):
    name = "ops"
    await stream(engine, name, [entity("a.c", "one"), entity("a.c", "two", 5), entity("b.c", "far")])
    client = await Client.open(engine, path=f"/v1/workspaces/{name}/ws?subscribe=none")
    await stream(engine, name, [
        {"op": "delete", "entity": key_of("a.c", "one")}, {"op": "delete", "path": "b.c"},
        {"op": "file", "path": "c.c", "lang": "c", "entities": [
            {k: v for k, v in entity("c.c", "c").items() if k not in ("path", "lang")}]}], query="")
    await client.subscribe(since={"seq": 0})
    events = await client.until(lambda e: e.get("event_type") == "file:completed" and e["subject"] == "c.c")
    kinds = [e["event_type"] for e in events]
    assert "library.created" in kinds and kinds.index("library.created") < kinds.index("entity.added"), kinds
    equal([k for k in kinds if k.startswith("entity")],
          ["entity.added"] * 3 + ["entity.deleted"] * 2 + ["entity.added"], "events")
    await client.close()
    equal(sorted(await listed(engine, name)), [key_of("a.c", "two"), key_of("c.c", "c")], "left")


async def test_actions(engine):
    client = await Client.open(engine)
    missing = await client.request("add", {"workspace": "acted", "entities": [entity("a.c", "one")]})
    equal((missing["success"], missing["problem"]["status"]), (False, 404), "not there")
    added = await client.request("add", {"workspace": "acted", "create": True, "key": "k1",
                                         "entities": [entity("a.c", "one"), {"op": "x"}]})
    equal((added["data"]["stored"], added["data"]["failed"], added["data"]["errors"][0]["index"]), (1, 1, 1), "added")
    again = await client.request("batch_add", {"workspace": "acted", "key": "k1",
                                               "entities": [entity("a.c", "two")]})
    equal((again["data"]["again"], again["data"]["seq"]), (1, added["data"]["seq"]), "again")
    repeated = await client.request("add", {"workspace": "acted", "key": "k1",
                                            "entities": [entity("a.c", "one"), {"op": "x"}]})
    equal((repeated["data"]["stored"], repeated["data"]["failed"], repeated["data"]["errors"]),
          (1, 1, added["data"]["errors"]), "the same is said")
    mended = await client.request("add", {"workspace": "acted", "key": "k1",
                                          "entities": [entity("a.c", "one"), entity("a.c", "two")]})
    equal((mended["data"]["stored"], mended["data"]["errors"][0]["index"]), (1, 1), "it was not done")
    one = await client.request("add_document", {"workspace": "acted", **entity("a.c", "three", key="k2")})
    assert one["success"] and one["data"]["seq"] > added["data"]["seq"], one
    queued = await client.request("add", {"workspace": "acted", "ack": "queued", "entities": [entity("b.c", "b")]})
    equal(queued["data"], {"queued": True}, "queued")
    gone = await client.request("delete", {"workspace": "acted", "key": key_of("a.c", "one")})
    equal(gone["data"]["deleted"], 1, "deleted")
    gone = await client.request("delete", {"workspace": "acted", "path": "b.c"})
    equal(gone["data"]["deleted"], 1, "in the order of the requests")
    equal(sorted(await listed(engine, "acted")), [key_of("a.c", "three")], "left")
    bad = await client.request("add", {"workspace": "acted", "entities": [{"op": "x"}]})
    equal((bad["success"], bad["problem"]["status"]), (False, 400), "one that is wrong")
    folder = client.hello["workspaces"][0]["id"]
    refused = await client.request("add", {"workspace": folder, "entities": [entity("a.c", "one")]})
    equal((refused["success"], refused["problem"]["status"]), (False, 409), "a folder's")
    await client.close()


async def test_over_http(engine):
    body = json.dumps({"entities": [entity("a.c", "one"), entity("a.c", "two", 9)]}).encode()
    answer = await engine.raw((f"POST /v1/workspaces/plain/entities?create=1 HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
                               f"Authorization: Bearer {engine.token}\r\nContent-Type: application/json\r\n"
                               f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
    status, _, text = parse_http(answer)
    equal((status, json.loads(text)["stored"]), (200, 2), "added")
    path = "/v1/workspaces/plain/entities"
    status, _, text = await engine.http(f"{path}/{key_of('a.c', 'one').replace('#', '%23')}", method="DELETE")
    equal((status, json.loads(text)["deleted"]), (200, 1), "deleted")
    status, _, text = await engine.http(f"{path}?path=a.c", method="DELETE")
    equal((status, json.loads(text)["deleted"]), (200, 1), "file deleted")
    equal((await engine.http("/v1/workspaces/a%20b/entities?path=a", method="DELETE"))[0], 400, "no name")
    equal((await engine.http("/v1/workspaces/none/entities?path=a", method="DELETE"))[0], 404, "no such")
    s = await Stream.open(engine, "none", query="")
    equal(await s.headers(), 404, "stream of none")
    s.close()


async def test_sender_keeps_the_engine(engine):
    """Who sends is somebody: the engine does not go for want of clients before it is through."""
    engine = Engine(engine.program)
    try:
        engine.start("--idle-exit", "1", engine.root)
        s = await Stream.open(engine, "long")
        equal(await s.headers(), 200)
        for i in range(6):
            await s.send(lines_of([entity("a.c", f"n{i}")]))
            await asyncio.sleep(0.5)  # three times as long as the engine stays for nobody
        await s.end()
        done = (await s.rest())[-1]
        equal((done["type"], done["stored"]), ("done", 6), "all of it")
        s.close()
        equal(engine.process.wait(WAIT_S), 0, "and then it goes")
    finally:
        engine.finish()


async def test_too_many_workspaces(engine):
    """The same answer at each door; one that is there is found all the same."""
    engine = Engine(engine.program).start()
    try:
        client = await Client.open(engine)
        for i in range(48):
            added = await client.request("add", {"workspace": f"n{i}", "create": True, "entities": [entity("a.c", "a")]})
            assert added["success"], added
        more = {"workspace": "more", "create": True, "entities": [entity("a.c", "a")]}
        equal((await client.request("add", more))["problem"]["status"], 429, "action")
        for path in ("entities", "entities/batch-async"):
            for name, expected in (("more", 429), ("a b", 400), ("n7", 200 if path == "entities" else 202)):
                status, _, body = await engine.http(f"/v1/workspaces/{name.replace(' ', '%20')}/{path}?create=1", "POST",
                                                    body={"entities": [entity("a.c", "a")]})
                equal(status, expected, (path, name, body))
        s = await Stream.open(engine, "more")
        equal(await s.headers(), 429, "stream")
        s.close()
        await client.close()
    finally:
        engine.finish()


async def test_workspace_is_deleted(engine):
    await stream(engine, "brief", [entity("a.c", "one")])
    home = await Client.open(engine, path="/v1/workspaces/brief/ws?subscribe=none")
    subscribed = await Client.open(engine, path="/v1/workspaces/brief/ws")
    client = await Client.open(engine)
    await client.subscribe(workspace="brief", events=["library.*"])
    sending = await Stream.open(engine, "brief")
    await sending.send(lines_of([entity("b.c", "two")]))
    equal(await sending.headers(), 200)
    folder = client.hello["workspaces"][0]["id"]
    equal((await engine.http(f"/v1/workspaces/{folder}", method="DELETE"))[0], 409, "a folder's")
    status, _, body = await engine.http("/v1/workspaces/brief", method="DELETE")
    equal((status, json.loads(body)["deleted"]), (200, True), "deleted")
    event = (await client.until(lambda e: e.get("event_type") == "library.deleted"))[-1]
    equal(event["data"]["name"], "brief", "event")
    await subscribed.until(lambda e: e.get("event_type") == "library.deleted")
    equal([await closed_with(c.ws) for c in (home, subscribed)], [1000, 1000], "who was there")
    await sending.send(lines_of([entity("c.c", "three")]))
    await sending.end()
    done = (await sending.rest())[-1]
    equal((done["type"], done["complete"]), ("done", False), "who was sending")
    sending.close()
    equal((await engine.http("/v1/workspaces/brief"))[0], 404, "it is gone")
    state = engine.env["XDG_STATE_HOME"]
    equal([d for _, ds, fs in os.walk(state) for d in ds + fs if "brief" in d], [], "its files")
    _, _, body = await engine.http("/v1/workspaces")
    assert "brief" not in [w.get("name") for w in json.loads(body)["workspaces"]], body
    lines = await stream(engine, "brief", [entity("z.c", "new")])
    equal(lines[-1]["stored"], 1, "it is made anew")
    equal(list(await listed(engine, "brief")), [key_of("z.c", "new")], "and empty")
    found = await client.request("search", {"workspace": "brief", "q": "new"})
    equal(found["data"]["count"], 1, "found by its name")
    await client.close()


async def test_sender_that_does_not_read(engine):
    """Lines as fast as they go and nobody who takes what is said of them: what waits has a limit."""
    s = await Stream.open(engine, "flood", query="create=1&ack=line", receive_bytes=4096)
    s.writer.transport.pause_reading()
    part = lines_of(entity(f"f{i // 100}.c", f"n{i}", i % 100) for i in range(2000))
    await s.send(part)
    before = rss_kb(engine.pid)
    was = await ingested(engine)
    try:
        for _ in range(400):
            await s.send(part)
        raise AssertionError("the engine took all, though its answers are not read")
    except ConnectionError:
        pass
    grown = rss_kb(engine.pid) - before
    assert grown < 60 * 1024 or has_sanitizer(engine.program), f"{grown} KiB more"
    taken = (await ingested(engine))["bytes"] - was["bytes"]
    assert taken < 48 << 20, f"{taken} bytes were read, and nobody heard of them"
    s.close()
    assert (await stream(engine, "other", [entity("a.c", "one")]))[-1]["complete"]


def index_of(engine, name):
    return next(os.path.join(d, "index.db") for d, _, files in os.walk(engine.env["XDG_STATE_HOME"])
                if name in os.path.basename(d) and "index.db" in files)


@contextlib.contextmanager
def waiting_writer(engine, name):
    """Of this workspace: somebody else has the lock."""
    lock = sqlite3.connect(index_of(engine, name), isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        yield
    finally:
        lock.close()


async def test_sender_that_is_faster_than_the_disk(engine):
    """It is held back, and memory stays as it is."""
    await stream(engine, "fast", [entity("a.c", "one")])
    s = await Stream.open(engine, "fast")
    parts = [lines_of(entity(f"f{i // 50}.c", f"n{i}", i % 50, doc="x" * 2000) for i in range(at, at + 1000))
             for at in range(0, 12000, 1000)]
    most = 0

    async def send():
        nonlocal most
        for part in parts:
            await s.send(part)
            most = max(most, rss_kb(engine.pid))
        await s.end()

    before = rss_kb(engine.pid)
    was = (await ingested(engine))["paused_ms"]
    with waiting_writer(engine, "fast"):
        sending = asyncio.ensure_future(send())
        equal(await s.headers(), 200, "status")
        await until_stats(engine, lambda now: now["ingest"]["paused_ms"] > was)  # it is held back
    lines = await s.rest()
    await sending
    equal((lines[-1]["type"], lines[-1]["stored"]), ("done", 12000), "all of it")
    assert most - before < 80 * 1024 or has_sanitizer(engine.program), f"{most - before} KiB more"


async def test_stream_that_others_hold_back(engine):
    """What fills the queue is not waited for by anybody; when it is written the stream goes on all the same."""
    await stream(engine, "held", [entity("a.c", "one")])
    behind = await Stream.open(engine, "behind")
    equal(await behind.headers(), 200, "status")
    client = await Client.open(engine)
    with waiting_writer(engine, "held"):
        for part in range(7):
            many = [entity(f"{part}-{i // 100}.c", f"m{i}", i % 100) for i in range(1000)]
            queued = await client.request("add", {"workspace": "held", "ack": "queued", "entities": many})
            assert queued["success"], queued
        line = lines_of([entity("a.c", "one")])
        await behind.send(line[:20])
        await client.request("ping")  # it was seen
    await behind.send(line[20:])
    await behind.end()
    equal((await behind.rest())[-1]["stored"], 1, "done")
    behind.close()
    await client.close()


async def test_stream_leaves_room(engine):
    """The last quarter of what may wait is for those who send a few at a time."""
    await stream(engine, "room", [entity("a.c", "one")])
    s = await Stream.open(engine, "room", query="ack=line")
    equal(await s.headers(), 200, "status")
    client = await Client.open(engine)
    with waiting_writer(engine, "room"):
        for part in range(8):
            if part == 7:  # it is read until it is seen that three quarters are taken
                sending = asyncio.ensure_future(s.send(lines_of(entity("b.c", f"s{i}") for i in range(4000))))
                equal((await s.line())["status"], "processing")
                for _ in range(50):
                    await client.request("ping")
            many = [entity(f"{part}-{i // 100}.c", f"m{i}", i % 100) for i in range(1000)]
            queued = await client.request("add", {"workspace": "room", "ack": "queued", "entities": many})
            assert queued["success"], (part, queued)
    await sending
    await s.end()
    equal((await s.rest())[-1]["stored"], 4000, "done")
    s.close()
    await client.close()


async def test_who_leaves_before_the_answer(engine):
    """It is noticed while the answer is still to come."""
    await stream(engine, "left", [entity("a.c", "one")])
    client = await Client.open(engine)
    with waiting_writer(engine, "left"):
        patient = asyncio.create_task(engine.http("/v1/workspaces/left/entities?path=b.c", "DELETE"))
        _, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(f"DELETE /v1/workspaces/left/entities?path=b.c HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
                     f"Authorization: Bearer {engine.token}\r\n\r\n".encode())
        await until_stats(client, lambda s: s["sockets"] == 3)
        writer.close()
        await until_stats(client, lambda s: s["sockets"] == 2)
        assert not patient.done(), "noticed with the answer"
    equal((await patient)[0], 200, "who waits")
    await client.close()


async def test_order_of_requests(engine):
    """What is queued without an answer is done before what was asked for behind it, whoever is waited for."""
    await stream(engine, "ordered", [entity("a.c", "one")])
    client = await Client.open(engine)
    with waiting_writer(engine, "ordered"):
        for number, (action, data) in enumerate((("add", {"entities": [entity("a.c", "two")]}),
                                                 ("add", {"entities": [entity("b.c", "b")], "ack": "queued"}),
                                                 ("delete", {"path": "b.c"}))):
            await client.ws.send(json.dumps({"action": action, "request_id": number, "workspace": "ordered", "data": data}))
        await client.request("ping")
    deleted = (await client.until(lambda m: m.get("request_id") == 2))[-1]
    equal((deleted["success"], deleted["data"]["deleted"]), (True, 1), "it was there")
    equal(sorted(await listed(engine, "ordered")), [key_of("a.c", "one"), key_of("a.c", "two")], "left")
    await client.close()


def same(actual, expected, what):
    if actual != expected:
        missing = sorted(k for k in expected if k not in actual)
        more = sorted(k for k in actual if k not in expected)
        raise AssertionError(f"{what}: {len(missing)} missing {missing[:3]}, {len(more)} more {more[:3]}, "
                             f"{len(actual)} of {len(expected)}")


async def kill_in_the_middle(engine, seed, items):
    """Sends until the engine is gone; the highest line that was acknowledged."""
    s = await Stream.open(engine, "killed")
    acked = 0

    async def send():
        at = 0
        rng = random.Random(seed)
        while at < len(items):
            n = rng.randrange(1, 400)
            await s.send(lines_of(items[at:at + n]))
            at += n
        await s.end()

    sending = asyncio.ensure_future(send())
    wanted = random.Random(seed * 31).randrange(0, 4)
    try:
        await s.headers()
        while (line := await s.line()):
            if line["type"] == "ack":
                acked = line["last_line"]
                wanted -= 1
            if wanted < 0 or line["type"] == "done":
                break
    finally:
        engine.kill()
        sending.cancel()
        try:
            await sending
        except (asyncio.CancelledError, ConnectionError):
            pass
        s.close()
    return acked


def a_run(seed):
    """With keys each second time: a line that was committed and not acknowledged is then not done again. All of a
    stream have one or none has, or a deletion would be done again and what came after it not."""
    rng = random.Random(seed)
    items = []
    for i in range(4000):
        path, name = f"f{rng.randrange(20)}.c", f"n{rng.randrange(60)}"
        what = rng.random()
        if what < 0.1:
            items.append({"op": "delete", "entity": key_of(path, name)})
        elif what < 0.11:
            items.append({"op": "delete", "path": path})
        else:
            items.append(entity(path, name, rng.randrange(1000)))
        if seed % 2:
            items[-1]["key"] = f"{seed}-{i}"
    return items


def state_after(items, was):
    rows = dict(was)
    for item in items:
        if item.get("op") == "delete" and "entity" in item:
            rows.pop(item["entity"], None)
        elif item.get("op") == "delete":
            for key in [k for k in rows if k.startswith(f"c:fn:{item['path']}#")]:
                del rows[key]
        else:
            rows[key_of(item["path"], item["name"])] = item["range"]["start"]["line"]
    return rows


async def test_kill_9_in_mid_stream(engine):
    await stream(engine, "killed", [entity("z.c", "z")])
    was = await listed(engine, "killed")
    n_kills = int(os.environ.get("GLOSS_INGEST_KILLS", "3" if has_sanitizer(engine.program) else "20"))
    for seed in range(1, n_kills + 1):
        items = a_run(seed)
        acked = await kill_in_the_middle(engine, seed, items)
        engine.start()
        now = await listed(engine, "killed")
        at, possible = acked, state_after(items[:acked], was)
        while now != possible and at < len(items):  # more may have been committed than was acknowledged
            possible = state_after([items[at]], possible)
            at += 1
        same(now, possible, f"seed {seed}: {acked} lines were acknowledged")
        lines = await stream(engine, "killed", items[acked:], query="")
        assert lines[-1]["complete"] and lines[-1]["failed"] == 0, lines[-1]
        was = state_after(items, was)
        same(await listed(engine, "killed"), was, f"seed {seed}: sent again from line {acked + 1}")


async def test_keys_are_applied_once(engine):
    items = [entity(f"k{i % 7}.c", f"n{i}", i, key=f"once-{i}") for i in range(500)]
    first = await stream(engine, "once", items)
    engine.kill()
    engine.start()
    again = await stream(engine, "once", items, query="")
    equal(sum(l["again"] for l in again if l["type"] == "ack"), 500, "again")
    equal(again[-1]["seq"], first[-1]["seq"], "no commit of its own")


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
