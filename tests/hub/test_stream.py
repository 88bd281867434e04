"""Subscriptions: live, replayed, behind a kill -9; no gap, no repeat, and what cannot be had is said."""
import asyncio
import json
import os
import shutil
import signal

import hubtest
from hubtest import TWO_FUNCTIONS, Client, changed, completed, engine_test, equal, indexed, main, places


tests = []


def check_whole(events, first, last):
    """Every row once, in order, each whole: its parts from 0 on, and only its last part says so."""
    seqs = sorted({e["seq"] for e in events})
    equal(places(events), sorted(set(places(events))), "order")
    for i, event in enumerate(events):
        is_last = i + 1 == len(events) or events[i + 1]["seq"] != event["seq"]
        equal(bool(event.get("last")), is_last, event)
        if i == 0 or events[i - 1]["seq"] != event["seq"]:
            equal(event["i"], 0)
    equal(seqs, list(range(first, last + 1)), "rows")


@engine_test(tests)
async def test_live_edit_of_one_function(engine):
    client = await Client.open(engine)
    reply = await client.subscribe(events=["entity.*", "file:*"])
    equal((reply["recovered"], reply["from"]), (True, reply["head"] + 1))
    engine.write("a.c", changed(1))
    events = [e for e in await client.until(completed("a.c")) if "seq" in e]
    equal([(e["event_type"], e["data"].get("name")) for e in events],
          [("entity.updated", "add"), ("file:completed", None)])
    update = events[0]
    equal((update["sub"], update["subject"], update["epoch"]), ([reply["sub"]], "a.c", reply["epoch"]))
    equal((update["workspace"], update["library_id"]), (reply["workspace"], reply["workspace"]))
    equal(update["data"]["rev"], update["seq"])
    equal((events[1]["data"]["updated"], events[1]["data"]["added"]), (1, 0))
    engine.write("a.c", TWO_FUNCTIONS.split("\n\n")[0] + "\n")
    events = [e for e in await client.until(completed("a.c")) if "seq" in e]
    equal([(e["event_type"], e["data"].get("name")) for e in events],
          [("entity.deleted", "sub"), ("entity.updated", "add"), ("file:completed", None)])
    await client.close()


@engine_test(tests)
async def test_replay_from_the_start_twice(engine):
    for i in range(5):
        engine.write(f"f{i}.c", f"int f{i}(void);\nint g{i}(void) {{ return {i}; }}\n")
    await wait_for_files(engine, 6)
    lists = []
    for since in ({"seq": 0}, "earliest", ":0"):
        client = await Client.open(engine)
        reply = await client.subscribe(since=since)
        equal((reply["recovered"], reply["from"]), (True, 1))
        events = [e for e in await client.until_seq(reply["head"]) if "seq" in e]
        check_whole(events, 1, reply["head"])
        lists.append([{k: v for k, v in e.items() if k != "sub"} for e in events])
        await client.close()
    equal(lists[0], lists[1])
    equal(lists[0], lists[2])
    files = {e["subject"] for e in lists[0] if e["event_type"] == "file:completed"}
    equal(files, {"a.c"} | {f"f{i}.c" for i in range(5)})


async def wait_for_files(engine, n):
    client = await Client.open(engine)
    await client.subscribe(since="earliest", events=["file:completed"])
    seen = set()
    while len(seen) < n:
        event = await client.next_event()
        if event["type"] == "event" and event["event_type"] == "file:completed":
            seen.add(event["subject"])
    await client.close()


