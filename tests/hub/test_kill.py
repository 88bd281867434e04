"""kill -9 of an engine whose workspace changes, again and again, and subscribers that come back with their cursor: none
has a gap or a repeat, none saw an event that is not in the log afterwards; and a scanner whose acknowledged lines must all
be there, once. test_kill.py GLOSS [--kills N] [--seed N]."""
import argparse
import asyncio
import json
import os
import random
import signal
import time
import traceback
import urllib.parse

import hubtest
from hubtest import Engine, equal, has_sanitizer, verdict

N_FILES, LIVES = 60, 40  # of an index, before the next is begun
STREETS = 2
REST_S = 60
MARK = "d1/mark.c"
PUSHED = "pushed"  # the workspace of the sender
GONE = (hubtest.websockets.WebSocketException, OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, EOFError)


def source(dice):
    return "".join(f"int f{i}_{dice.randrange(4)}(int a{dice.randrange(3)})\n{{\n    return g{i}(a);\n}}\n"
                   for i in range(dice.randrange(1, 12)))


def place(event):
    return event["seq"], event["i"]


class Ghost(Exception):
    """What a subscriber must never see."""


def need(holds, what):
    if not holds:
        raise Ghost(what)


class Reader:
    """One subscriber, over all lives of the engine; `seen` is what it got."""

    def __init__(self, street, subprotocol="gloss.v1", accepts=None, **subscription):
        self.street, self.subprotocol, self.subscription = street, subprotocol, subscription
        self.accepts = accepts  # which events come; None: all
        self.seen, self.cursor, self.has_mark, self.sessions = {}, 0, False, 0

    def since(self):
        return {"seq": 0} if not self.street.epoch else f"{self.street.epoch}:{self.cursor}"

    def on_reply(self, reply):
        need(reply["recovered"], f"{reply} to a cursor that the engine gave: {self.cursor}")
        equal(reply["from"], self.cursor + 1)

    def on_event(self, event, text, previous):
        """previous: of this session; None: the first."""
        at = place(event)
        need(previous is None or at > place(previous), f"{at} behind {place(previous) if previous else 0}")
        need(event["seq"] > self.from_seq, f"{at}, which is before where the session began")
        if self.accepts is None:
            wanted = ((self.from_seq + 1, 0) if previous is None else (previous["seq"] + 1, 0) if previous.get("last")
                      else (previous["seq"], previous["i"] + 1))
            equal(at, wanted, "what comes next")
        known = self.seen.setdefault(at, text)
        need(known == text, f"{at} was {known} and is {text}")
        if self.accepts is None and event.get("last"):
            self.cursor = event["seq"]
        else:
            self.cursor = max(self.cursor, event["seq"] - 1)

    async def session(self, engine):
        ws = await engine.connect(subprotocols=(self.subprotocol,))
        previous = None
        try:
            await ws.send(json.dumps({"action": "subscribe", "request_id": 1, "workspace": engine.root,
                                      "data": {"since": self.since(), **self.subscription}}))
            while not self.has_mark:
                for line in (await ws.recv()).split("\n"):
                    message = json.loads(line)
                    if message["type"] == "response":
                        need(message["success"], f"{message}")
                        self.street.on_epoch(message["data"]["epoch"])
                        self.from_seq = message["data"]["from"] - 1
                        self.on_reply(message["data"])
                    elif message["type"] == "event" and "seq" in message:
                        self.street.on_epoch(message["epoch"])
                        self.on_event(message, line, previous)
                        previous = message
                        self.look_for_mark(message)
                    elif message["type"] == "event" and message["event_type"].startswith("snapshot."):
                        self.on_snapshot(message)
                    need(message.get("reason") != "damaged", f"{message}")
        finally:
            ws.transport.abort()

    def on_snapshot(self, message):
        raise Ghost(f"nobody asked for it: {message}")

    def look_for_mark(self, event):
        if event["subject"] == MARK and (event.get("last") or self.accepts):
            self.has_mark = True

    async def run(self):
        while not self.has_mark:
            life = await self.street.life()
            try:
                self.sessions += 1
                await self.session(self.street.engine)
            except GONE:
                await self.street.end_of(life)

    def check(self, truth):
        wanted = {p: text for p, (e, text) in truth.items() if self.accepts is None or self.accepts(e)}
        ghosts = [p for p in self.seen if self.seen[p] != wanted.get(p)]
        gaps = [p for p in wanted if p not in self.seen]
        need(not ghosts, f"{type(self).__name__}: {len(ghosts)} events that the log does not have: "
                         f"{[(p, self.seen[p], wanted.get(p)) for p in ghosts[:2]]}")
        need(not gaps, f"{type(self).__name__}: {len(gaps)} events never came: {gaps[:5]}")


