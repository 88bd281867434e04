"""The event stream: the same events as over a WebSocket, and an id at each from which it goes on."""
import asyncio
import json
import time

import hubtest
from follow import (Stream, check_same, connect, cpu_s, durable, everything, hang_up_all, id_of, many_functions,
                    read_head, until_completed, workspace_of)
from hubtest import (WAIT_S, Client, changed, completed, engine_test, equal, hub_stats, indexed, main, places,
                     until_stats)

tests = []


@engine_test(tests)
async def test_live_events(engine):
    stream = await Stream.open(engine)
    system = stream.system["data"]
    equal((stream.headers["cache-control"], stream.retry_ms), ("no-store", 2000))
    equal((system["type"], system["recovered"], system["from"]), ("system", True, system["head"] + 1))
    equal(stream.last_id, f"{system['epoch']}:{system['head']}")
    engine.write("a.c", changed(1))
    seen = await stream.until(completed("a.c"))
    for event in seen:
        equal(event["event"], event["data"]["event_type"])
    events = [e for e in seen if e["data"].get("seq")]
    equal([e["event"] for e in events], ["entity.updated", "file:completed"])
    equal([e["id"] for e in events], [id_of(e["data"]) for e in events])
    check_same(durable(seen), [e for e in await everything(engine) if e["seq"] > system["head"]])
    at = stream.system["id"]
    for event in seen:  # what has no place in the log has no id: the client's stays
        if not event["data"].get("seq"):
            equal(event["id"], at)
        at = event["id"]
    equal((await hub_stats(engine))["followers"], 1)
    stream.close()
    await until_stats(engine, lambda s: s["followers"] == 0)


@engine_test(tests)
async def test_every_id_gives_the_rest(engine):
    for i in range(4):
        engine.write("a.c", changed(i))
        engine.write(f"f{i}.c", many_functions(3, i))
        await until_completed(engine, f"f{i}.c")
    whole = await everything(engine)
    stream = await Stream.open(engine, since="earliest")
    got = await stream.until(lambda m: (m.get("seq"), m.get("last")) == (whole[-1]["seq"], True))
    check_same(durable(got), whole)
    stream.close()
    assert any(not e.get("last") for e in whole)
    for i, event in enumerate(whole[:-1]):
        stream = await Stream.open(engine, last_id=id_of(event))
        equal((stream.system["data"]["recovered"], stream.last_id), (True, id_of(event)))
        check_same(durable([await stream.next() for _ in whole[i + 1:]]), whole[i + 1:])
        stream.close()


@engine_test(tests)
async def test_cursors(engine):
    stream = await Stream.open(engine)
    epoch, head = stream.system["data"]["epoch"], stream.system["data"]["head"]
    stream.close()
    for cursor, reason in ((f"{epoch}:{head + 1}", "ahead"), (f"{epoch}:{head + 1}.0", "ahead"),
                           (f"{'0' * 32}:1", "epoch"), ("42", "epoch"), ("x" * 1500, "epoch"), ("a b:1", "epoch")):
        stream = await Stream.open(engine, last_id=cursor, since="earliest")
        system = stream.system["data"]
        equal((system["recovered"], system["reason"], system["from"]), (False, reason, head + 1), cursor)
        equal(stream.last_id, f"{epoch}:{head}")
        stream.close()
    for how in ({"since": f"{epoch}:{head}"}, {"last_event_id": f"{epoch}:{head}"},
                {"last_id": f"{epoch}:{head}", "since": "nonsense:x:y"}, {"since": "latest"}):
        stream = await Stream.open(engine, **how)
        system = stream.system["data"]
        equal((system["recovered"], system["from"], "reason" in system), (True, head + 1, False), how)
        stream.close()
    for how in ({"since": "yesterday"}, {"since": f"{epoch}:-1"}, {"types": ""}, {"types": "a,,b"},
                {"types": ",".join("x" * 33)}, {"filter": "{"}, {"filter": "{}"}, {"format": "xml"},
                {"filter": "x" * 1500}, {"since": "y" * 1390}):
        stream = await Stream.open(engine, **how)
        equal(stream.status, 400, how)
        stream.close()
    stream = await Stream.open(engine, workspace="nowhere")
    equal(stream.status, 404)
    stream.close()
    workspace = await workspace_of(engine)
    for how in ({"workspace": workspace}, {"library_id": workspace}, {"workspace": engine.root}):
        stream = await Stream.open(engine, **how)
        equal(stream.system["data"]["workspace"], workspace)
        stream.close()