@engine_test(tests)
async def test_every_cursor_gives_the_rest(engine):
    for i in range(8):
        client = await Client.open(engine)
        await client.subscribe()
        engine.write("a.c", changed(i))
        await client.until(completed("a.c"))
        await client.close()
    client = await Client.open(engine)
    reply = await client.subscribe(since={"seq": 0})
    everything = [e for e in await client.until_seq(reply["head"]) if "seq" in e]
    for seq in range(reply["head"] + 1):
        reply = await client.subscribe(since=f"{reply['epoch']}:{seq}")
        equal((reply["recovered"], reply["from"]), (True, seq + 1))
        if seq < reply["head"]:
            events = await client.until_seq(reply["head"])
            equal(places(events), [p for p in places(everything) if p[0] > seq])
            assert all(e["sub"] == [reply["sub"]] for e in events if "seq" in e)
        equal((await client.request("unsubscribe", {"sub": reply["sub"]}))["data"], {"sub": reply["sub"]})
    await client.close()


@engine_test(tests)
async def test_cursors_that_cannot_be_served(engine):
    client = await Client.open(engine)
    head, epoch = client.hello["head"], client.hello["epoch"]
    for since, reason in (({"epoch": epoch, "seq": head + 1}, "ahead"),
                          ({"epoch": epoch, "seq": 1 << 62}, "ahead"),
                          ({"epoch": "0" * 32, "seq": 1}, "epoch"), ({"epoch": "0" * 32, "seq": 0}, "epoch"),
                          (f"{'f' * 32}:{head}", "epoch")):
        reply = await client.subscribe(since=since)
        equal((reply["recovered"], reply["reason"]), (False, reason), since)
        equal((reply["from"], reply["head"], reply["epoch"]), (head + 1, head, epoch))
        await client.request("unsubscribe", {"sub": reply["sub"]})
    reply = await client.subscribe(since={"epoch": epoch, "seq": head})  # nothing missed is success
    equal((reply["recovered"], reply["from"]), (True, head + 1))
    await client.close()


@engine_test(tests)
async def test_patterns(engine):
    client = await Client.open(engine)
    names = {}
    for patterns in (["entity.*"], ["file:completed"], ["*"], ["pipeline:*"], ["chunk.*"],
                     ["document.added", "file:*"], ["nothing"]):
        names[(await client.subscribe(since={"seq": 0}, events=patterns))["sub"]] = patterns
    reply = await client.subscribe(since={"seq": 0})
    got = {sub: [] for sub in names}
    while True:
        event = await client.next_event()
        if "seq" in event and event["sub"][0] in got:
            got[event["sub"][0]].append(event["event_type"])
        if event.get("seq") == reply["head"] and event["sub"] == [reply["sub"]] and event.get("last"):
            break
    types = {tuple(p): set(got[s]) for s, p in names.items()}
    equal(types[("entity.*",)], {"entity.added"})
    equal(types[("file:completed",)], {"file:completed"})
    equal(types[("*",)], {"entity.added", "file:completed", "index.rebuilt", "pipeline:online"})
    equal(types[("pipeline:*",)], {"pipeline:online"})
    equal(types[("chunk.*",)], {"entity.added"})
    equal(types[("document.added", "file:*")], {"entity.added", "file:completed"})
    equal(types[("nothing",)], set())
    await client.close()


@engine_test(tests)
async def test_filters(engine):
    """Each of several filters of one log gets what it asks for and nothing else, also live."""
    client = await Client.open(engine)
    await client.subscribe()
    engine.write("b.py", "def alone():\n    pass\n")
    await client.until(completed("b.py"))
    filters = {"c": {"key": "lang", "cmp": "eq", "val": "c"},
               "py or file": {"or": [{"key": "path", "cmp": "ew", "val": ".py"}, {"key": "path", "cmp": "sw", "val": "a"}]},
               "nothing": {"not": {"key": "none", "cmp": "nin", "vals": [1]}}}
    subs = {(await client.subscribe(since={"seq": 0}, events=["entity.*"], filter=tree))["sub"]: name
            for name, tree in filters.items()}
    engine.write("a.c", changed(7))
    got = {name: [] for name in filters}
    while ("entity.updated", "a.c") not in got["c"] or len(got["py or file"]) < len(got["c"]) + 1:
        event = await client.next_event()
        if "seq" in event and event["sub"][0] in subs:
            got[subs[event["sub"][0]]].append((event["event_type"], event["data"]["path"]))
    equal({path for _, path in got["c"]}, {"a.c"})
    equal(set(got["py or file"]), {*got["c"], ("entity.added", "b.py")})
    equal(got["nothing"], [])
    for bad, words in (({"key": "a", "cmp": "like", "val": 1}, "cmp is"), ([], "one of"), ({"and": []}, "list of nodes")):
        reply = await client.request("subscribe", {"filter": bad})
        assert not reply["success"] and words in reply["problem"]["detail"], reply
    await client.close()