class Mirror(Reader):
    """Begins each session with a snapshot, and so knows the rows as they are."""

    def __init__(self, street, **options):
        super().__init__(street, **options, snapshot="always")
        self.rows, self.head = {}, 0

    def since(self):
        return "latest"

    def on_reply(self, reply):
        need(reply["snapshot"], f"{reply}")
        self.rows, self.is_whole = {}, False

    def on_snapshot(self, message):
        kind, data = message["event_type"], message["data"]
        if kind == "snapshot.begin":
            need(data["head"] >= self.head, f"a snapshot of {data['head']} behind {self.head}")
            self.head = self.from_seq = data["head"]
        elif kind == "snapshot.rows":
            for entity in data["rows"]:
                need(entity["key"] not in self.rows, f"twice in a snapshot: {entity['key']}")
                self.rows[entity["key"]] = entity["rev"]
        else:
            self.is_whole = True

    def on_event(self, event, text, previous):
        need(self.is_whole, "an event before the snapshot's end")
        super().on_event(event, text, previous)
        apply(self.rows, event)
        if event.get("last"):
            self.head = event["seq"]

    def check(self, truth):
        rows = {}
        for _, (event, _) in sorted(truth.items()):
            apply(rows, event)
        equal(self.rows, rows, "the rows of a snapshot and what came behind it")
        ghosts = [p for p in self.seen if p not in truth or self.seen[p] != truth[p][1]]
        need(not ghosts, f"{len(ghosts)} events that the log does not have: {ghosts[:3]}")


