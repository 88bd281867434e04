"""Who may come in: the address, Host, Origin, token, method, upgrade, subprotocol."""
import asyncio
import itertools
import os
import shutil
import subprocess

import hubtest
from hubtest import WRONG_TOKEN, Client, Engine, Skip, equal, has_sanitizer, main, parse_http, refused


async def test_listens_on_loopback_only(engine):
    found = []
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{engine.pid}/net/{name}", encoding="ascii") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        found += [(name, row[1].split(":")[0]) for row in rows
                  if row[3] == "0A" and int(row[1].split(":")[1], 16) == engine.port]
    equal(found, [("tcp", "0100007F")])


async def test_engine_file_is_private(engine):
    path = os.path.join(engine.env["XDG_RUNTIME_DIR"], "gloss", "engine.json")
    equal(os.stat(path).st_mode & 0o777, 0o600)
    equal(os.stat(os.path.join(os.path.dirname(path), "engine.sock")).st_mode & 0o777, 0o600)
    equal(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
    equal(len(engine.token), 64)


async def test_token(engine):
    for path in ("/v1/stats", "/v1/workspaces", "/nothing"):
        for token in ("", WRONG_TOKEN, engine.token[:-1], engine.token + "0", engine.token.upper()):
            status, headers, body = await engine.http(path, token=token)
            if token == engine.token:
                continue  # a token without letters
            equal(status, 403, path)
            equal(headers["content-type"], "application/problem+json")
            assert engine.token.encode() not in body
    equal((await engine.http("/v1/stats"))[0], 200)
    equal(await refused(engine.connect(token="")), 403)
    equal(await refused(engine.connect(token=WRONG_TOKEN)), 403)
    equal(await refused(engine.connect()), 101)


async def test_token_as_subprotocol(engine):
    ws = await engine.connect(token="", subprotocols=("gloss.v1", "bearer." + engine.token))
    equal(ws.subprotocol, "gloss.v1")
    await ws.close()
    equal(await refused(engine.connect(token="", subprotocols=("gloss.v1", "bearer." + WRONG_TOKEN))), 403)
    equal(await refused(engine.connect(token=WRONG_TOKEN,
                                       subprotocols=("gloss.v1", "bearer." + engine.token))), 403)


async def test_token_is_not_taken_from_the_address(engine):
    equal((await engine.http("/v1/stats?token=" + engine.token, token=""))[0], 403)


def upgrade(engine, host=None, origin=None, token=None, more=(), path="/v1/ws",
            subprotocol="gloss.v1", kind="websocket"):
    lines = [f"GET {path} HTTP/1.1"]
    for value in (host if isinstance(host, list) else [host or f"127.0.0.1:{engine.port}"]):
        lines.append(f"Host: {value}")
    if origin is not None:
        lines.append(f"Origin: {origin}")
    lines += [f"Authorization: Bearer {engine.token if token is None else token}", "Connection: Upgrade",
              f"Upgrade: {kind}", "Sec-WebSocket-Version: 13",
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    if subprotocol:
        lines.append("Sec-WebSocket-Protocol: " + subprotocol)
    return "\r\n".join(lines + list(more)).encode() + b"\r\n\r\n"


async def status_of_upgrade(engine, **options):
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    try:
        writer.write(upgrade(engine, **options))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), hubtest.WAIT_S)
        return parse_http(head)[0]
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return 0
    finally:
        writer.close()


