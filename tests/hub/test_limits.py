"""What one client may take from the others: nothing. Limits of how much and how often, budgets of the loop."""
import asyncio
import http.client
import json
import os
import re
import resource
import socket
import time

import hubtest
from hubtest import (WRONG_TOKEN, Client, closed_with, engine_test, equal, has_sanitizer, indexed, main, receive,
                     rss_kb)

MANY = 8000  # definitions of one file, which is one row of the log


tests = []


def own_engine(**settings):
    """A test on an engine of its own, with these settings and otherwise those that users have."""
    async def before(engine):
        for name in ("GLOSS_HUB_BAD_TOKENS", "GLOSS_HUB_STRANGERS"):
            engine.env.pop(name, None)
        engine.env.update(settings)
    return engine_test(tests, before)


def rich_functions(n, salt):
    return "".join(f"/** Says {i} in many words, {'so that this is long enough; ' * 20} */\n"
                   f"int f{salt}_{i}(int a)\n{{\n    return a + {i};\n}}\n\n" for i in range(n))


async def slow_client(engine, **options):
    """One whose socket takes next to nothing before it is read."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", engine.port))
    return await Client.open(engine, sock=s, **options)


def used_ns(pid):
    """Of the processor: by the loop, by all threads."""
    used = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
            used[thread] = int(f.read().split()[0])
    return used[str(pid)], sum(used.values())


async def slowest_ping(client, until):
    """Of pings that go on until the other thing is done."""
    slowest, n = 0, 0
    while not until.done() or n < 20:
        began = time.monotonic()
        reply = await client.request("ping")
        assert reply["success"], reply
        slowest, n = max(slowest, time.monotonic() - began), n + 1
        await asyncio.sleep(0.01)  # the limit is 200 a second
    return slowest


async def answers(ws):
    """Of the next message: half a minute after the engine began it may be a heartbeat."""
    text = await asyncio.wait_for(ws.recv(), hubtest.WAIT_S)
    return [message for message in map(json.loads, text.split("\n")) if message["type"] == "response"]


@own_engine()
async def test_lines_of_a_message_wait_for_room(engine):
    """A hundred large answers to one message: no more than there is room for is asked, and each line is answered once."""
    for i in range(3):
        engine.write(f"many{i}.c", rich_functions(500, i))
    engine.start()
    await indexed(engine, 2 + 3 * 500)
    before_kb = rss_kb(engine.pid)
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", engine.port))
    async with engine.connect(subprotocols=["gloss.v1.ndjson"], sock=s) as ws:
        await receive(ws)
        lines = [{"action": "search", "data": {"q": "f", "limit": 1000}, "request_id": i} if i % 4
                 else {"action": "ping", "request_id": i} for i in range(128)]
        ws.transport.pause_reading()
        await ws.send("\n".join(json.dumps(line) for line in lines))
        other = await Client.open(engine)
        for _ in range(20):  # what it would do it does meanwhile
            equal((await other.request("search", {"q": "add"}))["success"], True)
        stats = (await other.request("stats"))["data"]["hub"]
        assert stats["waiting_bytes"] < 3 << 20, stats
        grown = rss_kb(engine.pid) - before_kb
        assert grown < 32 * 1024 or has_sanitizer(engine.program), f"{grown} KiB more"
        await other.close()
        ws.transport.resume_reading()
        got = []
        while len(got) < len(lines):
            for message in await answers(ws):
                assert message["success"], message
                got.append(message["request_id"])
        equal(sorted(got), list(range(128)), "each once")
        equal([i for i in got if i % 4 == 0], list(range(0, 128, 4)), "in order")
        # the next message is read again
        await ws.send('{"action":"ping","request_id":"next"}\n{"action":"ping","request_id":"one"}')
        more = []
        while len(more) < 2:
            more += [message["request_id"] for message in await answers(ws)]
        equal(more, ["next", "one"])


@own_engine()
async def test_filter_that_lets_nothing_pass(engine):
    """Subscribers that look at everything in vain: nobody else waits for them."""
    engine.write("huge.c", "".join(f"/** {'Long enough. ' * 10} */\nint f{i}(void){{return {i};}}\n" for i in range(MANY)))
    engine.start()
    await indexed(engine, 2 + MANY)
    nothing = {"key": "name", "cmp": "eq", "val": "none"}
    watcher = await Client.open(engine)

    async def look(**data):
        client = await Client.open(engine)
        reply = await client.subscribe(filter=nothing, **data)
        marker = await client.subscribe(events=["file:completed"], since={"seq": 0})
        seen = [e for e in await client.until(lambda e: e.get("event_type") == "snapshot.end")] \
            if data.get("snapshot") else []
        assert all(not e["data"].get("rows") for e in seen if e["event_type"] == "snapshot.rows"), seen
        if not data.get("snapshot"):
            await client.until(lambda e: e.get("sub") == [marker["sub"]] and e.get("subject") == "huge.c")
        await client.close()
        return reply

    looks = asyncio.gather(*(look(since={"seq": 0}) for _ in range(10)),
                           *(look(snapshot="always") for _ in range(10)))
    began = time.monotonic()
    slowest = await slowest_ping(watcher, looks)
    await looks
    took = time.monotonic() - began
    print(f"# slowest ping beside twenty that look in vain: {slowest * 1000:.0f} ms of {took:.2f} s", flush=True)
    assert slowest < max(2.5 if has_sanitizer(engine.program) else 0.5, took / 4), (slowest, took)
    await watcher.close()


@own_engine()
async def test_slow_snapshots_stop_nobody(engine):
    """Readers that do not read hold their own snapshot up, and neither others' nor a question."""
    for i in range(12):
        engine.write(f"m{i}.c", rich_functions(500, i))
    engine.start()
    await indexed(engine, 2 + 12 * 500)
    client = await Client.open(engine)

    async def timed_snapshot():
        began = time.monotonic()
        await client.subscribe(snapshot="always")
        rows = await client.until(lambda e: e.get("event_type") == "snapshot.end")
        equal(rows[-1]["data"]["rows"], 2 + 12 * 500)
        equal((await client.request("search", {"q": "add"}))["data"]["count"], 1)
        return time.monotonic() - began

    alone = await timed_snapshot()
    stuck, began = [], time.monotonic()
    for _ in range(8):
        other = await slow_client(engine)
        other.ws.transport.pause_reading()
        await other.ws.send(json.dumps({"action": "subscribe", "data": {"snapshot": "always"}}))
        stuck.append(other)
    took = await timed_snapshot()
    print(f"# a snapshot beside eight stuck ones: {took:.2f} s, alone {alone:.2f} s", flush=True)
    # who waits for the others waits ten seconds, until they are closed
    assert took < min(4 * alone + 2, max(9, 2 * alone)), (took, alone)
    stats = (await client.request("stats"))["data"]["hub"]
    if time.monotonic() - began < 9:
        equal((stats["slow_closed"], stats["clients"]), (0, 9), "the slow ones are still there")
    for other in stuck:
        other.ws.transport.abort()
    await client.close()