@engine_test(tests)
async def test_types_and_filter(engine):
    engine.write("b.c", many_functions(4))
    await until_completed(engine, "b.c")
    whole = await everything(engine)
    stream = await Stream.open(engine, since="earliest", types="entity.*,index.*",
                               filter=json.dumps({"or": [{"key": "name", "cmp": "ew", "val": "1_0"},
                                                         {"key": "name", "cmp": "eq", "val": "sub"}]}))
    wanted = [e for e in whole if e["event_type"].startswith("entity.") and e["data"]["name"] in ("f1_0", "sub")]
    equal(len(wanted), 2)
    check_same(durable([await stream.next() for _ in wanted]), wanted)
    # The id of who wants little moves, too: else it would some day be pruned.
    deadline = time.monotonic() + WAIT_S
    head = f"{whole[-1]['epoch']}:{whole[-1]['seq']}"
    while stream.last_id != head:
        assert time.monotonic() < deadline, stream.last_id
        equal(await stream.block(), {})
    equal(stream.comments, ["hb"])
    stream.close()


@engine_test(tests)
async def test_older_names(engine):
    workspace = await workspace_of(engine)
    stream = await Stream.open(engine, library_id=workspace, types="document.*,index.rebuilt", since="earliest")
    events = [await stream.next() for _ in range(3)]
    equal([e["event"] for e in events], ["index.rebuilt", "document.added", "document.added"])
    equal([e["data"].get("document_id") for e in events],
          [None] + [e["data"]["data"]["key"] for e in events[1:]])
    stream.close()


@engine_test(tests)
async def test_kill_and_go_on(engine):
    """Cut off anywhere, even in a row: with the last id it goes on, no gap, no repeat."""
    seen, last_id = [], None
    cuts = [1, 7, 40, 0, 63, 200]
    for life, cut in enumerate(cuts):
        stream = await Stream.open(engine, last_id=last_id, since="earliest")
        equal(stream.system["data"]["recovered"], True, last_id)
        engine.write("many.c", many_functions(50, life))
        engine.write("a.c", changed(life))
        while cut > 0:
            event = await stream.next()
            if event["data"].get("seq"):
                seen.append(event["data"])
                cut -= 1
        last_id = stream.last_id
        engine.kill()
        equal(await drained(stream), None)
        engine.start()
        await indexed(engine, 52)
    whole = await everything(engine)
    stream = await Stream.open(engine, last_id=last_id)
    while len(seen) < len(whole):
        seen += durable([await stream.next()])
    check_same(seen, whole)
    equal(len(set(places(seen))), len(seen))
    stream.close()


async def drained(stream):
    """Reads what was on its way to a stream that was cut, and forgets it."""
    try:
        while await stream.next():
            pass
    except (ConnectionResetError, ValueError):
        pass


@engine_test(tests)
async def test_hang_ups_while_nothing_is_sent(engine):
    async def open_one():
        stream = await Stream.open(engine)
        return stream.writer
    await hang_up_all(engine, open_one)