async def test_every_host_with_every_origin(engine):
    port = engine.port
    hosts = {f"127.0.0.1:{port}": True, "127.0.0.1": True, f"localhost:{port}": True, "LOCALHOST": True,
             "[::1]:80": True, "127.0.0.1:1": True, "evil.test": False, f"evil.test:{port}": False,
             "127.0.0.1.evil.test": False, "localhost.": False, "": False, "0.0.0.0": False}
    origins = {None: True, f"http://127.0.0.1:{port}": True, f"http://localhost:{port}": True,
               "null": False, f"http://127.0.0.1:{port + 1}": False, "http://evil.test": False,
               f"http://127.0.0.1.evil.test:{port}": False, f"https://127.0.0.1:{port}": False,
               f"http://127.0.0.1:{port}/": False, f"http://192.168.0.7:{port}": False}
    for (host, host_is_ok), (origin, origin_is_ok) in itertools.product(hosts.items(), origins.items()):
        for token, token_is_ok in ((engine.token, True), (WRONG_TOKEN, False)):
            is_ok = host_is_ok and origin_is_ok and token_is_ok
            what = f"Host {host!r}, Origin {origin!r}, right token {token_is_ok}"
            equal(await status_of_upgrade(engine, host=[host], origin=origin, token=token),
                  101 if is_ok else 403, what)
            headers = {} if origin is None else {"Origin": origin}
            lines = [f"Host: {host}"] + [f"{k}: {v}" for k, v in headers.items()]
            request = f"GET /v1/stats HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
            answer = await engine.raw((request + "\r\n".join(lines) + "\r\n\r\n").encode())
            equal(parse_http(answer)[0], 200 if is_ok else 403, what)


async def test_host_missing_or_twice(engine):
    equal(await status_of_upgrade(engine, host=[]), 403)
    ours = f"127.0.0.1:{engine.port}"
    equal(await status_of_upgrade(engine, host=[ours, ours]), 403)
    equal(await status_of_upgrade(engine, host=[ours, "evil.test"]), 403)
    # also where no token is asked for
    for path in ("/", "/livez", "/readyz"):
        equal(parse_http(await engine.raw(f"GET {path} HTTP/1.1\r\n\r\n".encode()))[0], 403)
        equal((await engine.http(path, host="evil.test"))[0], 403)
        equal((await engine.http(path, headers={"Origin": "http://evil.test"}))[0], 403)


async def test_refusal_says_which_header(engine):
    for headers, word in (({"Origin": "http://evil.test"}, b"Origin"), ({}, b"Host")):
        _, _, body = await engine.http("/v1/stats", headers=headers,
                                       host=None if headers else "evil.test")
        assert word in body, body


async def test_no_subprotocol(engine):
    for subprotocol in (None, "other", "gloss.v2", "gloss.v1.json", "gloss.v1.ndjson2", "plain", "http"):
        equal(await status_of_upgrade(engine, subprotocol=subprotocol), 400, subprotocol)
    for subprotocol in ("other, gloss.v1", "gloss.v1.ndjson", "gloss.v1.ndjson, gloss.v1"):
        equal(await status_of_upgrade(engine, subprotocol=subprotocol), 101, subprotocol)
    equal(await status_of_upgrade(engine, subprotocol="gloss.v1, " + "x" * 200), 400)


async def test_unknown_websocket_addresses(engine):
    for path in ("/v1/nothing", "/", "/livez", "/v1/workspaces/none/ws", "/v1/workspaces/ws"):
        equal(await status_of_upgrade(engine, path=path), 404, path)


async def test_other_upgrades_are_refused(engine):
    for kind in ("h2c", "H2C", "websocketx", "nothing11", "h2c, websocket"):
        assert await status_of_upgrade(
            engine, kind=kind, more=["HTTP2-Settings: AAMAAABkAAQAAP__"]) in (0, 400, 403), kind
    equal((await engine.http("/livez"))[0], 200)


async def test_connect_is_refused(engine):
    for target in ("127.0.0.1:80", "/v1/ws"):
        answer = await engine.raw(f"CONNECT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nhello".encode())
        assert not answer.startswith(b"HTTP/1.1 2"), answer
        assert b"hello" not in answer
    equal((await engine.http("/livez"))[0], 200)


