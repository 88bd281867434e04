"""An engine in a place of its own, clients for it, and TAP. The tests are coroutines given to main()."""
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True

import websockets  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from traffic import TRAFFIC  # noqa: E402

WAIT_S = 30  # for anything that is sure to come
WRONG_TOKEN = "0" * 64

TWO_FUNCTIONS = """\
int add(int a, int b)
{
    return a + b;
}

int sub(int a, int b)
{
    return a - b;
}
"""


class Skip(Exception):
    """What a test raises when the machine lacks what it needs."""


class Recorded(websockets.WebSocketClientProtocol):
    """Tells TRAFFIC what passes."""

    number = None

    def number_of(self):
        if self.number is None:
            self.number = TRAFFIC.open(self.path)
        return self.number

    async def send(self, message):
        if isinstance(message, list):
            TRAFFIC.said(self.number_of(), "".join(message))
        elif isinstance(message, str):
            TRAFFIC.said(self.number_of(), message)
        await super().send(message)

    async def recv(self):
        message = await super().recv()
        if isinstance(message, str):
            TRAFFIC.heard(self.number_of(), message)
        return message


class Engine:
    """`gloss serve` on a workspace of its own, without language servers: their hovers are changes too."""

    def __init__(self, program, wrap=()):
        self.program = program
        self.wrap = list(wrap)
        self.home = tempfile.mkdtemp(prefix="gloss-hub-")
        self.root = os.path.join(self.home, "tree")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GLOSS_")}
        self.env.update(GLOSS_ENRICH_ENABLED="false", HOME=self.home)
        # What strangers may do is test_limits' matter; the others knock without the token as often as they like.
        self.env.update(GLOSS_HUB_BAD_TOKENS="1000000", GLOSS_HUB_STRANGERS="1000000")
        for name in ("RUNTIME_DIR", "STATE_HOME", "CONFIG_HOME", "CACHE_HOME"):
            self.env["XDG_" + name] = os.path.join(self.home, name.lower())
            os.mkdir(self.env["XDG_" + name], 0o700)
        os.mkdir(self.root)
        self.process = None
        self.write("a.c", TWO_FUNCTIONS)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        temporary = os.path.join(self.home, "being-written")
        with open(temporary, "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(temporary, path)

    def start(self, *roots):
        here, there = os.pipe()
        with open(os.path.join(self.home, "log"), "ab") as log:
            self.process = subprocess.Popen(
                self.wrap + [self.program, "serve", "--idle-exit", "0", "--ready-fd", str(there),
                             *(roots or (self.root,))],
                env=self.env, pass_fds=(there,), stderr=log, stdin=subprocess.DEVNULL)
        os.close(there)
        with os.fdopen(here) as ready:
            line = ready.readline().strip()
        if line != "ready":
            raise AssertionError(f"the engine said {line!r}: {self.said()}")
        with open(os.path.join(self.env["XDG_RUNTIME_DIR"], "gloss", "engine.json"),
                  encoding="utf-8") as f:
            about = json.load(f)
        self.port, self.token, self.pid = about["port"], about["token"], about["pid"]
        return self

    def said(self):
        with open(os.path.join(self.home, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-4000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self):
        """As the user does; the engine must leave nothing open, which it would say by its exit code."""
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(WAIT_S)
        self.process = None
        if code != 0:
            raise AssertionError(f"the engine ended with {code}: {self.said()}")

    def finish(self):
        try:
            self.stop()
        finally:
            if self.process:
                self.kill()
            shutil.rmtree(self.home, ignore_errors=True)

    # ---- clients ----

    def connect(self, path="/v1/ws", token=None, host=None, origin=None, subprotocols=("gloss.v1",),
                headers=None, **options):
        more = dict(headers or {})
        if token is None:
            more["Authorization"] = "Bearer " + self.token
        elif token:
            more["Authorization"] = "Bearer " + token
        return websockets.connect(
            f"ws://{host or '127.0.0.1'}:{self.port}{path}", subprotocols=list(subprotocols) or None,
            extra_headers=more, origin=origin, open_timeout=WAIT_S, max_size=None, ping_interval=None,
            compression=None, close_timeout=WAIT_S, create_protocol=Recorded, **options)

    async def http(self, path, method="GET", token=None, headers=None, host=None, body=None):
        """Status, headers and body of one request, whose own body is JSON."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}"]
        if token is None:
            token = self.token
        if token:
            lines.append("Authorization: Bearer " + token)
        lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
        text = b"" if body is None else json.dumps(body).encode()
        if text:
            lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
        answer = await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        return parse_http(answer)

    async def raw(self, request):
        """What comes back until the engine closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            answer = await asyncio.wait_for(reader.read(), WAIT_S)
            keep_http(request, answer)
            return answer
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


def parse_http(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.1 ") else 0
    headers = {k.strip().lower(): v.strip() for k, v in (l.split(":", 1) for l in lines[1:])}
    return status, headers, body


def keep_http(request, answer):
    """What the answer to a request was, if it was one."""
    words = request.split(b"\r\n")[0].decode("latin-1").split(" ")
    if answer.startswith(b"HTTP/1.1 ") and not answer.startswith(b"HTTP/1.1 1"):
        TRAFFIC.http(words[0], words[1] if len(words) == 3 else None, *parse_http(answer))


async def receive(ws):
    """The next message but a heartbeat: those come by the clock, wherever a test is."""
    end = time.monotonic() + WAIT_S
    while True:
        message = json.loads(await asyncio.wait_for(ws.recv(), end - time.monotonic()))
        if message.get("event_type") != "heartbeat":
            return message


class Client:
    """A WebSocket whose events are kept while a response is awaited."""

    def __init__(self, ws):
        self.ws = ws
        self.events = []
        self.number = 0

    @classmethod
    async def open(cls, engine, **options):
        client = cls(await engine.connect(**options))
        client.hello = await receive(client.ws)
        return client

    async def request(self, action, data=None, **more):
        self.number += 1
        request_id = f"r{self.number}"
        await self.ws.send(json.dumps({"type": "request", "action": action, "request_id": request_id,
                                       "data": data or {}, **more}))
        while True:
            message = await receive(self.ws)
            if message["type"] == "response" and message["request_id"] == request_id:
                return message
            self.events.append(message)

    async def subscribe(self, **data):
        reply = await self.request("subscribe", data)
        assert reply["success"], reply
        return reply["data"]

    async def next_event(self):
        return self.events.pop(0) if self.events else await receive(self.ws)

    async def until(self, wanted):
        """Events up to the first one that is wanted, with it."""
        seen = []
        while True:
            event = await self.next_event()
            seen.append(event)
            if wanted(event):
                return seen

    async def until_seq(self, seq):
        return await self.until(lambda e: e.get("seq", 0) >= seq and e.get("last"))

    async def close(self):
        """Reads what still comes: the library waits for the other's close behind a queue that nobody empties."""
        closing = asyncio.ensure_future(self.ws.close())
        try:
            while True:
                await self.ws.recv()
        except (websockets.ConnectionClosed, RuntimeError):  # the latter: somebody reads already
            pass
        try:
            await closing
        except websockets.ConnectionClosed:
            pass  # the engine was killed, and has no close to send


def completed(path):
    return lambda e: e.get("event_type") == "file:completed" and e["subject"] == path


def places(events):
    return [(e["seq"], e["i"]) for e in events if e.get("seq")]


async def indexed(engine, n_entities=2):
    """Waits until the workspace holds so many entities and nothing is under way; its status."""
    deadline = time.monotonic() + WAIT_S
    client = await Client.open(engine, path="/v1/ws")
    workspace = client.hello["workspaces"][0]["id"]
    await client.subscribe(workspace=workspace)
    while True:
        status = (await client.request("stats"))["data"]["workspaces"][0]
        if status["state"] == "ready" and status["entities"] == n_entities:
            await client.close()
            return status
        if time.monotonic() > deadline:
            raise AssertionError(f"not indexed: {status}")
        await asyncio.sleep(0.02)  # the state has no event to wait for


async def hub_stats(asked):
    """What the hub counts; whoever asks is one of its sockets, a client that is there or one for this alone."""
    if isinstance(asked, Client):
        return (await asked.request("stats"))["data"]["hub"]
    _, _, body = await asked.http("/v1/stats")
    return json.loads(body)["hub"]


async def until_stats(asked, wanted):
    deadline = time.monotonic() + WAIT_S
    while True:
        stats = await hub_stats(asked)
        if wanted(stats):
            return stats
        assert time.monotonic() < deadline, stats
        await asyncio.sleep(0.02)  # a count has no event to wait for


async def closed_with(ws):
    """The close code the engine sent."""
    try:
        while True:
            await asyncio.wait_for(ws.recv(), WAIT_S)
    except websockets.ConnectionClosed as e:
        return e.rcvd.code if e.rcvd else None


async def refused(connecting):
    """Status with which a WebSocket was refused; 0: the connection ended without an answer."""
    try:
        ws = await connecting
    except websockets.InvalidStatusCode as e:
        return e.status_code
    except (websockets.InvalidMessage, ConnectionResetError):
        return 0
    await ws.close()
    return 101


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}")


def changed(number):
    return TWO_FUNCTIONS.replace("return a + b;", f"return a + b + {number};")


def has_sanitizer(program):
    """It keeps what is freed, takes its time, and lets neither valgrind nor strace look on."""
    with open(program, "rb") as f:
        text = f.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


async def started(engine):
    engine.start()
    await indexed(engine)


def engine_test(tests, before=started):
    """A decorator: a test on an engine of its own, put into the list."""
    def decorate(fn):
        async def run(program):
            engine = Engine(program)
            try:
                await before(engine)
                await fn(engine)
            finally:
                engine.finish()
        run.__name__ = fn.__name__
        tests.append(run)
        return run
    return decorate


def one_test(program, run):
    """What run(engine) returns, or None, and what went wrong with it and at its end."""
    result, problems = None, []
    engine = Engine(os.path.abspath(program)).start()
    try:
        result = asyncio.run(run(engine))
    except Exception:  # noqa: BLE001: whatever it was, it is this run's failure
        problems = traceback.format_exc().splitlines()
    try:
        engine.finish()
    except Exception as e:  # noqa: BLE001
        problems.append(f"at the end: {e}")
    return result, problems


def verdict(what, problems, n_shown=1000):
    """The end of a program that is one test."""
    print("1..1")
    print(f"{'not ok' if problems else 'ok'} 1 - {what}")
    for line in problems[:n_shown]:
        print(f"# {line}")
    if len(problems) > n_shown:
        print(f"# and {len(problems) - n_shown} more")
    sys.exit(1 if problems else 0)


def main(tests, setup=True):
    """Runs each on one engine (or with the program's path, if setup is False); prints TAP."""
    program = os.path.abspath(sys.argv[1])
    only = sys.argv[2:]
    failed = 0
    tests = [t for t in tests if not only or t.__name__ in only]
    print(f"1..{len(tests) + TRAFFIC.is_kept}", flush=True)
    engine = Engine(program).start() if setup else None
    try:
        for number, test in enumerate(tests, 1):
            name = test.__name__.removeprefix("test_").replace("_", " ")
            try:
                asyncio.run(asyncio.wait_for(test(engine or program), 10 * WAIT_S))
                print(f"ok {number} - {name}", flush=True)
            except Skip as why:
                print(f"ok {number} - {name} # SKIP {why}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {name}")
                print("".join("# " + l for l in traceback.format_exc().splitlines(True)), flush=True)
    finally:
        if engine:
            try:
                engine.finish()
            except Exception as e:
                failed += 1
                print(f"# at the end: {e}")
    if TRAFFIC.is_kept:
        failed += TRAFFIC.point(len(tests) + 1)
    sys.exit(1 if failed else 0)