@own_engine()
async def test_requests_a_second(engine):
    """400 at once; then too-many, which says when to come back; who goes on asking is closed with 4029."""
    engine.start()
    client = await Client.open(engine)
    other = await Client.open(engine)
    equal((client.hello["limits"]["rate"], client.hello["limits"]["burst"]), (200, 400))
    replies, began = [], time.monotonic()
    while all(r["success"] for r in replies):  # 500; more where those take long
        n = 100 if replies else 500
        for i in range(n):
            await client.ws.send(json.dumps({"action": "ping", "request_id": len(replies) + i}))
        replies += [await receive(client.ws) for _ in range(n)]
        assert len(replies) < 100000, "nothing was too many"
    took = time.monotonic() - began
    equal([r["request_id"] for r in replies], list(range(len(replies))))
    good = [r for r in replies if r["success"]]
    bad = [r["problem"] for r in replies if not r["success"]]
    assert 400 <= len(good) <= 401 + 200 * took and all(r["success"] for r in replies[:400]), (len(good), took)
    equal({(p["type"], p["status"], p["retryable"]) for p in bad}, {("/problems/too-many", 429, True)})
    wait_ms = bad[-1]["retry_after_ms"]
    assert 0 < wait_ms <= 1000, wait_ms
    equal((await other.request("ping"))["success"], True, "of another connection")
    await asyncio.sleep(wait_ms / 1000)  # as it was told
    equal((await client.request("ping"))["success"], True)
    closing = asyncio.ensure_future(closed_with(client.ws))
    while not closing.done():
        try:
            await client.ws.send('{"action":"ping"}')
        except hubtest.websockets.ConnectionClosed:
            break
        await asyncio.sleep(0)
    equal(await closing, 4029)
    stats = (await other.request("stats"))["data"]["hub"]
    assert stats["throttled"] >= 400 and stats["flood_closed"] == 1, stats
    await other.close()


