"""Clients of the event stream and of the long poll, on bare sockets: what they get is looked at byte by byte."""
import asyncio
import json
import os
import socket
import time
import urllib.parse

from hubtest import WAIT_S, Client, completed, equal, hub_stats, places, until_stats
from traffic import TRAFFIC

TICK_S = 0.02


def many_functions(n, variant=0):
    return "".join(f"/* {variant} */\nint f{i}_{variant}(int a)\n{{\n    return a + {i};\n}}\n" for i in range(n))


def address(path, **arguments):
    return path + ("?" + urllib.parse.urlencode(arguments) if arguments else "")


async def connect(engine, target, headers=None, method="GET", receive_bytes=0):
    """Reader and writer of a request that was sent."""
    s = socket.socket()
    if receive_bytes:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    s.setblocking(False)
    await asyncio.get_running_loop().sock_connect(s, ("127.0.0.1", engine.port))
    reader, writer = await asyncio.open_connection(sock=s, limit=1 << 26)
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{engine.port}",
             "Authorization: Bearer " + engine.token]
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    return reader, writer


async def read_head(reader):
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
    lines = head.decode("latin-1").split("\r\n")
    return int(lines[0].split()[1]), {k.strip().lower(): v.strip() for k, v in
                                      (line.split(":", 1) for line in lines[1:] if line)}


class Stream:
    """An EventSource as the standard has it: id, type and data of each event; comments are kept, too."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.last_id = ""
        self.retry_ms = None
        self.comments = []

    @classmethod
    async def open(cls, engine, last_id=None, headers=None, receive_bytes=0, **arguments):
        more = dict(headers or {})
        if last_id is not None:
            more["Last-Event-ID"] = last_id
        stream = cls(*await connect(engine, address("/v1/events/stream", **arguments), more,
                                    receive_bytes=receive_bytes))
        stream.status, stream.headers = await read_head(stream.reader)
        if stream.status == 200:
            equal(stream.headers["content-type"], "text/event-stream")
            stream.system = await stream.next()
            equal(stream.system["event"], "system")
        return stream

    async def block(self, wait_s=WAIT_S):
        """Fields of the next block; None at the end."""
        fields = {}
        while True:
            line = await asyncio.wait_for(self.reader.readline(), wait_s)
            if not line.endswith(b"\n"):
                return None
            text = line[:-1].decode()
            assert "\r" not in text and "\0" not in text, text
            if not text:
                return fields
            name, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if not name:
                self.comments.append(value)
            elif name == "id":
                assert value.isascii() and value.isprintable(), value
                self.last_id = value
            elif name == "retry":
                self.retry_ms = int(value)
            else:
                equal(name in fields, False, name)
                fields[name] = value

    async def next(self):
        """The next event: its type, the id that EventSource would show, its data. None at the end."""
        while True:
            fields = await self.block()
            if fields is None:
                return None
            if "data" in fields:
                TRAFFIC.http("GET", "/v1/events/stream", 200, self.headers,
                             f"data: {fields['data']}\n\n".encode())
                return {"event": fields.get("event", "message"), "id": self.last_id,
                        "data": json.loads(fields["data"])}

    async def until(self, wanted):
        seen = []
        while True:
            event = await self.next()
            assert event, "the stream ended"
            seen.append(event)
            if wanted(event["data"]):
                return seen

    def close(self):
        self.writer.close()


def durable(events):
    """Messages of stream events, those of the log."""
    return [e["data"] for e in events if e["data"].get("seq")]


def id_of(message):
    return f"{message['epoch']}:{message['seq']}" + ("" if message.get("last") else f".{message['i']}")


async def poll(engine, workspace, **arguments):
    """Status and body of one poll."""
    reader, writer = await connect(engine, address(f"/v1/workspaces/{workspace}/events", **arguments))
    try:
        status, headers = await read_head(reader)
        body = await asyncio.wait_for(reader.read(), WAIT_S)
        TRAFFIC.http("GET", f"/v1/workspaces/{workspace}/events", status, headers, body)
        return status, json.loads(body)
    finally:
        writer.close()


async def poll_all(engine, workspace, since, **arguments):
    """All events from `since` to the head, and where to go on."""
    seen = []
    while True:
        status, body = await poll(engine, workspace, since=since, **arguments)
        equal((status, body["recovered"]), (200, True), body)
        seen += body["events"]
        since = body["next"]
        if int(since.split(":")[1]) >= body["head"]:
            return seen, since


async def everything(engine):
    """The whole log, by WebSocket."""
    client = await Client.open(engine)
    reply = await client.subscribe(since={"seq": 0})
    events = [e for e in await client.until_seq(reply["head"]) if "seq" in e]
    await client.close()
    return events


async def workspace_of(engine):
    client = await Client.open(engine)
    workspace = client.hello["workspaces"][0]["id"]
    await client.close()
    return workspace


async def until_completed(engine, name):
    stream = await Stream.open(engine, since="earliest", types="file:completed")
    await stream.until(completed(name))
    stream.close()


def check_same(events, expected):
    """Nothing missing, nothing twice, nothing else."""
    equal(places(events), places(expected))
    for event, other in zip(events, expected):
        equal({k: v for k, v in event.items() if k != "sub"}, {k: v for k, v in other.items() if k != "sub"})


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def hang_up_all(engine, open_one, n=200):
    """All of them hang up while nothing is sent, in three ways: nothing of them stays, and no work."""
    before = await hub_stats(engine)
    writers = [await open_one() for _ in range(n)]
    await until_stats(engine, lambda s: s["followers"] == before["followers"] + n)
    for i, writer in enumerate(writers):
        if i % 3 == 0:
            writer.write_eof()
        elif i % 3 == 1:
            s = writer.get_extra_info("socket")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()
        else:
            writer.close()
    await until_stats(engine, lambda s: s["followers"] == before["followers"] and s["sockets"] <= before["sockets"])
    used, since = cpu_s(engine.pid), time.monotonic()
    await asyncio.sleep(1)  # over this time it is measured
    used, took = cpu_s(engine.pid) - used, time.monotonic() - since
    assert used < 0.25 * took, f"{used:.2f} s of the processor in {took:.1f} s of nothing"
    for writer in writers:
        writer.close()