class Listener(Reader):
    """Over the event stream, coming back as EventSource does: with the id it saw last. What it gets is one stream."""

    def __init__(self, street):
        super().__init__(street)
        self.last_id, self.previous = None, None

    async def session(self, engine):
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port, limit=1 << 22)
        where = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        try:
            writer.write(f"GET /v1/events/stream?since=earliest&workspace={urllib.parse.quote(engine.root, '')} HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
                         f"Authorization: Bearer {engine.token}\r\n{where}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            need(head.startswith(b"HTTP/1.1 200 ") or head.startswith(b"HTTP/1.1 503 "), head)
            while not self.has_mark:
                block = (await reader.readuntil(b"\n\n")).decode()
                fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
                if "data" in fields:
                    self.on_message(json.loads(fields["data"]), fields["data"])
                self.last_id = fields.get("id", self.last_id)
        finally:
            writer.close()

    def on_message(self, message, text):
        if message["type"] == "system":
            self.street.on_epoch(message["epoch"])
            need(message["recovered"], f"{message} to {self.last_id}")
        elif "seq" in message:
            at, previous = place(message), self.previous
            wanted = ((1, 0) if previous is None else (previous["seq"] + 1, 0) if previous.get("last")
                      else (previous["seq"], previous["i"] + 1))
            equal(at, wanted, "what comes next in the stream")
            self.seen[at] = text
            self.previous = message
            self.look_for_mark(message)


class Sender:
    """A scanner that sends line after line, and again from the first that was not acknowledged when the engine is back."""

    def __init__(self, street):
        self.street, self.n_sent, self.n_acked, self.is_done = street, 0, 0, False

    def line(self, number):
        return json.dumps({"lang": "c", "kind": "function", "name": f"e{number}", "path": f"p{number % 7}.c",
                           "range": {"start": {"line": number, "character": 0}, "end": {"line": number, "character": 9}},
                           "signature": f"int e{number}(void)", "key": f"k{number}"}).encode() + b"\n"

    async def send(self, writer, first):
        number = first
        while number == first or not self.street.is_ending:
            data = b"".join(self.line(i) for i in range(number, number + 20))
            number += 20
            self.n_sent = max(self.n_sent, number)
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            await asyncio.sleep(0.02)  # load
        writer.write(b"0\r\n\r\n")

    async def session(self, engine):
        first = self.n_acked
        reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
        writer.write(f"POST /v1/workspaces/{PUSHED}/entities/stream?create=1 HTTP/1.1\r\nHost: 127.0.0.1:{engine.port}\r\n"
                     f"Authorization: Bearer {engine.token}\r\nContent-Type: application/x-ndjson\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n".encode())
        sending = asyncio.ensure_future(self.send(writer, first))
        try:
            await reader.readuntil(b"\r\n\r\n")
            while line := await reader.readline():
                told = json.loads(line)
                if told["type"] == "ack":
                    need(not told["errors"], f"{told}")
                    self.n_acked = first + told["last_line"]
                self.is_done = told["type"] == "done" and told["complete"]
        finally:
            sending.cancel()
            writer.close()
        if not self.is_done:
            raise EOFError

    async def run(self):
        while not self.is_done:
            life = await self.street.life()
            try:
                await self.session(self.street.engine)
            except GONE:
                await self.street.end_of(life)

    def check(self, truth):
        """Each acknowledged line made one event, and no other did but one that was sent."""
        names = [e["data"]["name"] for e, _ in truth.values() if e["event_type"].startswith("entity.")]
        kinds = {e["event_type"] for e, _ in truth.values() if e["event_type"].startswith("entity.")}
        equal(kinds, {"entity.added"}, "what came of lines that have a key")
        equal(len(set(names)), len(names), "lines that happened once")
        lost = [i for i in range(self.n_acked) if f"e{i}" not in set(names)]
        need(not lost, f"{len(lost)} acknowledged lines are not there: {lost[:5]}")
        need({int(n[1:]) for n in names} <= set(range(self.n_sent)), "an entity that nobody sent")


def apply(rows, event):
    """key → rev, as a client keeps it: only what is newer than the row counts."""
    kind, data = event["event_type"], event["data"]
    if kind == "entity.deleted":
        if rows.get(data["key"], 0) < event["seq"]:
            rows.pop(data["key"], None)
    elif kind.startswith("entity.") and event["seq"] > rows.get(data["key"], 0):
        rows[data["key"]] = data["rev"]


class Street:
    """An index, its engines one after another, and those who listen."""

    def __init__(self, program, dice, n_kills):
        self.dice, self.n_kills = dice, n_kills
        self.engine = Engine(program)
        self.up, self.number = asyncio.Event(), 0
        self.over = asyncio.Event()
        self.epoch, self.is_ending = "", False
        self.sender = Sender(self)
        for i in range(4):
            os.mkdir(os.path.join(self.engine.root, f"d{i}"))
        in_d1 = {"key": "path", "cmp": "sw", "val": "d1/"}
        self.readers = [
            Reader(self), Reader(self, "gloss.v1.ndjson"), Listener(self), Mirror(self), Mirror(self, subprotocol="gloss.v1.ndjson"),
            Reader(self, events=["entity.*"], filter=in_d1, accepts=lambda e: e["event_type"].startswith("entity.") and
                   e["data"]["path"].startswith("d1/")),
            Reader(self, "gloss.v1.ndjson", events=["file:*"], accepts=lambda e: e["event_type"].startswith("file:"))]

    def on_epoch(self, epoch):
        need(not self.epoch or epoch == self.epoch, f"epoch {self.epoch} became {epoch}")
        self.epoch = epoch

    async def life(self):
        """Waits until an engine lives; its number."""
        await self.up.wait()
        return self.number

    async def end_of(self, number):
        while self.number == number and self.up.is_set() and not self.over.is_set():
            await asyncio.sleep(0.005)  # it was killed, or is about to be: nobody here knows which

    def change(self):
        path = f"d{self.dice.randrange(4)}/f{self.dice.randrange(N_FILES)}.c"
        if self.dice.random() < 0.15:
            try:
                os.unlink(os.path.join(self.engine.root, path))
            except FileNotFoundError:
                pass
        else:
            self.engine.write(path, source(self.dice))

    async def write(self):
        while True:
            for _ in range(self.dice.randrange(1, 5)):
                self.change()
            await asyncio.sleep(0.02)  # load

    async def live_and_die(self):
        if self.dice.random() < 0.15:  # while it comes up
            starting = asyncio.ensure_future(asyncio.to_thread(self.engine.start))
            await asyncio.sleep(self.dice.uniform(0, 0.15))
            while not self.engine.process and not starting.done():
                await asyncio.sleep(0.001)
            self.engine.process.send_signal(signal.SIGKILL)
            try:
                await starting
            except AssertionError:
                pass  # it said nothing any more
        else:
            await asyncio.to_thread(self.engine.start)
            self.up.set()
            await asyncio.sleep(self.dice.uniform(0, 0.4))  # the moment is what is random
        self.up.clear()
        self.number += 1
        await asyncio.to_thread(self.engine.kill)

    async def rest(self):
        """Nothing is under way any more: the head."""
        before = None
        end = time.monotonic() + REST_S
        while time.monotonic() < end:
            _, _, body = await self.engine.http("/v1/stats")
            w = next(w for w in json.loads(body)["workspaces"] if w["root"] == self.engine.root)
            now = (w["state"], w["head"], w["queue"]["depth"], w["queue"]["waiting"], w["queue"]["working"])
            if now == before and now[0] == "ready" and not any(now[2:]):
                return now[1]
            before = now
            await asyncio.sleep(0.05)  # the state has no event to wait for
        raise AssertionError(f"the engine never rests: {before}")

    async def truth(self, workspace):
        """The log as it is, whole: place → (event, its text)."""
        events, is_whole = {}, False
        client = await hubtest.Client.open(self.engine)
        reply = await client.subscribe(workspace=workspace, since={"seq": 0})
        equal((reply["recovered"], reply["from"], client.events), (True, 1, []))
        while not is_whole:
            text = await asyncio.wait_for(client.ws.recv(), hubtest.WAIT_S)
            event = json.loads(text)
            if event["type"] == "event" and "seq" in event:
                need(place(event) not in events, f"twice in the log: {place(event)}")
                events[place(event)] = event, text
                is_whole = event["seq"] >= reply["head"] and event.get("last")
        await client.close()
        equal(sorted({seq for seq, _ in events}), list(range(1, reply["head"] + 1)), "rows of the log")
        return events

    async def run(self):
        readers = [asyncio.ensure_future(r.run()) for r in self.readers]
        sender = asyncio.ensure_future(self.sender.run())
        writer = asyncio.ensure_future(self.write())
        try:
            for _ in range(self.n_kills):
                await self.live_and_die()
                for task in (*readers, sender, writer):
                    if task.done():
                        await task
            writer.cancel()
            await asyncio.to_thread(self.engine.start)
            self.up.set()
            self.is_ending = True
            await asyncio.wait_for(sender, REST_S)
            await self.rest()
            self.engine.write(MARK, "int mark(void) { return 1; }\n")
            await asyncio.wait_for(asyncio.gather(*readers), REST_S)
            self.over.set()
            truth, pushed = await self.truth(self.engine.root), await self.truth(PUSHED)
            for reader in self.readers:
                reader.check(truth)
            self.sender.check(pushed)
            return len(truth) + len(pushed), sum(r.sessions for r in self.readers), self.sender.n_acked
        finally:
            for task in (*readers, sender, writer):
                task.cancel()
            self.engine.finish()


async def run(program, n_kills, seed):
    left, number, sums = n_kills, 0, (0, 0, 0)
    while left > 0:
        shares = [n for n in (min(LIVES, left // STREETS + (i < left % STREETS)) for i in range(STREETS)) if n > 0]
        streets = [Street(program, random.Random(seed + number + i), n) for i, n in enumerate(shares)]
        number += len(streets)
        left -= sum(shares)
        sums = tuple(map(sum, zip(sums, *await asyncio.gather(*(s.run() for s in streets)))))
    return sums


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    n_kills = args.kills or (10 if has_sanitizer(program) else 50)
    began = time.monotonic()
    problems, sums = [], (0, 0, 0)
    try:
        sums = asyncio.run(run(program, n_kills, args.seed))
    except Exception:  # noqa: BLE001: whatever it was, it is this run's failure
        problems = traceback.format_exc().splitlines()
    print(f"# --seed {args.seed}, {time.monotonic() - began:.1f} s")
    verdict(f"{n_kills} times kill -9 of an engine with subscribers, {sums[0]} events in the logs ({sums[1]} subscriptions, "
            f"{sums[2]} lines acknowledged): each subscriber has each of them, none twice, and no other; each acknowledged "
            "line is there, once", problems)


main()
