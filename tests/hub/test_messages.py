"""What a client may send, and what it gets back; also over HTTP."""
import asyncio
import json
import os
import re
import struct
import urllib.parse

from prometheus_client.parser import text_string_to_metric_families

import hubtest
from hubtest import Client, closed_with, equal, indexed, main, receive


async def test_hello_comes_first(engine):
    await indexed(engine)
    client = await Client.open(engine)
    hello = client.hello
    equal(hello["type"], "system")
    workspace = hello["workspaces"][0]
    equal((workspace["root"], workspace["state"]), (os.path.realpath(engine.root), "ready"))
    equal((hello["workspace"], hello["epoch"]), (workspace["id"], workspace["epoch"]))
    equal(len(hello["epoch"]), 32)
    assert hello["head"] >= hello["first_seq"] >= 1, hello
    assert hello["limits"]["max_message"] == 1 << 20 and hello["heartbeat_s"] == 30
    equal(hello["limits"]["max_pending"], 8, "questions at the index")
    other = await Client.open(engine)
    assert other.hello["connection_id"] != hello["connection_id"]
    await client.close()
    await other.close()


async def test_request_id_comes_back(engine):
    client = await Client.open(engine)
    for request_id in ("r1", "", "ä\"\\\u0000 x", 7, -1, 1 << 60, "x" * 128):
        await client.ws.send(json.dumps({"action": "ping", "request_id": request_id}))
        reply = await receive(client.ws)
        equal((reply["type"], reply["request_id"], reply["success"]), ("response", request_id, True))
    for message in ({"action": "ping"}, {"action": "ping", "request_id": None}):
        await client.ws.send(json.dumps(message))
        equal((await receive(client.ws))["request_id"], None)
    for request_id in ("x" * 129, 1.5, [], {}, True):
        await client.ws.send(json.dumps({"action": "ping", "request_id": request_id}))
        reply = await receive(client.ws)
        equal((reply["request_id"], reply["success"]), (None, False))
    await client.close()


async def test_bad_messages_are_answered(engine):
    client = await Client.open(engine)
    cases = ["", " ", "{", "nothing", "[]", "1", "\"text\"", "null", "{} {}", '{"action":1}',
             '{"action":null}', "{}", '{"type":"response","action":"ping"}', '{"type":1,"action":"ping"}',
             '{"action":"ping","action":"ping"}', "[" * 100, '{"a":' * 100, '{"action":"search"}',
             '{"action":"search","data":{"q":""}}', '{"action":"search","data":{"q":1}}',
             '{"action":"search","data":{"q":"a","limit":0}}',
             '{"action":"search","data":{"q":"a","k":1001}}',
             '{"action":"search","data":{"q":"a","kind":"nothing"}}',
             '{"action":"search","data":{"q":"a","mode":"nothing"}}',
             '{"action":"search","data":{"q":"a","lang":1}}', '{"action":"search","data":{"q":"a","path":"["}}',
             '{"action":"search","data":{"q":"%s"}}' % ("x" * 1025), '{"action":"get"}',
             '{"action":"get","data":{"key":""}}', '{"action":"subscribe","data":{"since":"x"}}',
             '{"action":"subscribe","data":{"since":{"seq":1}}}',
             '{"action":"subscribe","data":{"since":{"epoch":"e","seq":-1}}}',
             '{"action":"subscribe","data":{"since":5}}', '{"action":"subscribe","data":{"events":[]}}',
             '{"action":"subscribe","data":{"events":"file:*"}}',
             '{"action":"subscribe","data":{"events":[1]}}',
             '{"action":"subscribe","data":{"events":["%s"]}}' % ("x" * 65),
             '{"action":"subscribe","data":{"filter":{"key":"lang"}}}',
             '{"action":"unsubscribe"}', '{"action":"ping","workspace":1}']
    for text in cases:
        await client.ws.send(text)
        reply = await receive(client.ws)
        equal((reply["type"], reply["success"]), ("response", False), text)
        problem = reply["problem"]
        equal((problem["type"], problem["status"]), ("/problems/bad-request", 400) if
              not text.startswith('{"action":"ping","workspace"') else (problem["type"], 400), text)
        equal(reply["error"], problem["detail"])
        reply = await client.request("ping")  # the connection goes on
        equal(reply["success"], True)
    for action in ("nothing", "Ping", "", "adds", "x" * 1000):
        reply = await client.request(action)
        equal(reply["problem"]["type"], "/problems/unknown-action", action)
        equal(reply["problem"]["status"], 404)
    reply = await client.request("unsubscribe", {"sub": "s1"})
    equal(reply["problem"]["status"], 404)
    await client.close()


