"""Many clients, and some that do not read."""
import asyncio
import json
import os
import socket
import time

import hubtest
from hubtest import Client, Engine, completed, equal, has_sanitizer, indexed, main, rss_kb


def descriptors(engine):
    """Those of clients, whatever they are; how many readers have the index open depends on who asked at once."""
    folder, home = f"/proc/{engine.pid}/fd", os.path.realpath(engine.home)
    found = []
    for fd in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, fd)))
        except FileNotFoundError:
            pass  # closed meanwhile
    return len([f for f in found if not f.startswith(home)])


async def wait_until(what, holds):
    deadline = time.monotonic() + hubtest.WAIT_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError("never: " + what)
        await asyncio.sleep(0.02)  # another process's state has no event to wait for


async def test_two_hundred_connections(engine):
    await indexed(engine)
    before_fds = descriptors(engine)
    clients = await asyncio.gather(*(Client.open(engine) for _ in range(200)))
    await asyncio.gather(*(c.subscribe() for c in clients))
    for i in range(10):
        engine.write("a.c", hubtest.TWO_FUNCTIONS.replace("a + b", f"a + b + {i}"))
        lists = await asyncio.gather(*(c.until(completed("a.c")) for c in clients))
        first = hubtest.places(lists[0])
        equal(len(first), 2)
        for events in lists:
            equal(hubtest.places(events), first)
    stats = (await clients[0].request("stats"))["data"]["hub"]
    equal((stats["clients"], stats["subscriptions"]), (200, 200))
    await asyncio.gather(*(c.close() for c in clients))
    await wait_until("descriptors are given back", lambda: descriptors(engine) <= before_fds)


async def test_churn_leaves_nothing(engine):
    await indexed(engine)

    async def round_of(n):
        clients = await asyncio.gather(*(Client.open(engine) for _ in range(n)))
        await asyncio.gather(*(c.subscribe(since={"seq": 0}) for c in clients))
        for i, c in enumerate(clients):
            if i % 2:
                c.ws.transport.abort()
        await asyncio.gather(*(c.close() for i, c in enumerate(clients) if not i % 2))

    for _ in range(3):
        await round_of(50)
    before_fds = descriptors(engine)
    before_kb = rss_kb(engine.pid)
    for _ in range(12):
        await round_of(50)
    await wait_until("descriptors are given back", lambda: descriptors(engine) <= before_fds)
    grown = rss_kb(engine.pid) - before_kb
    assert grown < 4096 or has_sanitizer(engine.program), f"{grown} KiB more behind 600 connections"


def many_functions(n, salt):
    return "".join(f"/** Says {i} in many words, {'so that this is long enough; ' * 20} */\n"
                   f"int f{i}(int a)\n{{\n    return a + {i} + {salt};\n}}\n\n" for i in range(n))


async def test_slow_reader_disturbs_nobody(engine):
    """One client subscribes to everything and never reads: it is closed, the others do not notice."""
    await indexed(engine)
    stuck = await stuck_client(engine)
    good = await Client.open(engine)
    await good.subscribe(events=["file:completed"])
    began = time.monotonic()
    slowest = 0
    closed = 0
    number = 0
    while not closed and time.monotonic() - began < hubtest.WAIT_S:
        number += 1
        sent = time.monotonic()
        engine.write("big.c", many_functions(500, number))
        await good.until(completed("big.c"))
        slowest = max(slowest, time.monotonic() - sent)
        reply_sent = time.monotonic()
        stats = (await good.request("stats"))["data"]["hub"]
        assert time.monotonic() - reply_sent < 8
        closed = stats["slow_closed"]
    took = time.monotonic() - began
    equal(closed, 1)
    assert took >= 9, f"closed after {took:.1f} s already"
    assert slowest < 8, f"a change took {slowest:.1f} s to arrive"
    # It is told, when it reads again: what was on its way, then the reason.
    equal(await close_code_of(stuck), 4008)
    await good.close()