@own_engine()
async def test_a_thousand_windows(engine):
    """Who has the token is not counted: a dashboard with a thousand windows comes up."""
    engine.start()
    clients = []
    for _ in range(10):  # a handshake that takes five seconds is cut; here it is this program that says them all
        clients += await asyncio.gather(*(engine.connect() for _ in range(100)))
    equal((await receive(clients[-1]))["type"], "system")
    await asyncio.gather(*(ws.close() for ws in clients))


@own_engine()
async def test_bad_tokens(engine):
    """Twenty a minute of all peers; the right one is let in at any time."""
    engine.start()
    status, refused, began = 403, 0, time.monotonic()
    while status == 403 and refused < 100:  # each three seconds that they take one more has its turn
        status, headers, body = await engine.http("/v1/stats", token=WRONG_TOKEN)
        refused += status == 403
    assert 20 <= refused <= 21 + (time.monotonic() - began) / 3, refused
    equal((status, json.loads(body)["type"]), (429, "/problems/too-many"))
    assert int(headers["retry-after"]) >= 1, headers
    while (status := await hubtest.refused(engine.connect(token=WRONG_TOKEN))) == 403 and refused < 100:
        refused += 1
    equal(status, 429)
    equal((await engine.http("/v1/stats"))[0], 200)
    equal((await engine.http("/livez", token=""))[0], 200)
    client = await Client.open(engine)
    stats = (await client.request("stats"))["data"]["hub"]
    equal(stats["bad_tokens"], refused + 2)
    await client.close()


@own_engine()
async def test_strangers(engine):
    """Fifty a second are answered, whatever they want; who has the token is not counted."""
    engine.start()
    began = time.monotonic()
    everybody = await asyncio.gather(
        *(engine.http("/livez", token="") for _ in range(100)),
        *(engine.http("/v1/stats", host="evil.test") for _ in range(100)))
    statuses = [status for status, _, _ in everybody]
    equal({200, 403, 503} >= set(statuses), True, statuses)
    took = time.monotonic() - began
    assert 50 <= sum(s != 503 for s in statuses) <= 51 + 50 * took, (took, statuses)
    assert all(headers["retry-after"] == "1" for status, headers, _ in everybody if status == 503)
    owned = await asyncio.gather(*(engine.http("/v1/stats") for _ in range(100)))
    equal({status for status, _, _ in owned}, {200})
    hub = json.loads(owned[0][2])["hub"]
    equal(hub["strangers_refused"], statuses.count(503))