async def test_flood_of_bad_requests(engine):
    client = await Client.open(engine)
    for _ in range(100):
        await client.ws.send("no")
    equal(await closed_with(client.ws), 4502)


async def test_flood_of_what_cannot_be_done(engine):
    """Whoever refuses it, it was no good request; what is good and finds nothing is none of them."""
    client = await Client.open(engine)
    folder = client.hello["workspaces"][0]["id"]
    made = await client.request("add", {"workspace": "flood", "create": True, "entities": [{"op": "delete", "path": "a.c"}]})
    assert made["success"], made
    for _ in range(100):
        equal((await client.request("get", {"key": "c:fn:a.c#none"}, workspace=folder))["problem"]["status"], 404)
        equal((await client.request("job.status", {"job_id": "j-0123456789abcdef"}))["problem"]["status"], 404)
    for _ in range(33):
        for _ in range(3):
            assert not (await client.request("add", {"workspace": "flood", "entities": []}))["success"]
        assert (await client.request("ping"))["success"]
    await client.close()
    for action, data in (("add", {"workspace": "flood", "entities": []}),
                         ("add", {"workspace": "flood", "entities": [{"op": "x"}]}),
                         ("add", {"workspace": "flood", "key": 1, "entities": [{"op": "x"}]}),
                         ("add", {"workspace": "no such", "entities": [{"op": "x"}]}),
                         ("add", {"workspace": "none", "entities": [{"op": "x"}]}),
                         ("delete", {"workspace": folder, "path": "a.c"}),
                         ("job.submit", {"workspace": folder, "kind": "none"})):
        client = await Client.open(engine)
        try:
            for _ in range(70):
                assert not (await client.request(action, data))["success"], data
            raise AssertionError(data)
        except hubtest.websockets.ConnectionClosed as e:
            equal(e.rcvd.code, 4502, data)
    equal((await engine.http("/v1/workspaces/flood", "DELETE"))[0], 200, "the others have but one workspace")


async def test_oversize_message(engine):
    async def send(n):
        client = await Client.open(engine)
        head = '{"action":"ping","filler":"'
        try:
            await client.ws.send(head + "x" * (n - len(head) - 2) + '"}')
            reply = await receive(client.ws)
            await client.close()
            return reply["success"]
        except hubtest.websockets.ConnectionClosed as e:
            return e.rcvd.code if e.rcvd else None

    equal(await send(1 << 20), True)
    equal(await send((1 << 20) + 1), 1009)
    equal(await send(3 << 20), 1009)


async def test_oversize_in_fragments(engine):
    client = await Client.open(engine)

    async def pieces():
        for _ in range(300):
            yield "x" * 4096

    try:
        await client.ws.send(pieces())
    except hubtest.websockets.ConnectionClosed:
        pass
    equal(await closed_with(client.ws), 1009)


async def test_message_in_fragments(engine):
    client = await Client.open(engine)
    text = json.dumps({"action": "ping", "request_id": "pieces"})
    await client.ws.send(list(text))
    equal((await receive(client.ws))["request_id"], "pieces")
    await client.close()


async def raw_frames(engine, frames):
    """Sends bytes behind a handshake; the code of the close frame that comes back."""
    client = await Client.open(engine)
    client.ws.transport.write(frames)
    return await closed_with(client.ws)


def frame(first_byte, payload, claimed=None):
    n = len(payload) if claimed is None else claimed
    head = bytes([first_byte])
    if n < 126:
        head += bytes([0x80 | n])
    elif n < 1 << 16:
        head += b"\xfe" + struct.pack(">H", n)
    else:
        head += b"\xff" + struct.pack(">Q", n)
    return head + bytes(4) + payload