def without_sub(event):
    return {k: v for k, v in event.items() if k not in ("sub", "time")}


@engine_test(tests)
async def test_lines(engine):
    """gloss.v1.ndjson carries the same messages in the same order, several at once, in both directions."""
    for n in range(300):
        engine.write(f"m{n}.py", "".join(f"def f{n}_{k}():\n    pass\n" for k in range(4)))
    plain = await Client.open(engine)
    await plain.subscribe(since={"seq": 0})
    many = await plain.until(completed("m299.py"))
    while {e["subject"] for e in many if e.get("event_type") == "file:completed"} < {f"m{n}.py" for n in range(300)}:
        many.append(await plain.next_event())
    many = [without_sub(e) for e in many if "seq" in e]
    async with engine.connect(subprotocols=["gloss.v1.ndjson"]) as ws:
        equal(ws.subprotocol, "gloss.v1.ndjson")
        hello = await hubtest.receive(ws)
        assert {"batch", "filter"} <= set(hello["features"]), hello
        subscribe = {"action": "subscribe", "data": {"since": {"seq": 0}}}
        await ws.send("\n".join(json.dumps(m) for m in (
            {"action": "ping", "request_id": 1}, {"action": "nonsense", "request_id": 2}, subscribe)) + "\n")
        frames, got = 0, []
        while len([m for m in got if "seq" in m]) < len(many):
            message = await asyncio.wait_for(ws.recv(), hubtest.WAIT_S)
            assert len(message.encode()) <= 256 * 1024 and 1 <= message.count("\n") + 1 <= 256
            frames += 1
            got += [json.loads(line) for line in message.split("\n")]
        equal([(m["request_id"], m["success"]) for m in got if m["type"] == "response"],
              [(1, True), (2, False), (None, True)])
        equal([without_sub(m) for m in got if "seq" in m][:len(many)], many)
        assert frames < len(many) / 20, (frames, len(many))
        await ws.send("\n" * 300 + json.dumps({"action": "ping"}))
        await asyncio.wait_for(ws.recv(), hubtest.WAIT_S)
        await ws.send("{}\n" * 256)
        try:
            while True:
                await asyncio.wait_for(ws.recv(), hubtest.WAIT_S)
        except hubtest.websockets.ConnectionClosed as closed:
            equal(closed.rcvd.code, 4502)  # 64 bad ones in a row come first
    async with engine.connect(subprotocols=["gloss.v1.ndjson"]) as ws:
        await hubtest.receive(ws)
        await ws.send(json.dumps({"action": "ping"}) + "\n" + "\n".join([json.dumps({"action": "ping"})] * 256))
        try:
            while True:
                await asyncio.wait_for(ws.recv(), hubtest.WAIT_S)
        except hubtest.websockets.ConnectionClosed as closed:
            equal(closed.rcvd.code, 1009)
    await plain.close()


