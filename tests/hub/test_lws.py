"""What libwebsockets does by itself, and must not do here: a test for each rule that the code keeps because of it.

Those that are elsewhere: the address (test_gate: loopback only), a second request with an unknown upgrade, CONNECT,
bodies and smuggling, the header block, the port that is taken (test_gate); a client that hangs up while nothing is
written (test_sse); RFC 6455 (test_conformance); what is closed twice at the end (test_teardown)."""
import asyncio
import json
import resource
import shutil
import socket
import subprocess
import time

import hubtest
from hubtest import Client, Engine, Skip, completed, equal, indexed, main, parse_http, receive, until_stats
from test_gate import status_of_upgrade

PLUGIN = "libwebsockets-evlib_uv.so"


def small_socket(engine):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", engine.port))
    return s


async def test_one_address_only(engine):
    """It would listen on every address of the machine, unless IPv6 is off."""
    for family, address in ((socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1"),
                            (socket.AF_INET, socket.gethostbyname(socket.gethostname()))):
        if address == "127.0.0.1":
            continue
        with socket.socket(family) as s:
            try:
                s.connect((address, engine.port))
            except OSError:
                continue
        raise AssertionError(f"it answers at {address}")


async def test_length_of_the_subprotocols(engine):
    """It drops what is longer than its buffer without a word."""
    for n, status in ((126, 101), (127, 400), (500, 400)):
        offer = "gloss.v1, "
        while len(offer) < n:
            offer += "x" * min(50, n - len(offer)) + ", "
        equal(await status_of_upgrade(engine, subprotocol=offer[:n].rstrip(", ").ljust(n, "y")), status, n)


async def test_fan_out_goes_on_while_commits_come(engine):
    """Asking again for a socket that waits already takes back what epoll said of others: nothing would be delivered."""
    await indexed(engine)
    clients = await asyncio.gather(*(Client.open(engine) for _ in range(60)))
    await asyncio.gather(*(c.subscribe(events=["file:completed"]) for c in clients))

    async def write():
        for i in range(60):
            engine.write(f"w{i}.c", f"int w{i};\n")
            await asyncio.sleep(0.002)  # spread, not waited for
        engine.write("end.c", "int end;\n")

    async def follow(client):
        seen = set()
        while len(seen) < 61:
            event = await client.next_event()
            if event.get("event_type") == "file:completed":
                seen.add(event["subject"])

    await asyncio.gather(write(), *(follow(c) for c in clients))
    await asyncio.gather(*(c.close() for c in clients))


async def test_large_frames_to_a_small_window(engine):
    """It cuts what it cannot send and keeps the rest: nothing may be written before that is gone."""
    text = "".join(f"/** {'so that it is long; ' * 30} */\nint big_{i}(int a)\n{{\n    return a;\n}}\n\n" for i in range(900))
    fast = await Client.open(engine)
    await fast.subscribe(events=["file:completed"])
    engine.write("big.c", text)
    await fast.until(completed("big.c"))
    wanted = None
    for options in ({}, {"sock": small_socket(engine)}):
        for subprotocols in (("gloss.v1",), ("gloss.v1.ndjson",)):
            if "sock" in options and wanted:
                options["sock"] = small_socket(engine)
            async with engine.connect(subprotocols=subprotocols, **options) as ws:
                await receive(ws)
                await ws.send(json.dumps({"action": "subscribe", "data": {"since": {"seq": 0}, "events": ["entity.added"]}}))
                got = []
                while len(got) < 900:
                    for line in (await asyncio.wait_for(ws.recv(), hubtest.WAIT_S)).split("\n"):
                        message = json.loads(line)
                        if message.get("subject") == "big.c":
                            got.append((message["seq"], message["i"], message["data"]["name"]))
                wanted = wanted or got
                equal(got, wanted)
    await fast.close()


async def test_timers_of_an_idle_engine(engine):
    """Its own timers are only looked at when something else happens: a socket that says nothing is closed by ours."""
    for said in (b"", b"G", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(said)
        try:
            await asyncio.wait_for(reader.read(), hubtest.WAIT_S)
        except ConnectionResetError:
            pass
        took = time.monotonic() - began
        assert 4 < took < 20, f"{said!r}: {took:.1f} s"
        writer.close()


async def test_trickling_headers(engine):
    """A header a second is no reason to wait longer."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    ended = asyncio.ensure_future(reader.read())
    writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    while not ended.done() and time.monotonic() - began < hubtest.WAIT_S:
        writer.write(b"X: y\r\n")
        await asyncio.wait([ended], timeout=0.5)
    took = time.monotonic() - began
    assert ended.done() and took < 20, took
    ended.exception()
    writer.close()


async def limited(engine, n):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < n:
        raise Skip("so many descriptors are not allowed here")
    other = Engine(engine.program, wrap=["sh", "-c", f'ulimit -n {n} && exec "$0" "$@"'])
    other.start()
    return other


async def test_tables_do_not_follow_the_limit_of_descriptors(engine):
    """They would take a hundred bytes and more for each of a million."""
    other = await limited(engine, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        with open(f"/proc/{other.pid}/limits", encoding="ascii") as f:
            line = next(l for l in f if l.startswith("Max open files"))
        equal(line.split()[3], "4096")
        equal((await other.http("/livez"))[0], 200)
    finally:
        other.finish()


async def test_few_descriptors(engine):
    """A descriptor above its table breaks its service: there are fewer connections then, and the rest are told."""
    other = await limited(engine, 256)
    try:
        await indexed(other)
        sockets = [await other.connect() for _ in range(128)]
        equal(await hubtest.refused(other.connect()), 503)
        await receive(sockets[0])
        await sockets[0].send('{"action":"ping"}')
        equal((await receive(sockets[0]))["success"], True)
        await asyncio.gather(*(s.close() for s in sockets))
    finally:
        other.finish()


async def test_few_descriptors_for_streams(engine):
    """A stream takes two, its socket and what tells that it hangs up; the index needs some, too."""
    other = await limited(engine, 256)
    writers = []
    try:
        workspace = (await indexed(other))["id"]
        socket_ = await Client.open(other)

        async def status_of_stream():
            reader, writer = await asyncio.open_connection("127.0.0.1", other.port)
            writers.append(writer)
            writer.write(f"GET /v1/events/stream?workspace={workspace} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         f"Authorization: Bearer {other.token}\r\n\r\n".encode())
            try:
                line = await asyncio.wait_for(reader.readline(), hubtest.WAIT_S)
            except ConnectionResetError:
                line = b""
            return int(line.split()[1]) if line else 0

        got = [await status_of_stream() for _ in range(150)]
        n = got.index(503)
        assert n >= 64 and got == [200] * n + [503] * (150 - n), got
        mute = [await asyncio.open_connection("127.0.0.1", other.port) for _ in range(150)]
        await socket_.subscribe(events=["file:*"])
        other.write("b.c", "int more(void)\n{\n    return 0;\n}\n")
        await socket_.until(completed("b.c"))
        equal((await socket_.request("search", {"q": "more"}))["data"]["count"], 1, "the index is read")
        for _, writer in mute:
            writer.close()
        while writers:
            writers.pop().close()
        await until_stats(socket_, lambda s: s["followers"] == 0)
        equal(await status_of_stream(), 200, "there is room again")
        await socket_.close()
        for word in ("nobody watches", "open files"):
            assert word not in other.said(), other.said()
    finally:
        for writer in writers:
            writer.close()
        other.finish()


async def test_its_libuv_part_is_missing(engine):
    """Then there is no context, and the user is told which package it is."""
    found = subprocess.run(["sh", "-c", f"ls /usr/lib/*/{PLUGIN} /usr/lib/{PLUGIN} 2>/dev/null"], capture_output=True, text=True,
                           check=False).stdout.split()
    if not found or not shutil.which("unshare"):
        raise Skip("its libuv part is no plugin here")
    other = Engine(engine.program)
    try:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", 'mount --bind /dev/null "$0" && echo mounted && exec "$@"', found[0],
             other.program, "serve", "--idle-exit", "1", other.root],
            env=other.env, capture_output=True, text=True, timeout=hubtest.WAIT_S, check=False)
        if "mounted" not in done.stdout:
            raise Skip("only root may hide a file")
        equal(done.returncode, 1)
        assert "libwebsockets-evlib-uv" in done.stderr, done.stderr
    finally:
        other.finish()


async def test_no_compression_and_no_http2(engine):
    more = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    lines = ["GET /v1/ws HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {engine.token}", "Connection: Upgrade",
             "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
             "Sec-WebSocket-Protocol: gloss.v1", *more]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), hubtest.WAIT_S)
    status, headers, _ = parse_http(head)
    equal((status, headers.get("sec-websocket-extensions")), (101, None))
    writer.close()
    answer = await engine.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
    assert b"HTTP/1.1 2" not in answer and not answer.startswith(b"\0"), answer
    equal((await engine.http("/livez"))[0], 200)


async def test_odd_addresses(engine):
    """A NUL, an escape that is none, a path that goes up, one without end: an answer or an end, and the engine goes on.
    It ends most connections with a NUL by itself, but takes one behind a slash for the end of the path."""
    wrong = []
    for path, expected in (("/%00", {400}), ("/%00x", {400}), ("/livez%00", {0, 400}), ("/livez%00x", {0, 400}), ("/%", {400, 403, 404}),
                           ("/%z", {400, 403, 404}), ("/%zz", {400, 403, 404}), ("/%0", {400, 403, 404}), ("//", {200, 404}),
                           ("///livez", {200, 404}), ("/v1//stats", {200, 404}), ("/./livez", {200, 404}),
                           ("/../../etc/passwd", {404, 403}), ("/%2e%2e/%2e%2e/etc/passwd", {404, 403}), ("/\\livez", {404}),
                           ("/%ff%fe", {404}), ("/livez?", {200}), ("/livez?%00", {0, 200, 400}), ("/livez?%", {200, 400, 403}),
                           ("/livez#x", {404, 200}), ("/" + "x" * 4000, {404}), ("/" + "x" * 8192, {400, 404, 414, 0}),
                           ("/" + "x" * 15000, {400, 414, 0}), ("/" + "x" * 40000, {400, 414, 0}),
                           ("/livez?" + "x" * 8000, {200, 400, 414}), ("livez", {0, 400, 403, 404}), ("*", {0, 400, 403, 404}),
                           ("http://127.0.0.1/livez", {0, 200, 400, 403, 404}), ("/" + "%41" * 3000, {400, 404}),
                           ("/" + "/".join("a" for _ in range(4000)), {404, 400})):
        answer = await engine.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                  f"Authorization: Bearer {engine.token}\r\n\r\n".encode("latin-1"))
        status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else 0  # it answers some of them by itself
        if status not in expected:
            wrong.append(f"{path[:60]!r} ({len(path)} bytes): {status}, {answer[:60]!r}")
        assert answer.count(b"HTTP/1.") <= 1, (path[:60], answer)
        equal((await engine.http("/livez"))[0], 200, path[:60])
    equal(wrong, [])
    for path in ("/%00", "/v1/ws%00", "/v1/ws%00x", "/v1/%zz", "/v1/workspaces/%00/ws"):
        status = await status_of_upgrade(engine, path=path)
        assert status in (0, 400, 404), (path, status)


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