async def test_frames_against_the_rules(engine):
    equal(await raw_frames(engine, frame(0x81, b"\xff\xfe")), 1007, "bad UTF-8")
    equal(await raw_frames(engine, frame(0x81, b"\"\xed\xa0\x80\"")), 1007, "surrogate")
    equal(await raw_frames(engine, frame(0x82, b"{}")), 1003, "binary")
    equal(await raw_frames(engine, frame(0x83, b"x")), 1002, "opcode 3")
    equal(await raw_frames(engine, frame(0xc1, b"{}")), 1002, "RSV")
    equal(await raw_frames(engine, frame(0x80, b"{}")), 1002, "continuation of nothing")
    equal(await raw_frames(engine, frame(0x81, b"x", claimed=1 << 62)), 1009, "a size that cannot be")
    equal((await engine.http("/livez"))[0], 200)


async def test_search(engine):
    await indexed(engine)
    client = await Client.open(engine)
    reply = await client.request("search", {"q": "add"})
    row = reply["data"]["results"][0]
    equal((row["key"], row["name"], row["kind"], row["path"]), ("c:fn:a.c#add", "add", "function", "a.c"))
    equal(row["range"]["start"], {"line": 0, "character": 0})
    assert row["score"] > 0 and "hover" not in row
    equal((reply["data"]["count"], reply["data"]["truncated"]), (1, False))
    for data in ({"query_text": "add", "k": 1}, {"query": "add", "kind": ["function", "method"]},
                 {"q": "add", "lang": "c"}, {"q": "add", "path": "*.c"}, {"q": "int", "mode": "text"}):
        reply = await client.request("search", data)
        assert reply["data"]["count"] >= 1, (data, reply)
    for data in ({"q": "add", "kind": "struct"}, {"q": "add", "lang": "python"}, {"q": "zzz"},
                 {"q": "add", "path": "*.h"}):
        equal((await client.request("search", data))["data"]["count"], 0, data)
    # the older form: the arguments beside the action
    await client.ws.send(json.dumps({"action": "search", "query": "add", "k": 10}))
    equal((await receive(client.ws))["data"]["count"], 1)
    await client.close()


async def test_get(engine):
    await indexed(engine)
    client = await Client.open(engine)
    entity = (await client.request("get", {"key": "c:fn:a.c#sub"}))["data"]["entity"]
    equal((entity["name"], entity["signature"], entity["parent"]), ("sub", "int sub(int a, int b)", None))
    equal(entity["hover"]["state"], "unknown")
    reply = await client.request("get", {"key": "c:fn:a.c#sub", "edges": True})
    equal((reply["data"]["callers"], reply["data"]["callees"]), ([], []))
    for key in ("c:fn:a.c#none", "nonsense", "c:fn:none.c#sub"):
        problem = (await client.request("get", {"key": key}))["problem"]
        equal((problem["status"], problem["retryable"]), (404, False), key)
    await client.close()


async def test_workspace_by_id_root_or_none(engine):
    await indexed(engine)
    client = await Client.open(engine)
    workspace = client.hello["workspace"]
    for name in (workspace, os.path.realpath(engine.root)):
        for more, data in (({"workspace": name}, {}), ({}, {"workspace": name}), ({"library_id": name}, {})):
            reply = await client.request("search", {"q": "add", **data}, **more)
            equal(reply["data"]["workspace"], workspace)
    for name in ("none", "/nowhere", ""):
        reply = await client.request("search", {"q": "add"}, workspace=name)
        equal(reply["problem"]["status"], 404)
    await client.close()


async def test_many_requests_at_once(engine):
    await indexed(engine)
    client = await Client.open(engine)
    n = 400  # more are too many: test_limits
    sending = asyncio.ensure_future(asyncio.gather(*(
        client.ws.send(json.dumps({"action": "search" if i % 2 else "ping", "request_id": i, "q": "a"}))
        for i in range(n))))
    got = set()
    while len(got) < n:
        reply = await receive(client.ws)
        assert reply["success"], reply
        got.add(reply["request_id"])
    equal(got, set(range(n)))
    await sending
    await client.close()


async def test_stats(engine):
    await indexed(engine)
    client = await Client.open(engine)
    data = (await client.request("stats"))["data"]
    equal(data["workspaces"][0]["entities"], 2)
    assert data["hub"]["clients"] >= 1 and data["hub"]["requests"] >= 1, data["hub"]
    _, _, body = await engine.http("/v1/stats")
    equal(json.loads(body)["workspaces"][0]["id"], data["workspaces"][0]["id"])
    _, _, body = await engine.http("/v1/websockets/stats")
    assert json.loads(body)["total_connections"] >= 1
    assert engine.token not in json.dumps(data)
    await client.close()