class Mirror:
    """What a client knows: rows of a snapshot, and events where they are newer."""

    def __init__(self):
        self.rows, self.head, self.is_over = {}, None, False

    def apply(self, event):
        data = event.get("data", {})
        if event["event_type"] == "snapshot.begin":
            self.head = data["head"]
        elif event["event_type"] == "snapshot.rows":
            assert self.head is not None and not self.is_over and 1 <= len(data["rows"]) <= 500, event
            self.rows.update({row["key"]: row for row in data["rows"]})
        elif event["event_type"] == "snapshot.end":
            equal(data["head"], self.head)
            self.is_over = True
        elif event["event_type"].startswith("entity."):
            assert self.is_over and event["seq"] > self.head, event
            if event["seq"] > self.rows.get(data["key"], {"rev": 0})["rev"]:
                self.rows.pop(data["key"], None)
                if event["event_type"] != "entity.deleted":
                    self.rows[data["key"]] = data


async def mirror_of(engine, until=lambda e: e["event_type"] == "snapshot.end", **data):
    client, mirror = await Client.open(engine), Mirror()
    reply = await client.subscribe(snapshot="always", **data)
    assert reply["snapshot"] and reply["from"] == reply["head"] + 1, reply
    while True:
        event = await client.next_event()
        mirror.apply(event)
        if until(event):
            await client.close()
            equal(mirror.head, reply["head"])
            return mirror


@engine_test(tests)
async def test_snapshot_without_a_gap(engine):
    """Rows are read while files come, change and go; with the events behind them they are the index."""
    for n in range(200):
        engine.write(f"m{n}.py", "".join(f"def f{n}_{k}():\n    pass\n" for k in range(8)))
    await indexed(engine, 2 + 200 * 8)
    end = asyncio.create_task(mirror_of(engine, completed("last.py")))
    many = [asyncio.create_task(mirror_of(engine, completed("last.py"))) for _ in range(7)]  # more than read at once
    for n in range(0, 200, 3):
        path = f"m{n}.py"
        if n % 2:
            engine.write(path, f"\n\ndef f{n}_0():\n    return 1\n\n\ndef new{n}():\n    pass\n")
        else:
            os.unlink(os.path.join(engine.root, path))
        if n % 30 == 0:
            await asyncio.sleep(0)
    client = await Client.open(engine)
    while True:
        row = (await client.request("search", {"q": "new195"}))["data"]["results"]
        status = (await client.request("stats"))["data"]["workspaces"][0]
        if row and status["files"]["indexed"] == 1 + 200 - 34 and status["state"] == "ready":
            break
        await asyncio.sleep(0.02)  # the state has no event to wait for, and 200 requests a second are the limit
    engine.write("last.py", "def last():\n    pass\n")
    mirrors = [await end, *[await task for task in many]]
    fresh = await mirror_of(engine)
    assert ("py:fn:last.py#last" in fresh.rows) and len(fresh.rows) > 1000, len(fresh.rows)
    for mirror in mirrors:
        equal({k: v["range"] for k, v in mirror.rows.items()}, {k: v["range"] for k, v in fresh.rows.items()})
    part = await mirror_of(engine, filter={"key": "lang", "cmp": "eq", "val": "c"})
    equal(sorted(row["path"] for row in part.rows.values()), ["a.c", "a.c"])
    equal((await mirror_of(engine, events=["file:*"])).rows, {})
    await client.close()


@engine_test(tests)
async def test_snapshot_if_needed(engine):
    client = await Client.open(engine)
    for since, is_needed in ((None, True), ("latest", True), ("earliest", False), ({"seq": 0}, False),
                             ({"epoch": "0" * 32, "seq": 0}, True), ({"epoch": client.hello["epoch"], "seq": 1 << 40}, True)):
        reply = await client.subscribe(snapshot="if_needed", **({"since": since} if since else {}))
        equal(reply.get("snapshot", False), is_needed, (since, reply))
        reply = await client.subscribe(snapshot="never", **({"since": since} if since else {}))
        assert "snapshot" not in reply, reply
    for bad in ("yes", 1, None, True):
        reply = await client.request("subscribe", {"snapshot": bad})
        equal(reply["success"], bad is None, reply)
    await client.close()