async def stuck_client(engine):
    """A subscribed socket with small buffers; nobody reads from it."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", engine.port))
    client = await Client.open(engine, sock=s)
    await client.subscribe(since={"seq": 0})
    client.ws.transport.pause_reading()
    return client


async def close_code_of(client):
    client.ws.transport.resume_reading()
    return await hubtest.closed_with(client.ws)


async def read_places(client, until_seq, rest_s=0):
    """Durable events up to the end of a row, as text."""
    texts = []
    while True:
        for line in (await asyncio.wait_for(client.ws.recv(), hubtest.WAIT_S)).split("\n"):
            event = json.loads(line)
            if event["type"] == "event" and event.get("seq"):
                texts.append(line)
                if event["seq"] >= until_seq and event.get("last"):
                    return texts
        await asyncio.sleep(rest_s)


async def test_many_in_one_place(engine):
    """What is made once for many is for each of them what it would be alone: frames or lines, filtered or not, from the
    start or behind it, read at once or slowly, while more comes."""
    before_fds = descriptors(engine)
    alone = await Client.open(engine)
    reply = await alone.subscribe()
    begin = {"epoch": reply["epoch"], "seq": reply["head"]}
    writer = await Client.open(engine)
    await writer.subscribe(events=["file:completed"])

    async def write(salts):
        for salt in salts:
            engine.write("many.c", many_functions(150, salt))
            seq = (await writer.until(completed("many.c")))[-1]["seq"]
        return seq

    middle = await write(range(4))
    only = {"filter": {"key": "name", "cmp": "ew", "val": "7"}}
    kinds = [({}, begin, ("gloss.v1",), 0), ({}, begin, ("gloss.v1.ndjson",), 0), (only, begin, ("gloss.v1",), 0),
             (only, begin, ("gloss.v1.ndjson",), 0), ({"events": ["entity.*"]}, begin, ("gloss.v1",), 0),
             ({}, {**begin, "seq": middle - 1}, ("gloss.v1",), 0), ({}, begin, ("gloss.v1",), 0.001)]
    clients = [(await Client.open(engine, subprotocols=kind[2]), kind) for kind in kinds * 6]
    for client, (data, since, names, _) in clients:
        await client.ws.send(json.dumps({"action": "subscribe", "data": {**data, "since": since}}))
    reading = [asyncio.ensure_future(read_places(client, middle + 4, kind[3])) for client, kind in clients
               if kind[0] == {}]
    last = await write(range(4, 8))
    equal(last, middle + 4)
    told = [json.dumps(e, separators=(",", ":"), ensure_ascii=False) for e in await alone.until_seq(last) if e.get("seq")]
    for n, (texts, kind) in enumerate(zip(await asyncio.gather(*reading), [k for _, k in clients if k[0] == {}])):
        wanted = [t for t in told if json.loads(t)["seq"] > kind[1]["seq"]]
        equal(len(texts), len(wanted), f"reader {n}")
        for text, event in zip(texts, wanted):
            equal(json.loads(text), json.loads(event), f"reader {n}")
    for client, kind in clients:
        if kind[0] == {}:
            continue
        events = [json.loads(t) for t in told]
        wanted = [(e["seq"], e["i"]) for e in events
                  if ("filter" in kind[0] and e["data"].get("name", "").endswith("7"))
                  or ("events" in kind[0] and e["event_type"].startswith("entity."))]
        seen = []
        while len(seen) < len(wanted):
            for line in (await asyncio.wait_for(client.ws.recv(), hubtest.WAIT_S)).split("\n"):
                event = json.loads(line)
                if event.get("seq"):
                    seen.append((event["seq"], event["i"]))
        equal(seen, wanted)
    await asyncio.gather(alone.close(), writer.close(), *(c.close() for c, _ in clients))
    await wait_until("descriptors are given back", lambda: descriptors(engine) <= before_fds)


async def test_replies_do_not_pile_up(engine):
    """Who asks and does not read is not read from either: the engine's memory stays."""
    writer = await Client.open(engine)
    await writer.subscribe()
    engine.write("many.c", many_functions(500, 7))
    await writer.until(completed("many.c"))
    equal((await writer.request("search", {"q": "f", "limit": 1000}))["data"]["truncated"], True)
    await writer.close()
    before_kb = rss_kb(engine.pid)
    client = await Client.open(engine)
    client.ws.transport.pause_reading()
    request = json.dumps({"action": "search", "q": "f", "limit": 1000, "filler": "x" * 8192})

    async def ask():
        for _ in range(3000):
            await client.ws.send(request)

    task = asyncio.ensure_future(ask())
    done, _ = await asyncio.wait([task], timeout=5)
    assert not done, "everything was taken"
    task.cancel()
    grown = rss_kb(engine.pid) - before_kb
    assert grown < 64 * 1024 or has_sanitizer(engine.program), f"{grown} KiB more"
    client.ws.transport.abort()
    other = await Client.open(engine)
    equal((await other.request("ping"))["success"], True)
    await other.close()


async def test_limit_of_connections(program_engine):
    """Above 1,024 WebSockets there is a 503, and those that are there stay."""
    engine = Engine(program_engine.program)
    try:
        engine.start()
        await indexed(engine)
        sockets = []
        for _ in range(16):
            sockets += await asyncio.gather(*(engine.connect() for _ in range(64)))
        equal(len(sockets), 1024)
        equal(await hubtest.refused(engine.connect()), 503)
        await hubtest.receive(sockets[0])
        await sockets[0].send('{"action":"ping"}')
        equal((await hubtest.receive(sockets[0]))["success"], True)
        await sockets[0].close()
        await sockets[1].recv()
        client = None
        deadline = time.monotonic() + hubtest.WAIT_S
        while not client and time.monotonic() < deadline:
            try:
                client = await engine.connect()
            except hubtest.websockets.InvalidStatusCode:
                await asyncio.sleep(0.02)  # the engine has not yet seen the other one go
        assert client
        await asyncio.gather(*(s.close() for s in sockets[1:]), client.close())
    finally:
        engine.finish()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