async def test_http_twins(engine):
    status = await indexed(engine)
    base = "/v1/workspaces/" + status["id"]
    code, headers, body = await engine.http(base + "/search?q=add&limit=5")
    equal((code, headers["content-type"]), (200, "application/json"))
    equal([r["key"] for r in json.loads(body)["results"]], ["c:fn:a.c#add"])
    code, _, body = await engine.http("/v1/libraries/" + status["id"] + "/search?limit=5&q=ad%64")
    equal((code, json.loads(body)["count"]), (200, 1))
    key = urllib.parse.quote("c:fn:a.c#sub", safe="")
    code, _, body = await engine.http(f"{base}/entities/{key}")
    equal((code, json.loads(body)["entity"]["name"]), (200, "sub"))
    for path, expected in ((base + "/search", 400), (base + "/search?q=", 400),
                           (base + "/search?q=a&limit=x", 400), (base + "/search?q=a&kind=x", 400),
                           (base + "/search?q=a&limit=0", 400), (base + "/search?q=a&mode=x", 400),
                           (base + "/entities/none", 404), (base + "/entities/", 404),
                           ("/v1/workspaces/none/search?q=a", 404)):
        code, headers, body = await engine.http(path)
        equal((code, headers["content-type"]), (expected, "application/problem+json"), path)
        equal(json.loads(body)["status"], expected)
    _, _, body = await engine.http("/v1/workspaces")
    equal([w["id"] for w in json.loads(body)["workspaces"]], [status["id"]])


def series_of(text):
    """What Prometheus' own reader makes of it; each sample once, each family with its help and type."""
    samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("gauge", "counter", "summary"), family
        for s in family.samples:
            key = (s.name, *sorted(s.labels.items()))
            assert key not in samples and s.value >= 0, s
            samples[key] = s.value
    return samples


async def test_metrics(engine):
    status = await indexed(engine)
    status_code, headers, body = await engine.http("/metrics", token="")
    equal(status_code, 403)
    async with engine.connect() as ws:
        await receive(ws)
    client = await Client.open(engine)
    await client.request("ping")
    status_code, headers, body = await engine.http("/metrics")
    equal((status_code, headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
    got = series_of(body.decode())
    of = ("workspace", status["id"])
    equal(got[("gloss_entities", of)], status["entities"])
    equal(got[("gloss_workspace_info", ("root", status["root"]), of)], 1)
    equal(got[("gloss_workspace_up", of)], 1)
    equal(got[("gloss_hub_clients",)], 1)
    assert got[("gloss_hub_connection_seconds_count",)] >= 1 and got[("gloss_commit_seconds_count", of)] >= 1, got
    assert 0 < got[("gloss_commit_seconds", ("quantile", "0.99"), of)] <= got[("gloss_commit_seconds_sum", of)], got
    assert 1 << 20 < got[("process_resident_memory_bytes",)] < 1 << 33 and got[("process_cpu_seconds_total",)] > 0
    await client.request("ping")
    _, _, body = await engine.http("/metrics")
    later = series_of(body.decode())
    assert all(later[k] >= v for k, v in got.items() if k[0].endswith(("_total", "_count", "_sum"))), (got, later)
    assert later[("gloss_hub_requests_total",)] == got[("gloss_hub_requests_total",)] + 2
    text = open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "METRICS.md"), encoding="utf-8").read()
    names = {k[0].removesuffix("_sum").removesuffix("_count") for k in got}
    equal({n for n in names if f"`{n}`" not in text}, set())
    for name in re.findall(r"\b(?:gloss|process)_[a-z_]+", text):
        assert name.removesuffix("_sum").removesuffix("_count") in names or name.startswith("gloss_server_"), name
    await client.close()


async def test_client_gone_before_its_answer(engine):
    status = await indexed(engine)
    for _ in range(50):
        client = await Client.open(engine)
        for i in range(8):
            await client.ws.send(json.dumps({"action": "search", "q": "a", "request_id": i}))
        client.ws.transport.abort()
        _, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(f"GET /v1/workspaces/{status['id']}/search?q=a HTTP/1.1\r\nHost: localhost\r\n"
                     f"Authorization: Bearer {engine.token}\r\n\r\n".encode())
        writer.transport.abort()
    await indexed(engine)


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