@engine_test(tests)
async def test_unsubscribed_is_silent(engine):
    client = await Client.open(engine)
    gone = await client.subscribe()
    stays = await client.subscribe()
    await client.request("unsubscribe", {"sub": gone["sub"]})
    equal((await client.request("unsubscribe", {"sub": gone["sub"]}))["problem"]["status"], 404)
    engine.write("a.c", changed(1))
    for event in await client.until(completed("a.c")):
        equal(event["sub"], [stays["sub"]])
    await client.close()


@engine_test(tests)
async def test_too_many_subscriptions(engine):
    client = await Client.open(engine)
    for _ in range(64):
        await client.subscribe()
    reply = await client.request("subscribe")
    equal((reply["problem"]["status"], reply["problem"]["retryable"]), (429, True))
    engine.write("a.c", changed(1))
    seen = set()
    while len(seen) < 64:
        event = await client.next_event()
        if completed("a.c")(event):
            seen.add(event["sub"][0])
    await client.close()


@engine_test(tests)
async def test_address_of_a_workspace_subscribes(engine):
    status = await indexed(engine)
    base = "/v1/workspaces/" + status["id"]
    clients = [await Client.open(engine, path=p) for p in
               (base + "/ws", "/v1/libraries/" + status["id"] + "/ws", base + "/ws?subscribe=none")]
    for client in clients:
        equal(client.hello["workspace"], status["id"])
    engine.write("a.c", changed(1))
    for client in clients[:2]:
        events = await client.until(completed("a.c"))
        equal(places(events), [(client.hello["head"] + 1, 0), (client.hello["head"] + 1, 1)])
    reply = await clients[2].request("ping")
    equal((reply["success"], clients[2].events), (True, []))
    for client in clients:
        await client.close()


@engine_test(tests)
async def test_ephemeral_events_are_live_only(engine):
    client = await Client.open(engine)
    await client.subscribe(since={"seq": 0})
    engine.write("b.c", "int b;\n")
    events = await client.until(completed("b.c"))
    processing = [i for i, e in enumerate(events) if e["event_type"] == "file:processing"]
    equal([events[i]["subject"] for i in processing], ["b.c"])
    assert "seq" not in events[processing[0]] and "i" not in events[processing[0]]
    other = await Client.open(engine)
    reply = await other.subscribe(since={"seq": 0})
    replayed = await other.until_seq(reply["head"])
    equal([e for e in replayed if "seq" not in e], [])
    await client.close()
    await other.close()


@engine_test(tests)
async def test_switch_from_log_to_live(engine):
    """Subscribers that begin anywhere while the log grows all see the same, without gap or repeat."""
    engine.finish_rows = 60
    engine.stop()
    engine.start()  # the ring is empty now: what is older comes from the store
    await indexed(engine)

    async def write():
        for i in range(engine.finish_rows):
            engine.write(f"w{i % 7}.c", f"int w{i % 7}(void) {{ return {i}; }}\n")
            await asyncio.sleep(0.01)  # spread, not waited for
        engine.write("end.c", "int end;\n")

    async def follow(delay, since):
        await asyncio.sleep(delay)  # spread, not waited for
        client = await Client.open(engine)
        reply = await client.subscribe(since=since)
        events = [e for e in await client.until(completed("end.c")) if "seq" in e]
        await client.close()
        check_whole(events, reply["from"], events[-1]["seq"])
        return [{k: v for k, v in e.items() if k != "sub"} for e in events]

    lists = (await asyncio.gather(write(), *(follow(i * 0.02, {"seq": 0}) for i in range(30))))[1:]
    for events in lists[1:]:
        equal(events, lists[0])