@engine_test(tests)
async def test_what_a_client_sends_is_nothing(engine):
    """Bytes behind the request, of which nobody takes notice: no second request, no work."""
    streams = [await Stream.open(engine) for _ in range(10)]
    for stream in streams:
        stream.writer.write(b"GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3)
        await stream.writer.drain()
    client = await Client.open(engine)
    for _ in range(20):
        equal((await client.request("ping"))["success"], True)
    used = cpu_s(engine.pid)
    await asyncio.sleep(1)  # over this time it is measured
    assert cpu_s(engine.pid) - used < 0.25
    for stream in streams:
        stream.close()
    await until_stats(engine, lambda s: s["followers"] == 0)
    await client.close()


@engine_test(tests)
async def test_slow_one_is_closed(engine):
    """Who takes nothing for ten seconds is closed, and comes back; the others do not notice."""
    for i in range(8):  # together more than a socket's buffers hold
        engine.write(f"m{i}.c", "".join(f"/* {'x' * 12000} */\nint f{n}_{i}(void)\n{{\n}}\n" for n in range(80)))
    for i in range(8):
        await until_completed(engine, f"m{i}.c")
    good = await Stream.open(engine)
    stuck = await Stream.open(engine, since="earliest", receive_bytes=4096)
    stuck.writer.transport.pause_reading()
    began, slowest = time.monotonic(), 0.0
    number = 0
    while (await hub_stats(engine))["slow_closed"] == 0:
        number += 1
        at = time.monotonic()
        assert at - began < 2 * WAIT_S, "it is still there"
        engine.write("a.c", changed(number))
        await good.until(completed("a.c"))
        slowest = max(slowest, time.monotonic() - at)
        await asyncio.sleep(0.1)  # a load that is no flood
    took = time.monotonic() - began
    assert took >= 9, f"closed after {took:.1f} s already"
    assert slowest < 5, f"a change took {slowest:.1f} s to arrive"
    await until_stats(engine, lambda s: s["followers"] == 1)
    stuck.writer.transport.resume_reading()
    seen = []
    try:
        while event := await stuck.next():
            seen.append(event)
    except (ConnectionResetError, ValueError):
        pass
    whole = await everything(engine)
    again = await Stream.open(engine, last_id=stuck.last_id)
    have = durable(seen)
    have += durable(await again.until(lambda m: (m.get("seq"), m.get("last")) == (whole[-1]["seq"], True)))
    check_same(have, whole)
    again.close()
    good.close()


@engine_test(tests)
async def test_limit(engine):
    """Streams count with the WebSockets: above 1,024 there is a 503, and a place that is left is free."""
    sockets = []
    streams = []
    for _ in range(8):
        streams += await asyncio.gather(*(Stream.open(engine) for _ in range(64)))
        sockets += await asyncio.gather(*(engine.connect() for _ in range(64)))
    late = await Stream.open(engine)
    equal((late.status, late.headers.get("retry-after")), (503, "1"))
    late.close()
    equal(await hubtest.refused(engine.connect()), 503)
    status, _, _ = await engine.http(f"/v1/workspaces/{streams[0].system['data']['workspace']}/events?wait=5")
    equal(status, 503)
    streams.pop().close()
    await until_stats(engine, lambda s: s["followers"] == 511)
    late = await Stream.open(engine)
    equal(late.status, 200)
    for stream in streams + [late]:
        stream.close()
    await asyncio.gather(*(s.close() for s in sockets))


@engine_test(tests)
async def test_cloudevents(engine):
    engine.write("b.c", many_functions(3))
    await until_completed(engine, "b.c")
    whole = await everything(engine)
    stream = await Stream.open(engine, since="earliest", format="cloudevents")
    socket_ = await Client.open(engine, path="/v1/ws?format=cloudevents")
    equal(socket_.hello["type"], "system")
    await socket_.subscribe(since={"seq": 0})
    ids = set()
    for event in whole:
        got = await stream.next()
        equal((got["event"], got["id"]), (event["event_type"], id_of(event)))
        over_socket = await socket_.next_event()
        equal(over_socket, got["data"])
        expected = {"specversion": "1.0", "id": id_of(event), "source": "/workspaces/" + event["workspace"],
                    "type": "dev.gloss." + event["event_type"], "time": event["time"],
                    "datacontenttype": "application/json", "sequence": f"{event['seq']:020}",
                    "part": event["i"], "sub": "s1", "data": event["data"]}
        if event["subject"]:
            expected["subject"] = event["subject"]
        if event.get("last"):
            expected["last"] = True
        equal(got["data"], expected)
        ids.add(got["data"]["id"])
    equal(len(ids), len(whole))
    stream.close()
    await socket_.close()
    equal(await hubtest.refused(engine.connect(path="/v1/ws?format=xml")), 400)


@engine_test(tests)
async def test_head_and_doors(engine):
    reader, writer = await connect(engine, "/v1/events/stream", method="HEAD")
    status, headers = await read_head(reader)
    equal((status, headers["content-type"], await reader.read()), (200, "text/event-stream", b""))
    writer.close()
    status, _, _ = await engine.http("/v1/events/stream", token=hubtest.WRONG_TOKEN)
    equal(status, 403)
    status, _, _ = await engine.http("/v1/events/stream", headers={"Origin": "http://evil.test"})
    equal(status, 403)


@engine_test(tests)
async def test_end_of_the_engine(engine):
    streams = [await Stream.open(engine) for _ in range(20)]
    engine.stop()
    for stream in streams:
        equal(await drained(stream), None)
        stream.close()


if __name__ == "__main__":
    main(tests, setup=False)