async def test_bodies_and_smuggling(engine):
    two = b"GET /v1/workspaces HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    both = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    for headers, is_sound in (({"Content-Length": "5"}, True), ({"Content-Length": "-1"}, False),
                              ({"Content-Length": "0x5"}, False), ({"Transfer-Encoding": "chunked"}, True),
                              (both, False)):
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            request = f"{method} /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n" \
                      f"Authorization: Bearer {engine.token}\r\n{lines}\r\n".encode()
            answer = await engine.raw(request + b"hello" + two)
            # exactly one answer, and the connection ends
            assert answer.count(b"HTTP/1.1 ") <= 1, answer
            if answer:
                equal(parse_http(answer)[0], 405 if is_sound and method != "GET" else 400, f"{method} {headers}")
    equal((await engine.http("/livez"))[0], 200)


async def test_one_request_per_connection(engine):
    request = f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n\r\n".encode()
    equal((await engine.raw(request * 3)).count(b"HTTP/1.1 "), 1)


async def test_routes_and_methods(engine):
    for path, status in (("/", 200), ("/livez", 200), ("/health", 200), ("/api/health", 200)):
        equal((await engine.http(path, token=""))[0], status, path)
    await hubtest.indexed(engine)
    equal((await engine.http("/readyz", token=""))[0], 200)
    for path, status in (("/v1/stats", 200), ("/v1/workspaces", 200), ("/v1/websockets/stats", 200),
                         ("/v1/ws", 400), ("/v1", 404), ("/v1/stats/x", 404), ("/..%2f..", 200),
                         ("/%00x", 400), ("/livez%00x", 0)):
        equal((await engine.http(path))[0], status, path)
    status, headers, body = await engine.http("/livez", method="POST")
    equal((status, headers["allow"]), (405, "GET, HEAD"))
    status, headers, body = await engine.http("/livez", method="HEAD")
    equal((status, headers["content-length"], body), (200, "15", b""))


async def test_page_holds_no_data(engine):
    status, headers, body = await engine.http("/", token="")
    equal(status, 200)
    assert headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert engine.token.encode() not in body and engine.root.encode() not in body


async def test_header_block(engine):
    # every cookie of localhost comes along; what is above the limit ends the connection, only that one
    equal((await engine.http("/livez", headers={"Cookie": "x" * 12000}))[0], 200)
    await engine.http("/livez", headers={"Cookie": "x" * 40000})
    equal((await engine.http("/livez"))[0], 200)


async def test_second_request_with_unknown_upgrade(program_engine):
    """libwebsockets 4.1 reads freed memory there; with valgrind any touch of it is an error."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise Skip("valgrind is not installed")
    if has_sanitizer(program_engine.program):
        raise Skip("a sanitizer and valgrind exclude each other")
    log = os.path.join(program_engine.home, "valgrind")
    engine = Engine(program_engine.program,
                    wrap=[valgrind, "--quiet", "--error-exitcode=99", f"--log-file={log}.%p"])
    try:
        engine.start()
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
            first = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n"
            for kind in (b"foo", b"websocket", b"nothing11"):
                writer.write(first + b"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             b"Connection: upgrade\r\nUpgrade: " + kind + b"\r\n\r\n")
            try:
                await asyncio.wait_for(reader.read(), hubtest.WAIT_S)
            except ConnectionError:  # reset, or a write into what was closed
                pass
            writer.close()
            assert await status_of_upgrade(engine, kind="foo") in (0, 403)
        client = await Client.open(engine)
        await client.close()
    finally:
        engine.finish()
    for name in os.listdir(program_engine.home):
        if name.startswith("valgrind."):
            with open(os.path.join(program_engine.home, name), encoding="utf-8") as f:
                equal(f.read(), "", "valgrind")


async def test_port_in_use(engine):
    other = Engine(engine.program)
    try:
        done = subprocess.run(
            [engine.program, "serve", "--idle-exit", "1", "--port", str(engine.port), other.root],
            env=other.env, capture_output=True, timeout=hubtest.WAIT_S, check=False)
        equal(done.returncode, 1)
        assert b"is taken" in done.stderr, done.stderr
    finally:
        other.finish()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