@engine_test(tests)
async def test_kill_and_go_on(engine):
    """A client that comes back with its cursor has neither gap nor repeat, whatever died in between."""
    seen, cursor = [], "earliest"
    for life in range(4):
        client = await Client.open(engine)
        reply = await client.subscribe(since=cursor)
        equal(reply["recovered"], True, cursor)
        for i in range(3):
            engine.write("a.c", changed(f"{life}{i}"))
            for event in await client.until(completed("a.c")):
                if "seq" in event:
                    seen.append(event)
        # to where a row is known to be whole
        cursor = f"{seen[-1]['epoch']}:{seen[-1]['seq']}"
        engine.write("a.c", changed(f"{life}999"))
        if life % 2:
            await client.until(completed("a.c"))  # seen and forgotten: it must come again
        engine.kill()
        engine.start()
        await indexed(engine)
    client = await Client.open(engine)
    reply = await client.subscribe(since=cursor)
    seen += [e for e in await client.until_seq(reply["head"]) if "seq" in e]
    check_whole(seen, 1, reply["head"])
    equal(len({e["epoch"] for e in seen}), 1)
    fresh = await Client.open(engine)
    await fresh.subscribe(since={"seq": 0})
    again = [e for e in await fresh.until_seq(reply["head"]) if "seq" in e]
    equal(places(again), places(seen))
    equal([e["data"] for e in again], [e["data"] for e in seen])
    await client.close()
    await fresh.close()


@engine_test(tests)
async def test_new_index_is_a_new_epoch(engine):
    client = await Client.open(engine)
    before = client.hello
    await client.close()
    engine.kill()
    shutil.rmtree(engine.env["XDG_STATE_HOME"])
    os.mkdir(engine.env["XDG_STATE_HOME"], 0o700)
    engine.start()
    await indexed(engine)
    client = await Client.open(engine)
    reply = await client.subscribe(since={"epoch": before["epoch"], "seq": 1})
    equal((reply["recovered"], reply["reason"]), (False, "epoch"))
    assert reply["epoch"] != before["epoch"]
    await client.close()


@engine_test(tests)
async def test_subscribe_while_opening(engine):
    """A client that is there before the index is sees everything."""
    engine.kill()
    engine.write("b.c", "int b;\n")
    engine.start()
    client = await Client.open(engine)
    reply = await client.subscribe(since={"seq": 0})
    equal((reply["recovered"], reply["from"], len(reply["epoch"])), (True, 1, 32))
    events = [e for e in await client.until(completed("b.c")) if "seq" in e]
    check_whole(events, 1, events[-1]["seq"])
    await client.close()


@engine_test(tests)
async def test_end_of_the_engine(engine):
    clients = [await Client.open(engine) for _ in range(20)]
    for client in clients:
        await client.subscribe()
    engine.process.send_signal(signal.SIGTERM)
    for client in clients:
        equal(await hubtest.closed_with(client.ws), 1001)
    equal(engine.process.wait(hubtest.WAIT_S), 0, engine.said())


@engine_test(tests)
async def test_two_workspaces(engine):
    engine.stop()
    other = os.path.join(engine.home, "other")
    os.mkdir(other)
    engine.start(engine.root, other)
    client = await Client.open(engine)
    ids = {w["root"]: w["id"] for w in client.hello["workspaces"]}
    equal(len(ids), 2)
    assert "workspace" not in client.hello
    for action in ("search", "subscribe", "get"):
        reply = await client.request(action, {"q": "a", "key": "a"})
        equal(reply["problem"]["status"], 400, action)
    here = ids[os.path.realpath(engine.root)]
    there = ids[os.path.realpath(other)]
    subs = {(await client.subscribe(workspace=w))["sub"]: w for w in (here, there)}
    with open(os.path.join(other, "c.c"), "w", encoding="utf-8") as f:
        f.write("int c;\n")
    event = (await client.until(completed("c.c")))[-1]
    equal((event["workspace"], subs[event["sub"][0]]), (there, there))
    engine.write("a.c", changed(1))
    event = (await client.until(completed("a.c")))[-1]
    equal((event["workspace"], subs[event["sub"][0]]), (here, here))
    await client.close()


if __name__ == "__main__":
    main(tests, setup=False)
