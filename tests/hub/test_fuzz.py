"""Messages that nobody would send: each gets exactly one response, under its own request_id, and the engine goes on.
test_fuzz.py GLOSS [--messages N] [--seed N]."""
import argparse
import asyncio
import copy
import json
import random

import hubtest
from hubtest import WAIT_S, equal, has_sanitizer, indexed, one_test, verdict

A_CONNECTION = 300  # so that its limit of requests is not reached
GOOD_EVERY = 20     # else it would be closed for bad ones
LIVES_S = 120

ENTITY = {"lang": "c", "kind": "function", "name": "f", "path": "p/q.c", "signature": "int f(void)", "doc": "", "hover": "h",
          "range": {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 1}}, "parent": None, "ordinal": 1,
          "edges": [{"kind": "calls", "target": "g", "line": 1, "character": 2}], "key": "k1"}
FILTER = {"and": [{"key": "lang", "cmp": "eq", "val": "c"}, {"not": {"key": "path", "cmp": "sw", "val": "src/"}},
                  {"or": [{"key": "hover.state", "cmp": "in", "vals": ["known", 3, True]}]}]}
SEEDS = [
    {"action": "ping"}, {"action": "stats", "data": {}},
    {"action": "search", "data": {"q": "add", "limit": 5, "kind": ["function", "class"], "mode": "name", "path": "*.c"}},
    {"action": "search", "data": {"q": '"a b" c', "mode": "text", "lang": "c", "k": 3}},
    {"action": "get", "data": {"key": "c:fn:a.c#add", "edges": True}}, {"action": "get", "document_id": "c:fn:a.c#sub"},
    {"action": "subscribe", "data": {"events": ["entity.*", "file:*"], "filter": FILTER, "since": {"epoch": "e", "seq": 3}}},
    {"action": "subscribe", "data": {"since": "earliest", "snapshot": "always"}},
    {"action": "subscribe", "data": {"since": ":0", "snapshot": "if_needed", "events": ["*"]}},
    {"action": "unsubscribe", "data": {"sub": "s1"}}, {"action": "add", "data": {"entities": [ENTITY, ENTITY], "key": "all"}},
    {"action": "add", "data": {"entities": [{"op": "file", "path": "a.c", "lang": "c", "entities": [{"kind": "function", "name": "g",
                               "range": ENTITY["range"]}], "edges": []}], "ack": "queued"}},
    {"action": "delete", "data": {"path": "p/q.c"}}, {"action": "delete", "data": {"key": "c:fn:p/q.c#f"}},
    {"action": "job.status", "data": {"job_id": "j1"}}, {"action": "job.cancel", "data": {"job_id": "1"}},
    {"action": "job.list", "data": {"status": "failed", "kind": "reindex", "limit": 3}}, {"action": "nothing"},
    {"type": "request", "action": "search", "workspace": "000000000000", "data": {"q": "x"}},
]
VALUES = [None, True, False, 0, -1, 1, 64, 1 << 31, 1 << 53, (1 << 63) - 1, -(1 << 63), 1.5, -0.0, 1e308, "", "a", "*", "a" * 300,
          "\0", "\n", "\u00e9\U0001f600", "../x", "/", "%00", [], {}, [[]], [None], {"": ""}, {"a": {"b": [1]}}, [0] * 100,
          ["entity.*"] * 40, FILTER, ENTITY, "earliest", "latest", "e:1", ":0", {"seq": 0}, {"epoch": 1, "seq": "x"}]


def places(value, at=()):
    """Where a tree can be changed."""
    found = []
    for key in (value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()):
        if at or key != "request_id":
            found += [at + (key,), *places(value[key], at + (key,))]
    return found


def bend(dice, message):
    """One place of it is something else."""
    options = places(message)
    if not options:
        return
    *path, last = dice.choice(options)
    parent = message
    for key in path:
        parent = parent[key]
    way = dice.randrange(5)
    if way == 0 and isinstance(parent, dict):
        del parent[last]
    elif way == 1 and isinstance(parent, dict):
        parent[dice.choice(("q", "k", "data", "workspace", "since", "filter", "events", "x"))] = copy.deepcopy(parent[last])
    elif way == 2:
        parent[last] = [parent[last]] * dice.choice((1, 2, 70))
    else:
        parent[last] = copy.deepcopy(dice.choice(VALUES))


def torn(dice, text):
    """Its bytes, changed; still UTF-8, or a WebSocket would end."""
    data = bytearray(text.encode())
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(data) + 1)
        data[at:at + dice.randrange(3)] = dice.choice((b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u0000", b"0", b"-",
                                                        b"e9", b" ", b"\x00", b"\\ud800", b"[[[[[[[[" * 10, b"null"))
    return data.decode(errors="ignore") or "x"


async def converse(engine, dice, workspaces, n):
    """n messages and a ping on one connection: as many responses, each request_id that was readable among them, once."""
    sent, torn_ones, got = [], 0, []
    async with hubtest.websockets.connect(
            f"ws://127.0.0.1:{engine.port}/v1/ws", subprotocols=["gloss.v1"], max_size=None, compression=None,
            extra_headers={"Authorization": "Bearer " + engine.token}) as ws:

        async def send():
            nonlocal torn_ones
            for number in range(n):
                message = copy.deepcopy(dice.choice(SEEDS)) if number % GOOD_EVERY else {"action": "ping"}
                message["request_id"] = number
                message.setdefault("workspace", dice.choice(workspaces))
                if number % GOOD_EVERY and dice.random() < 0.25:
                    torn_ones += 1
                    await ws.send(torn(dice, json.dumps(message)))
                    continue
                for _ in range(dice.randrange(4) if number % GOOD_EVERY else 0):
                    bend(dice, message)
                sent.append(number)
                await ws.send(json.dumps(message))
            await ws.send('{"action":"ping","request_id":"end"}')

        sending = asyncio.ensure_future(send())
        while not sending.done() or len(got) < n + 1:
            message = json.loads(await asyncio.wait_for(ws.recv(), WAIT_S))
            if message["type"] == "response":
                assert message["success"] in (True, False) and ("problem" in message) != message["success"], message
                got.append(message["request_id"])
        await sending
    equal(len(got), n + 1, "responses")
    equal(got.count("end"), 1, "the last")
    lost = [number for number in sent if got.count(number) < 1]
    equal(lost, [], "requests without a response")
    assert len(got) - len(set(got) - {None}) - got.count(None) <= torn_ones, "a request with two responses"


async def run(engine, n, seed):
    await indexed(engine)
    made = await hubtest.Client.open(engine)
    reply = await made.request("add", {"create": True, "entities": [ENTITY]}, workspace="mine")
    assert reply["success"], reply
    await made.close()
    for number in range(0, n, A_CONNECTION):
        await asyncio.wait_for(converse(engine, random.Random(seed + number), (engine.root, "mine"), A_CONNECTION), LIVES_S)
    status, _, _ = await engine.http("/livez")
    equal(status, 200)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--messages", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.messages = args.messages or (900 if has_sanitizer(args.program) else 3000)
    _, problems = one_test(args.program, lambda engine: run(engine, args.messages, args.seed))
    verdict(f"{args.messages} messages that nobody would send, --seed {args.seed}: each has its response", problems)


main()
