"""The long poll: the log in pages of whole rows, `next` exact, and a wait that ends with the first event."""
import asyncio
import json
import time

import websockets

from follow import (TICK_S, Stream, address, check_same, connect, everything, hang_up_all, many_functions, poll,
                    poll_all, read_head, until_completed, workspace_of)
from hubtest import WAIT_S, changed, engine_test, equal, indexed, main, places, until_stats

tests = []


@engine_test(tests)
async def test_pages(engine):
    for i in range(4):
        engine.write(f"f{i}.c", many_functions(3 + i, i))
        await until_completed(engine, f"f{i}.c")
    whole = await everything(engine)
    workspace = await workspace_of(engine)
    head = whole[-1]["seq"]
    end = f"{whole[-1]['epoch']}:{head}"
    for limit in (1, 2, 5, 500):
        got, next_ = await poll_all(engine, workspace, "earliest", limit=limit)
        check_same(got, whole)
        equal(next_, end)
    since = ":0"
    while since != end:  # one page a row
        _, body = await poll(engine, workspace, since=since, limit=1)
        seqs = {e["seq"] for e in body["events"]}
        equal(len(seqs), 1)
        equal(body["events"], [e | {"sub": ["s1"]} for e in whole if e["seq"] in seqs])
        equal((body["next"], body["head"], body["first_seq"], body["epoch"]),
              (f"{body['epoch']}:{seqs.pop()}", head, 1, whole[0]["epoch"]))
        since = body["next"]
    for event in whole:  # from within a row, too
        if not event.get("last"):
            _, body = await poll(engine, workspace, since=f"{event['epoch']}:{event['seq']}.{event['i']}")
            equal(places(body["events"]), [p for p in places(whole) if p > (event["seq"], event["i"])])
    _, body = await poll(engine, workspace, since=end)
    equal((body["events"], body["next"], body["recovered"], "reason" in body), ([], end, True, False))
    status, body = await poll(engine, workspace)
    equal((status, body["events"], body["next"]), (200, [], end))


@engine_test(tests)
async def test_waits_for_the_first_event(engine):
    workspace = await workspace_of(engine)
    _, body = await poll(engine, workspace)
    since, seen = body["next"], []
    for i in range(5):
        began = time.monotonic()
        waiting = asyncio.ensure_future(poll(engine, workspace, since=since, wait=25))
        await until_stats(engine, lambda s: s["followers"] == 1)
        engine.write("a.c", changed(i))
        status, body = await waiting
        assert time.monotonic() - began < 20
        equal((status, body["recovered"]), (200, True))
        assert body["events"], body
        seen += body["events"]
        since = body["next"]
        more, since = await poll_all(engine, workspace, since)
        seen += more
    whole = await everything(engine)
    check_same(seen, [e for e in whole if e["seq"] >= seen[0]["seq"]])


@engine_test(tests)
async def test_wait_that_ends_empty(engine):
    workspace = await workspace_of(engine)
    _, body = await poll(engine, workspace)
    began = time.monotonic()
    status, again = await poll(engine, workspace, since=body["next"], wait=1)
    took = time.monotonic() - began
    equal((status, again), (200, body))
    assert 0.9 <= took < 10, took


@engine_test(tests)
async def test_types_and_filter(engine):
    engine.write("b.c", many_functions(4))
    await until_completed(engine, "b.c")
    workspace = await workspace_of(engine)
    whole = await everything(engine)
    end = f"{whole[-1]['epoch']}:{whole[-1]['seq']}"
    got, next_ = await poll_all(engine, workspace, ":0", types="entity.*", limit=3,
                                filter=json.dumps({"key": "name", "cmp": "sw", "val": "f"}))
    check_same(got, [e for e in whole if e["event_type"] == "entity.added" and e["data"]["name"].startswith("f")])
    equal((len(got), next_), (4, end))
    # Nothing is wanted: where to go on moves all the same.
    _, body = await poll(engine, workspace, since=":0", types="nothing.*", wait=1)
    equal((body["events"], body["next"]), ([], end))
    status, body = await poll(engine, workspace, since=":0", format="cloudevents")
    equal((status, [e["type"] for e in body["events"]]), (200, ["dev.gloss." + e["event_type"] for e in whole]))
    equal([e["sequence"] for e in body["events"]], [f"{e['seq']:020}" for e in whole])