@own_engine()
async def test_silent_sockets_take_no_place(engine):
    """All places are taken by sockets that say nothing: the owner still comes in."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    engine.start()
    silent = [await asyncio.open_connection("127.0.0.1", engine.port) for _ in range(1024 + 64)]
    await asyncio.sleep(1.2)  # so long they have the right to be slow
    for _ in range(20):
        client = await Client.open(engine)
        equal((await client.request("ping"))["success"], True)
        await client.close()
    began = time.monotonic()
    for reader, writer in silent:
        try:
            equal(await asyncio.wait_for(reader.read(), hubtest.WAIT_S), b"")
        except ConnectionResetError:
            pass
        writer.close()
    assert time.monotonic() - began < 20
    status, _, body = await engine.http("/v1/stats")
    assert json.loads(body)["hub"]["silent_closed"] >= 1024, body


@own_engine()
async def test_json_depth(engine):
    engine.start()
    client = await Client.open(engine)
    for depth, is_ok in ((63, True), (64, False), (1000, False)):
        await client.ws.send('{"action":"ping","filler":' + "[" * depth + "]" * depth + "}")
        reply = await receive(client.ws)
        equal(reply["success"], is_ok, depth)
    await client.close()


@own_engine()
async def test_many_values(engine):
    """Two bytes of text are two hundred of a tree: they are counted before one is made."""
    engine.start()
    await indexed(engine)
    client = await Client.open(engine)
    path = f"/v1/workspaces/{client.hello['workspace']}/search/stream"
    before_kb = rss_kb(engine.pid)
    for address in (path, "/v1/workspaces/mine/entities?create=1", path.replace("search/stream", "reindex")):
        body = {"q": "add", "more": [{}] * 2000000}
        status, _, answer = await engine.http(address, "POST", body=body)
        equal((status, json.loads(answer)["type"]), (413, "/problems/too-large"), address)
    grown_kb = rss_kb(engine.pid) - before_kb
    assert has_sanitizer(engine.program) or grown_kb < 64 * 1024, grown_kb
    status, _, answer = await engine.http(path, "POST", body={"q": "add", "more": [0] * 262141})
    equal((status, json.loads(answer.splitlines()[-1])["count"]), (200, 1), "as many as may be")
    for n, expected in ((131066, None), (131067, 413)):  # with what is around them
        reply = await client.request("ping", more=[0] * n)
        equal(reply.get("problem", {}).get("status"), expected, n)
    await client.ws.send('{"request_id":{},"action":"ping","more":' + json.dumps([0] * 200000) + "}")
    reply = await receive(client.ws)
    equal((reply["request_id"], reply["problem"]["status"]), (None, 413), "no id to tell")
    await client.close()
    line = json.dumps({"op": "delete", "path": "a.c", "more": [0] * 131072}).encode() + b"\n"
    head = (f"POST /v1/workspaces/mine/entities/stream?create=1 HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
            f"Authorization: Bearer {engine.token}\r\nContent-Length: {2 * len(line)}\r\n\r\n").encode()
    lines = [json.loads(l) for l in hubtest.parse_http(await engine.raw(head + line + line))[2].splitlines()]
    equal([e["problem"]["detail"] for l in lines for e in l.get("errors", [])], ["a line has at most 131072 values"] * 2)


@own_engine()
async def test_large_json_stops_nobody(engine):
    """Megabytes of JSON in bodies, messages and lines: workers read them, and a question is answered meanwhile."""
    engine.start()
    await indexed(engine)
    watcher = await Client.open(engine)
    sender = await Client.open(engine)
    path = f"/v1/workspaces/{watcher.hello['workspace']}/search/stream"
    texts = ["ä" * 3 + f"{i:06}" for i in range(131000)]
    body = json.dumps({"q": "add", "more": texts}).encode()
    message = json.dumps({"action": "ping", "request_id": "large", "data": {"more": texts[:35000]}})
    line = json.dumps({"op": "delete", "path": "a.c", "more": texts[:35000]}).encode() + b"\n"
    few = json.dumps({"op": "delete", "path": "b.c"}).encode() + b"\n"
    assert len(body) > 3 << 20 and 900 << 10 < len(message) < 1 << 20, (len(body), len(message))

    def post(to, data):
        connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=hubtest.WAIT_S)
        connection.request("POST", to, data, {"Authorization": "Bearer " + engine.token})
        answer = connection.getresponse()
        return answer.status, [json.loads(l) for l in answer.read().splitlines()]

    async def send_messages():
        """Large and small ones in turns: what is behind a large one waits for it, also when it comes with it."""
        for i in range(4):
            for request in (message, json.dumps({"action": "ping", "request_id": i})):
                await sender.ws.send(request)
        return [(await receive(sender.ws))["request_id"] for _ in range(8)]

    posts = asyncio.gather(*(asyncio.to_thread(post, path, body) for _ in range(3)),
                           asyncio.to_thread(post, "/v1/workspaces/mine/entities/stream?create=1", (few + line) * 3 + line[:-1]),
                           asyncio.to_thread(post, "/v1/workspaces/more/entities/batch-async?create=1", json.dumps(
                               {"entities": [{"title": t, "text": t} for t in texts[:60000]]}).encode()),
                           send_messages())
    before = used_ns(engine.pid)
    slowest = await slowest_ping(watcher, posts)
    *found, streamed, submitted, order = await posts
    loop, everybody = (now - then for now, then in zip(used_ns(engine.pid), before))
    print(f"# slowest ping beside large JSON: {slowest * 1000:.0f} ms; "
          f"{loop / 1e6:.0f} of {everybody / 1e6:.0f} ms of the processor were the loop's", flush=True)
    assert loop < 0.5 * everybody, (loop, everybody)
    equal([(status, lines[-1]["count"]) for status, lines in found], [(200, 1)] * 3)
    equal((streamed[0], streamed[1][-1]["lines"], streamed[1][-1]["stored"], streamed[1][-1]["complete"]), (200, 7, 7, True))
    equal((submitted[0], submitted[1][0]["status"]), (202, "submitted"))
    equal(order, ["large", 0, "large", 1, "large", 2, "large", 3])
    await sender.close()
    await watcher.close()


@own_engine(GLOSS_LOG_LEVEL="debug", GLOSS_LOG_FORMAT="json")
async def test_log_has_no_secret(engine):
    """Every line is JSON, those of a request bear its connection and its id, and none of them the token."""
    engine.start()
    await indexed(engine)
    client = await Client.open(engine)
    await client.request("search", {"q": "add"})
    await client.subscribe(since={"seq": 0})
    connection = client.hello["connection_id"]
    bearer = "bearer." + engine.token
    for subprotocols in (("gloss.v1", bearer), ("gloss.v1", bearer, "x" * 60), (bearer,), (bearer, bearer, bearer)):
        await hubtest.refused(engine.connect(token="", subprotocols=subprotocols))
    for request in (f"GET /v1/stats?token={engine.token} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                    f"GET /{engine.token} HTTP/1.1\r\nHost: evil.test\r\nCookie: {engine.token}\r\n\r\n",
                    f"GET / HTTP/1.1\r\nHost: {engine.token}\r\nAuthorization: Bearer {engine.token}\r\n\r\n",
                    f"{engine.token} / HTTP/1.1\r\n\r\n", f"GET /livez HTTP/1.1\r\n{engine.token}\r\n\r\n",
                    f"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: {engine.token}\r\n\r\n",
                    f"POST /v1/stats HTTP/1.1\r\nContent-Length: {engine.token}\r\n\r\n{engine.token}",
                    f"GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {engine.token}\r\n"
                    f"Cookie: {'x' * 20000}{engine.token}\r\n\r\n"):
        await engine.raw(request.encode())
    await engine.http("/v1/stats")
    await client.ws.send(json.dumps({"action": engine.token, "request_id": 1}))
    await client.close()
    engine.stop()
    with open(os.path.join(engine.home, "log"), encoding="utf-8") as f:
        text = f.read()
    lines = [json.loads(line) for line in text.splitlines()]
    of_search = [l for l in lines if l.get("connection") == connection and l.get("request") == "r1"]
    equal([l["message"].split()[0] for l in of_search], ["search", "the"])
    assert re.search(r"within|took [0-9]+ ms", of_search[1]["message"]), of_search
    assert engine.token not in text, [l for l in lines if engine.token in json.dumps(l)]


if __name__ == "__main__":
    main(tests, setup=False)
