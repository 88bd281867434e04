"""HTTP: methods, bodies and how they are framed, answers while a body still comes, lists, searches as a stream."""
import asyncio
import itertools
import json
import os
import time
import urllib.parse

from hubtest import WAIT_S, Client, Engine, equal, indexed, main, parse_http, until_stats

BIG = 3000  # functions of one file


def head_of(engine, method, path, headers=None, token=None, version="HTTP/1.1"):
    lines = [f"{method} {path} {version}", f"Host: 127.0.0.1:{engine.port}"]
    if token != "":
        lines.append("Authorization: Bearer " + (token or engine.token))
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def send(engine, method, path, body=b"", headers=None, **more):
    """Status, headers and body of one request with a Content-Length."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
    if body:
        headers = {"Content-Length": len(body), **(headers or {})}
    return parse_http(await engine.raw(head_of(engine, method, path, headers, **more) + body))


async def workspace_of(engine):
    return json.loads((await engine.http("/v1/workspaces"))[2])["workspaces"][0]["id"]


async def stream_path(engine):
    return f"/v1/workspaces/{await workspace_of(engine)}/search/stream"


def lines_of(body):
    return [json.loads(line) for line in body.decode().splitlines()]


def chunks(body, size=7, extension=b""):
    out = b""
    for at in range(0, len(body), size):
        piece = body[at:at + size]
        out += b"%x%s\r\n%s\r\n" % (len(piece), extension, piece)
    return out + b"0\r\n\r\n"


# ---- methods ----


async def test_methods(engine):
    await indexed(engine)
    workspace = f"/v1/workspaces/{await workspace_of(engine)}"
    allowed = {"/livez": "GET, HEAD", "/v1/stats": "GET, HEAD", workspace + "/search/stream": "POST",
               workspace + "/search": "GET, HEAD"}
    for path, methods in allowed.items():
        for method in ("POST", "PUT", "DELETE", "PATCH", "GET", "HEAD"):
            if method in methods:
                continue
            status, headers, body = await send(engine, method, path)
            equal((status, headers["allow"]), (405, methods), f"{method} {path}")
            if method != "HEAD":
                equal(json.loads(body)["type"], "/problems/method-not-allowed")
        status, headers, body = await send(engine, "OPTIONS", path, token="")
        equal((status, headers["allow"], body), (204, methods, b""), path)
        assert "access-control-allow-origin" not in headers
    equal((await send(engine, "OPTIONS", "/nothing", token=""))[0], 404)
    equal((await send(engine, "POST", "/nothing"))[0], 404)
    # who has no token is not told which methods there are
    equal((await send(engine, "PUT", "/v1/stats", token=""))[0], 403)
    equal((await send(engine, "PUT", "/livez", token=""))[0], 405)
    for method in ("BREW", "TRACE"):
        answer = await engine.raw(head_of(engine, method, "/livez"))
        assert not answer.startswith(b"HTTP/1.1 200"), answer


async def test_other_origins(engine):
    await indexed(engine)
    path = await stream_path(engine)
    ours = f"http://localhost:{engine.port}"
    ask = {"Origin": ours, "Access-Control-Request-Method": "POST",
           "Access-Control-Request-Headers": "authorization,content-type"}
    status, headers, _ = await send(engine, "OPTIONS", path, headers=ask, token="")
    equal(status, 204)
    equal(headers["access-control-allow-origin"], ours)
    equal(headers["access-control-allow-methods"], "POST")
    equal(headers["vary"], "Origin")
    for name in ("Authorization", "Content-Type", "Last-Event-ID"):
        assert name in headers["access-control-allow-headers"], headers
    assert "access-control-allow-private-network" not in headers
    status, headers, _ = await send(engine, "OPTIONS", path, token="", headers={
        **ask, "Access-Control-Request-Private-Network": "true"})
    equal(headers["access-control-allow-private-network"], "true")
    for target in ("/v1/stats", "/nothing", path):  # errors are for the page to read, too
        _, headers, _ = await send(engine, "GET", target, headers={"Origin": ours})
        equal((headers["access-control-allow-origin"], headers["vary"]), (ours, "Origin"))
    _, headers, _ = await send(engine, "GET", "/v1/stats")
    assert "access-control-allow-origin" not in headers
    equal(headers["vary"], "Origin")
    for origin in ("null", "http://evil.test", ours + "/", ours + ".evil.test"):
        for method in ("OPTIONS", "GET", "POST"):
            status, headers, _ = await send(engine, method, path, headers={**ask, "Origin": origin})
            equal(status, 403, f"{method} from {origin}")
            assert not [h for h in headers if h.startswith("access-control")], headers


# ---- bodies ----


async def test_framing(engine):
    await indexed(engine)
    path = await stream_path(engine)
    body = json.dumps({"q": "add"}).encode()
    n = len(body)
    json_type = "Content-Type: application/json"

    async def status_of(lines, sent, version="HTTP/1.1"):
        head = head_of(engine, "POST", path, version=version)[:-2]
        answer = await engine.raw(head + "".join(l + "\r\n" for l in (json_type, *lines)).encode("latin-1") +
                                  b"\r\n" + sent)
        equal(answer.count(b"HTTP/1.1 "), 1, f"{lines}: {answer}")
        return parse_http(answer)[0]

    good = [([f"Content-Length: {n}"], body), ([f"Content-Length: 0{n}"], body),
            ([f"content-length:{n} "], body), (["Transfer-Encoding: chunked"], chunks(body)),
            (["transfer-encoding: CHUNKED"], chunks(body, 1)),
            (["Transfer-Encoding: chunked"], chunks(body, 5, b";a=\"b c\"")),
            (["Transfer-Encoding: chunked"], chunks(body)[:-2] + b"Digest: x\r\n\r\n"),
            (["Transfer-Encoding: chunked"], chunks(body) + b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")]
    for lines, sent in good:
        equal(await status_of(lines, sent), 200, f"{lines}")
    bad = [["Content-Length: -1"], [f"Content-Length: +{n}"], ["Content-Length: 0x10"], ["Content-Length: ten"],
           [f"Content-Length: {n}, {n}"], [f"Content-Length: {n}"] * 2, [f"Content-Length: {n}", "Content-Length: 1"],
           ["Content-Length: 99999999999999999999"], ["Content-Length: 1 1"],
           [f"Content-Length: {n}", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 0"],
           ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: identity"], ["Transfer-Encoding: xchunked"],
           ["Transfer-Encoding: chunked"] * 2, ["Transfer-Encoding: \x0bchunked"]]
    for lines in bad:
        for sent in (body, chunks(body)):
            equal(await status_of(lines, sent), 400, f"{lines}")
    equal(await status_of(["Transfer-Encoding: chunked"], chunks(body), "HTTP/1.0"), 400)
    for sent in (b"\r\n", b"g\r\n", b"-1\r\nx\r\n", b"5\nhello\n0\n\n", b"3\r\nhello\r\n0\r\n\r\n",
                 b"ffffffffffffffff\r\nx", b"1;" + b"a" * 300 + b"\r\nx\r\n0\r\n\r\n"):
        equal(await status_of(["Transfer-Encoding: chunked"], sent), 400, f"{sent!r}")
    equal((await engine.http("/livez"))[0], 200)


async def test_body_in_any_pieces(engine):
    await indexed(engine)
    path = await stream_path(engine)
    body = json.dumps({"q": "add", "filler": "x" * 300}).encode()
    for headers, sent in (({"Content-Length": len(body)}, body), ({"Transfer-Encoding": "chunked"}, chunks(body))):
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        whole = head_of(engine, "POST", path, headers) + sent
        for at in range(0, len(whole), 3):
            writer.write(whole[at:at + 3])
            await writer.drain()
        status, _, answer = parse_http(await asyncio.wait_for(reader.read(), WAIT_S))
        equal(status, 200)
        equal(lines_of(answer)[-1]["type"], "done")
        writer.close()


async def test_types(engine):
    await indexed(engine)
    path = await stream_path(engine)
    body = json.dumps({"q": "add"}).encode()
    for name, status in (("application/json", 200), ("application/json; charset=UTF-8", 200),
                         ("application/x-ndjson", 200), (None, 200), ("text/plain", 415),
                         ("application/x-www-form-urlencoded", 415), ("multipart/form-data; boundary=x", 415),
                         ("application/json; charset=utf-16", 415), ("text/json", 415)):
        got, headers, answer = await send(engine, "POST", path, body, {"Content-Type": name} if name else {})
        equal(got, status, name)
        if status == 415:
            equal(json.loads(answer)["type"], "/problems/unsupported-type")
    for encoding, status in (("gzip", 415), ("identity", 200)):
        equal((await send(engine, "POST", path, body, {"Content-Encoding": encoding}))[0], status, encoding)
    for text in (b"[]", b"{", b"{} {}", b"\xff", b"nul"):
        equal((await send(engine, "POST", path, text))[0], 400, f"{text}")


async def test_too_large_is_told_and_read(engine):
    """The answer comes while the body is on its way, and whoever sends all of it first can read it, too."""
    await indexed(engine)
    path = await stream_path(engine)
    for headers, sent in (({"Content-Length": 20 << 20}, b"x" * (20 << 20)),
                          ({"Transfer-Encoding": "chunked"}, chunks(b"x" * (20 << 20), 65536))):
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(head_of(engine, "POST", path, headers))
        for at in range(0, len(sent), 1 << 16):
            writer.write(sent[at:at + (1 << 16)])
            await writer.drain()
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        equal(parse_http(answer)[0], 413)
    # refused for another reason: the same
    for headers, status in (({"Content-Type": "text/plain"}, 415), ({"Origin": "http://evil.test"}, 403)):
        body = b"x" * (8 << 20)
        equal((await send(engine, "POST", path, body, headers))[0], status)
    equal((await send(engine, "POST", "/nothing", b"x" * (8 << 20)))[0], 404)


async def test_bodies_have_a_limit_together(engine):
    await indexed(engine)
    path = await stream_path(engine)
    size = 8 << 20
    body = json.dumps({"q": "add"}).encode().ljust(size)  # the largest there may be
    writers, status = [], 200
    while status == 200:  # which of those on their way is refused is chance
        _, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(head_of(engine, "POST", path, {"Content-Length": size}) + body[:-1])
        await writer.drain()
        writers.append(writer)
        if len(writers) >= 7:  # there is room for one more
            status, headers, text = await send(engine, "POST", path, body)
        assert len(writers) < 50
    assert len(writers) >= 8
    equal((status, headers["retry-after"]), (503, "1"))
    equal(json.loads(text)["type"], "/problems/overloaded")
    for writer in writers:
        writer.close()
    while (await send(engine, "POST", path, body))[0] != 200:  # nothing tells when they are gone
        await asyncio.sleep(0.05)


async def test_chunks_without_end(engine):
    """libwebsockets reads no more than 100 MiB of them: ours end before, with a last line that says where."""
    path = "/v1/workspaces/chunks/entities/stream?create=1"
    place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 9}}
    line = json.dumps({"lang": "c", "kind": "function", "name": "one", "path": "one.c", "range": place,
                       "doc": "x" * 15000}).encode() + b"\n"
    n_lines = (80 << 20) // len(line)
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    writer.write(head_of(engine, "POST", path, {"Transfer-Encoding": "chunked"}))
    for _ in range(n_lines):  # all of it first, as most clients do
        writer.write(b"%x\r\n%s\r\n" % (len(line), line))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    status, _, body = parse_http(await asyncio.wait_for(reader.read(), WAIT_S))
    writer.close()
    equal(status, 200)
    *acks, error, done = lines_of(body)
    equal((error["type"], done["type"], done["complete"]), ("error", "done", False))
    assert "64 MiB" in error["problem"]["detail"], error
    n_taken = acks[-1]["last_line"]
    assert (63 << 20) // (len(line) + 8) <= n_taken < n_lines, (n_taken, n_lines)
    equal((done["stored"], done["failed"]), (n_taken, 0))


async def test_expect(engine):
    await indexed(engine)
    path = await stream_path(engine)
    body = json.dumps({"q": "add"}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    writer.write(head_of(engine, "POST", path, {"Content-Length": len(body), "Expect": "100-continue"}))
    equal(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S), b"HTTP/1.1 100 Continue\r\n\r\n")
    writer.write(body)
    status, _, answer = parse_http(await asyncio.wait_for(reader.read(), WAIT_S))
    writer.close()
    equal((status, lines_of(answer)[-1]["type"]), (200, "done"))
    # what will be refused is not asked for
    for headers, status in (({"Content-Length": 9 << 20}, 413), ({"Content-Length": 5, "Content-Type": "text/plain"}, 415)):
        answer = await engine.raw(head_of(engine, "POST", path, {**headers, "Expect": "100-continue"}))
        equal(parse_http(answer)[0], status)
    answer = await engine.raw(head_of(engine, "POST", path, {"Content-Length": 5, "Expect": "100-continue"}, token="0"))
    equal(parse_http(answer)[0], 403)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_slow_bodies(engine):
    """libwebsockets would end a body that pauses for 5 s; ours may pause for 10. Who never sends a head is cut
    off, too. Nothing goes round and round meanwhile."""
    await indexed(engine)
    path = await stream_path(engine)
    body = json.dumps({"q": "add"}).encode()

    async def pauses():
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(head_of(engine, "POST", path, {"Content-Length": len(body)}) + body[:3])
        await asyncio.sleep(7)  # is what is tested
        writer.write(body[3:])
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        equal(parse_http(answer)[0], 200)

    async def never_comes():
        answer = await engine.raw(head_of(engine, "POST", path, {"Content-Length": len(body)}) + body[:3])
        status, _, text = parse_http(answer)
        equal((status, json.loads(text)["type"]), (408, "/problems/timeout"))

    async def is_cut_off(sent):
        begun = time.monotonic()
        equal(await engine.raw(sent), b"")
        assert time.monotonic() - begun < 20

    before = cpu_seconds(engine.pid)
    await asyncio.gather(*[pauses() for _ in range(5)], *[never_comes() for _ in range(5)],
                         is_cut_off(b""), is_cut_off(b"GET /livez HTTP/1.1\r\nHost: 127"))
    assert cpu_seconds(engine.pid) - before < 4, "it takes a processor to wait"


async def test_one_answer_whatever_follows(engine):
    await indexed(engine)
    path = await stream_path(engine)
    body = json.dumps({"q": "add"}).encode()
    one = head_of(engine, "POST", path, {"Content-Length": len(body)}) + body
    for more in (one, b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"\r\n", b"x" * 100000):
        answer = await engine.raw(one + more)
        assert answer.count(b"HTTP/1.1 ") <= 1, answer
    # as some old ones do
    wrong = head_of(engine, "POST", "/nothing", {"Content-Length": len(body)}) + body
    for more in (b"\r\n", one):
        equal(parse_http(await engine.raw(wrong + more))[0], 404)
    # a body that nobody told of
    answer = await engine.raw(head_of(engine, "POST", path + "?q=add") + b"x" * 100000)
    equal((answer.count(b"HTTP/1.1 "), parse_http(answer)[0]), (1, 200))


async def test_whoever_leaves_is_let_go(engine):
    await indexed(engine)
    path = await stream_path(engine)
    half = [head_of(engine, "POST", path, {"Content-Length": 100}) + b"{",
            head_of(engine, "POST", path, {"Transfer-Encoding": "chunked"}) + b"5\r\nhel",
            head_of(engine, "POST", "/nothing", {"Content-Length": 100}),
            head_of(engine, "POST", path + "?q=a&limit=100000"),
            head_of(engine, "GET", path.replace("/stream", "") + "?q=a"), head_of(engine, "GET", "/livez")]
    for sent in half * 5:
        _, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(sent)
        await writer.drain()
        writer.close()
    await until_stats(engine, lambda s: s["sockets"] == 1)  # who asks


# ---- arguments ----


async def test_arguments(engine):
    await indexed(engine)
    workspace = f"/v1/workspaces/{await workspace_of(engine)}"

    async def found(query):
        status, _, body = await engine.http(f"{workspace}/search?{query}")
        equal(status, 200, query)
        return [r["name"] for r in json.loads(body)["results"]]

    equal(await found("q=add"), ["add"])
    equal(await found("q=%61dd"), ["add"])
    equal(await found("limit=5&q=add&kind=function"), ["add"])
    equal(await found("q=add&kind=struct,function"), ["add"])
    equal(await found("q=add&kind=struct"), [])
    equal(await found("query=add&k=1"), ["add"])
    equal(sorted(await found("q=int+a&mode=text")), ["add", "sub"])
    equal(sorted(await found("q=int%20a&mode=text")), ["add", "sub"])
    equal(await found("q=%2B&mode=name"), [])
    equal(await found("q=a%26q%3Dsub"), [])
    equal(await found("x=" + "y" * 3000 + "&q=add"), ["add"])  # one that is long hides no other
    equal(await found("q=add&path=*.c"), ["add"])
    equal(await found("q=add&path=*.h"), [])
    for query in ("", "q=", "q=add&limit=0", "q=add&limit=1001", "q=add&limit=x", "q=add&kind=nothing",
                  "q=add&kind=function,,struct", "q=add&mode=other", "q=" + "x" * 1025):
        equal((await engine.http(f"{workspace}/search?{query}"))[0], 400, query[:40])


# ---- lists ----


async def test_list(engine):
    for i in range(12):
        engine.write(f"list{i:02}.c", "".join(f"int list{i}_{k}(void) {{ return {k}; }}\n" for k in range(i)))
    engine.write("list_types.c", "struct list_one { int a; };\nstruct list_two { int b; };\n")
    n_functions = 2 + sum(range(12))
    await indexed(engine, n_functions + 4)
    base = f"/v1/workspaces/{await workspace_of(engine)}/entities"

    async def pages(query):
        seen, cursor, n_pages = [], None, 0
        while True:
            more = "" if cursor is None else "&cursor=" + urllib.parse.quote(cursor, safe="")
            status, _, body = await engine.http(f"{base}?{query}{more}")
            equal(status, 200, query)
            answer = json.loads(body)
            equal(answer["count"], len(answer["results"]))
            seen += answer["results"]
            n_pages += 1
            cursor = answer["cursor"]
            if cursor is None:
                return seen, n_pages
            assert n_pages < 500

    everything, _ = await pages("limit=1000")
    places = [(e["path"], e["range"]["start"]["line"], e["range"]["start"]["character"]) for e in everything]
    equal(len(everything), n_functions + 4)
    equal(places, sorted(places))
    for limit in (1, 2, 7, 12):
        rows, n_pages = await pages(f"limit={limit}")
        equal(rows, everything, f"in pages of {limit}")
        assert n_pages >= len(everything) // limit, n_pages
    rows, _ = await pages("kind=function&limit=5")
    equal(rows, [e for e in everything if e["kind"] == "function"])
    rows, _ = await pages("kind=struct,field&limit=3")
    equal(rows, [e for e in everything if e["kind"] in ("struct", "field")])
    equal(len(rows), 4)
    rows, _ = await pages("path=list05.c&limit=2")
    equal([e["name"] for e in rows], [f"list5_{k}" for k in range(5)])
    rows, _ = await pages("path=list1*.c&limit=4")
    equal(rows, [e for e in everything if e["path"].startswith("list1")])
    equal((await pages("path=nothing.c"))[0], [])
    equal((await pages("lang=python"))[0], [])
    for query in ("cursor=x", "cursor=:a.c", "cursor=1:", "cursor=-1:a.c", "limit=0", "limit=1001", "kind=x"):
        equal((await engine.http(f"{base}?{query}"))[0], 400, query)
    # a file that is gone, or none: from there on
    status, _, body = await engine.http(f"{base}?limit=1000&cursor=" + urllib.parse.quote("3:list_a.c"))
    equal([e["path"] for e in json.loads(body)["results"]], ["list_types.c"] * 4)
    alias = base.replace("workspaces", "libraries").replace("entities", "documents")
    equal(json.loads((await engine.http(alias + "?limit=1000"))[2])["results"], everything)
    key = urllib.parse.quote(everything[0]["key"], safe="")
    for address in (f"{base}/{key}", f"{alias}/{key}"):
        entity = json.loads((await engine.http(address))[2])["entity"]
        equal(entity["key"], everything[0]["key"])
        assert "callers" not in json.loads((await engine.http(address))[2])
        assert "callers" in json.loads((await engine.http(address + "?edges=1"))[2])


# ---- searches as a stream ----


async def test_search_stream(engine):
    engine.write("big.c", "".join(f"/* counted {i} */\nint counted_{i}(int counted_argument_{i}) "
                                  f"{{ return {i}; }}\n" for i in range(BIG)))
    client = await Client.open(engine)
    workspace = client.hello["workspaces"][0]["id"]
    while True:  # other tests leave files behind
        names = (await client.request("search", {"q": f"counted_{BIG - 1}"}, workspace=workspace))["data"]["results"]
        if [r for r in names if r["name"] == f"counted_{BIG - 1}"]:
            break
        await asyncio.sleep(0.05)
    path = f"/v1/workspaces/{workspace}/search/stream"
    for mode in ("name", "text"):
        status, headers, body = await send(engine, "POST", path, {"q": "counted", "limit": 100000, "mode": mode,
                                                                  "kind": ["function"]})
        equal((status, headers["content-type"]), (200, "application/x-ndjson"))
        assert "content-length" not in headers
        lines = lines_of(body)
        results, done = lines[:-1], lines[-1]
        equal(done, {"type": "done", "workspace": workspace, "count": BIG, "truncated": False}, mode)
        equal({r["type"] for r in results}, {"result"})
        equal(sorted(r["entity"]["name"] for r in results), sorted(f"counted_{i}" for i in range(BIG)), mode)
        for r in results[:50]:
            equal((r["id"], r["score"]), (r["entity"]["key"], r["entity"]["score"]))
            assert r["text"], r
        scores = [r["score"] for r in results]
        equal(scores, sorted(scores, reverse=True), mode)
        # the first ones are those of a plain search
        plain = (await client.request("search", {"q": "counted", "limit": 30, "mode": mode, "kind": "function"},
                                      workspace=workspace))["data"]["results"]
        equal([r["entity"]["key"] for r in results[:30]], [r["key"] for r in plain], mode)
    for data, count, truncated in (({"q": "counted", "limit": 10}, 10, True), ({"q": "counted_17", "k": 1}, 1, True),
                                   ({"q": "nothing of this name"}, 0, False),
                                   ({"q": "counted", "path": "*.h"}, 0, False)):
        done = lines_of((await send(engine, "POST", path, data))[2])[-1]
        equal((done["count"], done["truncated"]), (count, truncated), f"{data}")
    # as an earlier document asks: in the address, under the older name
    older = path.replace("workspaces", "libraries")
    lines = lines_of((await send(engine, "POST", older + "?query=counted_17&k=10"))[2])
    equal(lines[0]["id"].rpartition("#")[2], "counted_17")
    for data in ({}, {"q": ""}, {"q": "a", "limit": 100001}, {"q": "a", "limit": 0}, {"q": 1}, {"q": "a", "mode": "x"},
                 {"q": "a", "kind": ["x"]}, {"q": "a", "kind": 1}, {"q": "a", "path": 1}):
        equal((await send(engine, "POST", path, data))[0], 400, f"{data}")
    equal((await send(engine, "POST", "/v1/workspaces/none/search/stream", {"q": "a"}))[0], 404)
    await client.close()


async def test_many_search_streams(engine):
    """More than may run at once: each is whole or told to come back."""
    path = await stream_path(engine)
    answers = await asyncio.gather(*[send(engine, "POST", path, {"q": "counted", "limit": 100000})
                                     for _ in range(40)])
    statuses = [a[0] for a in answers]
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 16, statuses
    for status, headers, body in answers:
        if status == 503:
            equal((headers["retry-after"], json.loads(body)["retryable"]), ("1", True))
        else:
            equal(lines_of(body)[-1]["type"], "done")
    equal((await send(engine, "POST", path, {"q": "counted"}))[0], 200)


async def test_search_stream_is_not_held_for_a_slow_reader(engine):
    """Read slowly it still comes whole."""
    path = await stream_path(engine)
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port, limit=4096)
    writer.write(head_of(engine, "POST", path + "?q=counted&limit=100000"))
    answer = b""
    for _ in itertools.count():
        piece = await asyncio.wait_for(reader.read(20000), WAIT_S)
        if not piece:
            break
        answer += piece
    writer.close()
    equal(lines_of(parse_http(answer)[2])[-1]["type"], "done")


async def test_engine_ends_while_all_is_under_way(engine):
    """Bodies that have not come, answers that nobody reads: it lets go of them, and says so by its exit code."""
    other = Engine(engine.program)
    try:
        other.write("big.c", "".join(f"int counted_{i}(void) {{ return {i}; }}\n" for i in range(BIG)))
        other.start()
        await indexed(other, BIG + 2)
        path = await stream_path(other)
        writers = []
        for sent in [head_of(other, "POST", path, {"Content-Length": 100}) + b"{",
                     head_of(other, "POST", path, {"Transfer-Encoding": "chunked"}) + b"5\r\nhel",
                     head_of(other, "POST", "/nothing", {"Content-Length": 100}),
                     head_of(other, "POST", path + "?q=counted&limit=100000")] * 15:
            _, writer = await asyncio.open_connection("127.0.0.1", other.port, limit=1)
            writer.write(sent)
            await writer.drain()
            writers.append(writer)
        equal((await other.http("/livez"))[0], 200)
        await asyncio.to_thread(other.stop)
        for writer in writers:
            writer.close()
    finally:
        other.finish()


# ---- names of earlier documents ----


async def test_older_addresses(engine):
    await indexed_any(engine)
    status, _, body = await engine.http("/api/socket/info", token="")
    info = json.loads(body)
    equal((status, info["available"], info["path"]), (200, True, "/v1/ws"))
    equal((await engine.http("/api/rag-status", token=""))[0], 403)
    status, _, body = await engine.http("/api/rag-status")
    told = json.loads(body)
    workspace = await workspace_of(engine)
    equal((status, told["status"], told["pipelines"][0]["id"], told["pipelines"][0]["status"]),
          (200, "online", workspace, "online"))
    equal(json.loads((await engine.http("/v1/libraries"))[2]), json.loads((await engine.http("/v1/workspaces"))[2]))
    equal(json.loads((await engine.http("/v1/websockets/stats"))[2])["subscriptions_by_library"], {})
    status, _, body = await engine.http(f"/v1/workspaces/{workspace}")
    about = json.loads(body)
    equal((status, about["id"], about["root"]), (200, workspace, engine.root))
    equal(json.loads((await engine.http(f"/v1/libraries/{workspace}"))[2]).keys(), about.keys())
    equal((await engine.http("/v1/workspaces/none"))[0], 404)
    plain = await Client.open(engine)
    one = await Client.open(engine, path=f"/v1/libraries/{workspace}/ws")
    two = await Client.open(engine, path=f"/v1/workspaces/{workspace}/ws")
    stats = json.loads((await engine.http("/v1/websockets/stats"))[2])
    equal((stats["total_connections"], stats["libraries_with_subscribers"], stats["subscriptions_by_library"]),
          (3, 1, {workspace: 2}))
    for client in (plain, one, two):
        await client.close()


async def indexed_any(engine):
    while json.loads((await engine.http("/readyz", token=""))[2])["status"] != "ready":
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