@engine_test(tests)
async def test_cursors_that_cannot_be_served(engine):
    workspace = await workspace_of(engine)
    _, body = await poll(engine, workspace)
    epoch, head, end = body["epoch"], body["head"], body["next"]
    for since, reason in ((f"{epoch}:{head + 1}", "ahead"), (f"{'0' * 32}:1", "epoch"),
                          (f"{epoch}:{1 << 62}", "ahead")):
        began = time.monotonic()
        status, body = await poll(engine, workspace, since=since, wait=25)
        equal((status, body["recovered"], body["reason"], body["events"], body["next"]),
              (200, False, reason, [], end), since)
        assert time.monotonic() - began < 20, "it waited"
    for how in ({"since": "yesterday"}, {"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"wait": 26}, {"wait": "-1"},
                {"format": "xml"}, {"types": ",".join("x" * 33)}, {"filter": "[]"}, {"filter": "x" * 1500}):
        status, body = await poll(engine, workspace, **how)
        equal((status, body["status"]), (400, 400), how)
    status, _ = await poll(engine, "nowhere")
    equal(status, 404)
    reader, writer = await connect(engine, f"/v1/workspaces/{workspace}/events", method="HEAD")
    status, _ = await read_head(reader)
    equal((status, await reader.read()), (200, b""))
    writer.close()
    status, _, _ = await engine.http(f"/v1/libraries/{workspace}/events")
    equal(status, 200)


@engine_test(tests)
async def test_kill_and_go_on(engine):
    """Polls across kills: what an answer said is had, what was cut is asked again; no gap, no repeat."""
    workspace = await workspace_of(engine)
    seen, since = [], "earliest"
    for life in range(5):
        engine.write("many.c", many_functions(50, life))
        for _ in range(life + 1):
            status, body = await poll(engine, workspace, since=since, limit=1 + 3 * life, wait=25)
            equal((status, body["recovered"]), (200, True), body)
            seen += body["events"]
            since = body["next"]
            engine.write("a.c", changed(f"{life}{len(seen)}"))
        more, since = await poll_all(engine, workspace, since)
        seen += more
        waiting = asyncio.ensure_future(poll(engine, workspace, since=since, types="nothing", wait=25))
        await until_stats(engine, lambda s: s["followers"] == 1)
        engine.kill()
        try:
            await waiting
        except (asyncio.IncompleteReadError, ConnectionResetError, ValueError):
            pass
        else:
            raise AssertionError("a dead engine answered")
        engine.start()
        await indexed(engine, 52)
    more, _ = await poll_all(engine, workspace, since)
    check_same(seen + more, await everything(engine))


async def follow_stream(engine, state):
    while not state["is_over"]:
        stream = await Stream.open(engine, last_id=state["at"], since="earliest")
        if stream.status == 200:
            equal(stream.system["data"]["recovered"], True)
            while event := await stream.next():
                state["at"] = stream.last_id
                if event["data"].get("seq"):
                    state["seen"].append(event["data"])
        stream.close()


async def follow_pages(engine, state):
    workspace = await workspace_of(engine)
    while not state["is_over"]:
        status, body = await poll(engine, workspace, since=state["at"] or "earliest", limit=7, wait=2)
        if status == 200:
            equal(body["recovered"], True)
            state["seen"] += body["events"]
            state["at"] = body["next"]


async def keep_on(follow, engine, state):
    """What was cut is begun again, from where it was."""
    while not state["is_over"]:
        try:
            await follow(engine, state)
        except (OSError, asyncio.IncompleteReadError, ValueError, TypeError, websockets.WebSocketException):
            await asyncio.sleep(0.02)  # the engine is dead


@engine_test(tests)
async def test_kills_under_load(engine):
    """Engines that are killed while files change and clients come and go: each has the log, no gap, no repeat."""
    states = [{"is_over": False, "at": None, "seen": []} for _ in range(6)]
    tasks = [asyncio.ensure_future(keep_on(follow_pages if i % 2 else follow_stream, engine, state))
             for i, state in enumerate(states)]
    for life in range(8):
        for i in range(10):
            engine.write(f"f{i % 3}.c", many_functions(7 * i + 3, 10 * life + i))
            await asyncio.sleep(TICK_S)  # a load that is no flood
        engine.kill()
        engine.start()
    await indexed(engine, 2 + 52 + 59 + 66)
    whole = await everything(engine)
    head = whole[-1]["seq"]
    deadline = time.monotonic() + WAIT_S
    for task, state in zip(tasks, states):
        while not state["seen"] or places(state["seen"])[-1] < places(whole)[-1]:
            assert not task.done() and time.monotonic() < deadline, f"{task} {len(state['seen'])}"
            await asyncio.sleep(TICK_S)  # what it has seen has no event of its own
        check_same([e for e in state["seen"] if e["seq"] <= head], whole)
        state["is_over"] = True
    for task in tasks:
        task.cancel()


@engine_test(tests)
async def test_changes_while_the_log_is_read(engine):
    """What is asked for lies in the store, and files change while it is read from there."""
    engine.kill()
    engine.start()  # what was before is not in memory
    await indexed(engine)
    workspace = await workspace_of(engine)

    async def ask():
        for _ in range(150):
            _, body = await poll(engine, workspace, since="earliest", limit=1, wait=5)
            equal((body["recovered"], body["events"][0]["seq"]), (True, 1))

    tasks = [asyncio.ensure_future(ask()) for _ in range(8)]
    number = 0
    while not all(task.done() for task in tasks):
        number += 1
        engine.write("a.c", changed(number))
        await asyncio.sleep(0.002)  # a load
    await asyncio.gather(*tasks)


@engine_test(tests)
async def test_large_row_is_whole(engine):
    """A row larger than any buffer comes in one answer, and the next one begins behind it."""
    workspace = await workspace_of(engine)
    _, body = await poll(engine, workspace)
    since = body["next"]
    engine.write("big.c", many_functions(4000))
    await until_completed(engine, "big.c")
    added = []
    while len(added) < 4000:
        _, body = await poll(engine, workspace, since=since, limit=1, wait=5)
        assert body["events"], body
        equal(len({e["seq"] for e in body["events"]}), 1)
        equal([e["i"] for e in body["events"]], list(range(len(body["events"]))))
        equal([e["i"] for e in body["events"] if e.get("last")], [body["events"][-1]["i"]])
        added += [e for e in body["events"] if e["event_type"] == "entity.added"]
        since = body["next"]
    equal((len(added), len({e["seq"] for e in added})), (4000, 1))


@engine_test(tests)
async def test_hang_ups_while_waiting(engine):
    workspace = await workspace_of(engine)

    async def open_one():
        _, writer = await connect(engine, address(f"/v1/workspaces/{workspace}/events", wait=25))
        return writer
    await hang_up_all(engine, open_one)


@engine_test(tests)
async def test_end_of_the_engine(engine):
    workspace = await workspace_of(engine)
    waiting = [await connect(engine, address(f"/v1/workspaces/{workspace}/events", wait=25)) for _ in range(20)]
    await until_stats(engine, lambda s: s["followers"] == 20)
    engine.stop()
    for reader, writer in waiting:
        equal(await asyncio.wait_for(reader.read(), WAIT_S), b"")
        writer.close()


if __name__ == "__main__":
    main(tests, setup=False)
