"""The sample clients of docs/examples, what README.md and docs print for a shell, and the clients that two earlier
designs printed (samples/), against a real engine."""
import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
import threading
from urllib.parse import quote
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import hubtest
from hubtest import Client as Socket
from hubtest import Engine, Skip, changed, equal, indexed, main, until_stats

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "docs", "examples")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Program:
    """A client as a program of its own; what it prints is awaited line by line."""

    def __init__(self, process):
        self.process = process
        self.lines = []

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, engine, *command, text=None, **options):
        process = await asyncio.create_subprocess_exec(
            *command, env=engine.env, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, **options)
        program = cls(process)
        try:
            if text is not None:
                process.stdin.write(text.encode())
                process.stdin.write_eof()
            yield program
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def line(self):
        raw = await asyncio.wait_for(self.process.stdout.readline(), hubtest.WAIT_S)
        if not raw:
            raise AssertionError(f"it ended after {self.lines}")
        self.lines.append(raw.decode().rstrip("\n"))
        return self.lines[-1]

    async def until(self, pattern):
        """The match in the first line that has one."""
        while True:
            found = re.search(pattern, await self.line())
            if found:
                return found

    async def end(self):
        """All that it prints; it must end well."""
        out, _ = await asyncio.wait_for(self.process.communicate(), hubtest.WAIT_S)
        equal(self.process.returncode, 0, out.decode())
        return out.decode()


async def subscribed(engine, n):
    """So many subscriptions are there."""
    await until_stats(engine, lambda s: s["subscriptions"] >= n)


# ---- ours ----

async def test_python(engine):
    """It is told of each event once, though the engine is killed meanwhile."""
    engine = Engine(engine.program).start()
    try:
        await indexed(engine)
        watcher = await Socket.open(engine)
        await watcher.subscribe()
        async with Program.of(engine, hubtest.sys.executable, os.path.join(EXAMPLES, "client.py"), engine.root) as client:
            got = []

            async def take(number):
                engine.write("a.c", changed(number))
                while not got or f"completed{number}" not in got:
                    found = re.match(r"(\d+) (\d+) (\S+) (.*)$", await client.line())
                    assert found, client.lines
                    got.append((int(found[1]), int(found[2])))
                    if found[3] == "file:completed":
                        got.append(f"completed{number}")

            await subscribed(engine, 2)
            await take(1)
            engine.kill()
            await watcher.close()
            engine.start()
            await indexed(engine)
            await take(2)
        places = [g for g in got if isinstance(g, tuple)]
        equal(places, sorted(set(places)))
        seqs = sorted({seq for seq, _ in places})
        equal(seqs, list(range(seqs[0], seqs[-1] + 1)))
    finally:
        engine.finish()


async def test_python_loses_rows_once(engine):
    """The log is a new one: it says so, and after another break it goes on in that."""
    engine = Engine(engine.program).start()
    try:
        await indexed(engine)
        async with Program.of(engine, hubtest.sys.executable, os.path.join(EXAMPLES, "client.py"), engine.root) as client:
            await subscribed(engine, 1)
            engine.kill()
            shutil.rmtree(os.path.join(engine.env["XDG_STATE_HOME"], "gloss"))
            engine.start()
            await indexed(engine)
            await client.until("^rows are lost: epoch$")
            engine.kill()  # before anything else happened
            engine.start()
            await indexed(engine)
            await subscribed(engine, 1)
            engine.write("a.c", changed(8))
            await client.until("file:completed")
            equal([l for l in client.lines if l.startswith("rows")], ["rows are lost: epoch"])
    finally:
        engine.finish()


async def node_with_sockets(engine):
    """How this machine's node is started so that it has WebSocket; Node 20 wants to be asked."""
    for flags in ([], ["--experimental-websocket"]):
        async with Program.of(engine, "node", *flags, "--eval", "process.exit(typeof WebSocket === 'function' ? 0 : 1)") as p:
            await p.process.communicate()
            if p.process.returncode == 0:
                return ["node", "--no-warnings", *flags]
    raise Skip("this node has no WebSocket")


async def test_node(engine):
    node = await node_with_sockets(engine)
    await indexed(engine)
    async with Program.of(engine, *node, os.path.join(EXAMPLES, "client.mjs"), "add", engine.root) as client:
        await client.until(r"^function add at a\.c:1$")
        await client.until("^no hover: ")
        await client.until("^following$")
        engine.write("a.c", changed(3))
        await client.until(r"^entity\.updated c:fn:a\.c#add$")


async def test_curl(engine):
    status = await indexed(engine)
    for arguments in (("sub",), ("sub", status["id"])):
        async with Program.of(engine, os.path.join(EXAMPLES, "curl.sh"), *arguments) as client:
            out = await client.end()
            assert "function sub at a.c:6" in out and '"key": "c:fn:a.c#sub"' in out, out


@contextlib.contextmanager
def curl_that_tells(engine):
    """Its arguments, by the function that is given."""
    was = engine.env["PATH"]
    folder = tempfile.mkdtemp(dir=engine.home)
    told = os.path.join(folder, "told")
    with open(os.path.join(folder, "curl"), "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {told}\nexec {shutil.which("curl")} "$@"\n')
    os.chmod(f.name, 0o700)

    def read():
        with open(told, encoding="utf-8") as f:
            return f.read()

    engine.env["PATH"] = folder + os.pathsep + was
    try:
        yield read
    finally:
        engine.env["PATH"] = was


async def test_curl_is_not_told_the_token(engine):
    """Its arguments are for everybody to see."""
    await indexed(engine)
    with curl_that_tells(engine) as told:
        async with Program.of(engine, os.path.join(EXAMPLES, "curl.sh"), "sub") as client:
            await client.end()
    assert "/v1/workspaces" in told() and engine.token not in told(), told()


# ---- in a browser ----

class Pages(BaseHTTPRequestHandler):
    pages = {}

    def do_GET(self):
        page = self.pages.get(self.path.split("?")[0])
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, *arguments):
        pass


@contextlib.asynccontextmanager
async def origin_of(engine, pages):
    """Serves pages at an origin of their own, which the engine lets in as docs/examples says; with the address that
    `gloss dashboard` prints."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Pages,), {"pages": pages}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        origin = f"http://127.0.0.1:{server.server_port}"
        async with Program.of(engine, engine.program, "dashboard", "--print", "--origin", origin, engine.root) as p:
            yield origin, (await p.end()).strip()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page(engine, address):
    if not CHROMIUM:
        raise Skip("there is no chromium")
    if not os.path.isdir(os.path.join(HERE, "node_modules", "playwright-core")):
        raise Skip("tests/hub/node_modules is missing: ./dev setup")
    return Program.of(engine, "node", os.path.join(HERE, "browse.mjs"), CHROMIUM, address)


async def see(browser, selector, text):
    browser.process.stdin.write(f"{selector}\t{text}\n".encode())
    await browser.until("^seen$")


def example(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as f:
        return f.read()


async def test_browser(engine):
    await indexed(engine)
    async with origin_of(engine, {"/browser.html": example("browser.html")}) as (origin, address):
        async with page(engine, f"{origin}/browser.html#{address}") as browser:
            await see(browser, "#state", "following")
            engine.write("a.c", changed(4))
            await see(browser, "#events li", "entity.updated c:fn:a.c#add")
            await see(browser, "#events li", "file:completed a.c")


async def test_browser_of_a_foreign_origin(engine):
    """The same page of an origin that nobody let in."""
    await indexed(engine)
    async with origin_of(engine, {"/browser.html": example("browser.html")}) as (origin, address):
        foreign = origin.replace("127.0.0.1", "localhost")
        async with page(engine, f"{foreign}/browser.html#{address}") as browser:
            await see(browser, "#state", "closed: 1006")


# ---- those of earlier designs ----

def sample(name, *changes):
    """As it was printed, but for the address and the token: pairs of what was there, once, and what is there now."""
    with open(os.path.join(HERE, "samples", name), encoding="utf-8") as f:
        text = f.read()
    for old, new in changes:
        equal(text.count(old), 1, f"{name}: {old}")
        text = text.replace(old, new)
    return text


def offer(engine):
    return f"['gloss.v1', 'bearer.{engine.token}']"


def socket_of(engine, workspace):
    """What a JavaScript sample connects to."""
    return ("'ws://localhost:8000/v1/libraries/{id}/ws'",
            f"'ws://localhost:{engine.port}/v1/libraries/{workspace}/ws', {offer(engine)}")


async def test_usage_in_python(engine):
    workspace = (await indexed(engine))["id"]
    text = sample("usage.py", ("localhost:8000", f"localhost:{engine.port}"), ("{library_id}", workspace),
                  ("connect(uri)", f"connect(uri, subprotocols={offer(engine)})"))
    async with Program.of(engine, hubtest.sys.executable, "-u", "-", text=text) as client:
        await client.until("'message': 'Connected to workspace ")
        await client.until("'request_id': '123', 'success': True, 'data': ")
        engine.write("a.c", changed(5))
        await client.until(r"^Event: entity\.updated$")
        await client.until(r"^Event: file:completed$")


async def test_usage_in_node(engine):
    node = await node_with_sockets(engine)
    workspace = (await indexed(engine))["id"]
    text = sample("usage.js", socket_of(engine, workspace))
    async with Program.of(engine, *node, "-", text=text) as client:
        await client.until("^Response: ")
        engine.write("a.c", changed(6))
        await client.until(r"^Event: entity\.updated ")
        await client.until("^Event: file:completed ")


async def test_usage_in_a_browser(engine):
    workspace = (await indexed(engine))["id"]
    script = sample("usage.js", socket_of(engine, workspace))
    async with origin_of(engine, {"/": f"<!doctype html><script>{script}</script>"}) as (origin, _):
        async with page(engine, origin + "/") as browser:
            await browser.until("^console: Response: ")
            engine.write("a.c", changed(7))
            await browser.until(r"^console: Event: entity\.updated ")


async def library(engine, name="papers"):
    """A workspace of a scanner's own, which is what an earlier design calls a library; its name does for its id."""
    status, _, body = await engine.http(f"/v1/libraries/{name}/documents?create=1", "POST",
                                        body={"title": "First", "text": "machine learning"})
    equal(status, 200, body)
    return name


async def test_socket_in_node(engine):
    """As printed it sends before the connection is open, which no WebSocket lets it: the sending waits here."""
    node = await node_with_sockets(engine)
    name = await library(engine)
    text = sample("socket.js", socket_of(engine, name),
                  ("// Add document\n", "ws.onopen = () => {\n"), ("  k: 10\n}));\n", "  k: 10\n}));\n}\n"),
                  ("const data = JSON.parse(event.data);", "const data = JSON.parse(event.data); console.log(event.data);"))
    async with Program.of(engine, *node, "-", text=text) as client:
        answers = {"stored": None, "results": None}
        while None in answers.values():  # they may come in either order
            data = json.loads((await client.until(r'^\{.*"type":"response".*'))[0])["data"]
            await client.until("^Document added: ")
            answers.update((k, v) for k, v in data.items() if k in answers)
        equal(answers["stored"], 1)
    found = json.loads((await engine.http(f"/v1/libraries/{name}/search?q=New%20Doc"))[2])["results"]
    equal([(row["name"], row["kind"]) for row in found], [("New Doc", "section")])
    entity = json.loads((await engine.http(f"/v1/libraries/{name}/documents/{quote(found[0]['key'])}"))[2])["entity"]
    equal(entity["hover"]["markdown"], "chunk 1\n\nchunk 2")


async def test_events_in_node(engine):
    """EventSource of the package eventsource: a browser's cannot send a token."""
    name = await library(engine)
    if not os.path.isdir(os.path.join(HERE, "node_modules", "eventsource")):
        raise Skip("tests/hub/node_modules is missing: ./dev setup")
    with_token = ("{ fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, "
                  f"Authorization: 'Bearer {engine.token}' }} }}) }}")
    text = sample("events.js", ("'/v1/events/stream?library_id=...'",
                                f"'http://localhost:{engine.port}/v1/events/stream?library_id={name}', {with_token}"))
    text = "import { EventSource } from 'eventsource';\n" + text + "eventSource.onopen = () => console.log('open');\n"
    async with Program.of(engine, "node", "--input-type=module", "-", text=text, cwd=HERE) as client:
        await client.until("^open$")
        await engine.http(f"/v1/libraries/{name}/documents", "POST", body={"title": "Second", "text": "x"})
        equal((await client.until("^New document: (.*)$"))[1], "text:sec:Second#Second")


async def run_shell(engine, text):
    async with Program.of(engine, "sh", "-e", text=text, cwd=engine.home) as shell:
        return await shell.end()


async def test_stream_with_curl(engine):
    name = await library(engine)
    with open(os.path.join(engine.home, "documents.ndjson"), "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"title": f"Doc {n}", "texts": ["chunk1", "chunk2"]}) + "\n" for n in range(2500))
    bearer = f'-H "Authorization: Bearer {engine.token}"'
    out = await run_shell(engine, sample("stream.sh", ("localhost:8000", f"localhost:{engine.port}"), ("{id}", name),
                                         ("-X POST", f"-s {bearer} -X POST")))
    last = json.loads(out.splitlines()[-1])
    equal((last["type"], last["stored"], last["complete"]), ("done", 2500, True))


async def test_jobs_with_curl(engine):
    name = await library(engine)
    bearer = f'-H "Authorization: Bearer {engine.token}"'
    documents = json.dumps([{"title": f"Job {n}", "texts": ["a", "b"]} for n in range(1000)])
    here = f"http://localhost:{engine.port}"
    submit, poll = sample("jobs.sh", ("[...1000 documents...]", documents), ("{id}", name)) \
        .replace("http://localhost:8000", here).replace("curl ", f"curl -s {bearer} ").split("# Poll job status\n")
    reply = json.loads(await run_shell(engine, submit))
    equal((reply.get("status"), reply.get("status_url")), ("submitted", f"/v1/jobs/{reply.get('job_id')}"), reply)
    while True:
        job = json.loads(await run_shell(engine, poll.replace("{job_id}", reply["job_id"])))
        if job["status"] not in ("pending", "running"):
            break
    equal((job["status"], job["error"]), ("completed", None), job)
    found = json.loads((await engine.http(f"/v1/libraries/{name}/search?q=Job%20999"))[2])["results"]
    equal(found[0]["name"], "Job 999")


def pages_shell(page, word):
    """The commands of the first block for a shell that has the word."""
    with open(os.path.join(EXAMPLES, "..", "..", page), encoding="utf-8") as f:
        blocks = re.findall(r"^```sh\n(.*?)^```$", f.read(), re.M | re.S)
    return next(block for block in blocks if word in block)


async def test_shell_of_the_pages(engine):
    """As printed; the token is nobody's argument, which all users of the machine can read."""
    tree = os.path.join(engine.home, "src", "other")
    os.makedirs(tree)
    with open(os.path.join(tree, "b.c"), "w", encoding="utf-8") as f:
        f.write("int other;\n")
    with open(os.path.join(engine.home, "entities.ndjson"), "w", encoding="utf-8") as f:
        f.write(json.dumps({"title": "Doc", "text": "x"}) + "\n")
    with curl_that_tells(engine) as told:
        with_path = f"PATH='{os.path.dirname(os.path.abspath(engine.program))}{os.pathsep}{engine.env['PATH']}'\n"
        out = await run_shell(engine, with_path + pages_shell("docs/METRICS.md", "curl"))
        assert "\ngloss_hub_requests_total " in out, out
        out = await run_shell(engine, with_path + pages_shell("docs/PROTOCOL.md", "curl"))
        equal(json.loads(out.splitlines()[-1])["complete"], True, out)
        commands = with_path + pages_shell("README.md", "curl")
        async with Program.of(engine, "sh", "-e", "-c", commands, cwd=engine.home, start_new_session=True) as shell:
            try:
                await shell.until('"stored":1,"failed":0,.*"complete":true')
                await shell.until("^pushed 1 files to other")
                await shell.until('^data: .*"event_type":"entity.added".*"name":"Doc"')
            finally:
                os.killpg(shell.process.pid, signal.SIGKILL)
    assert "/metrics" in told() and "entities/stream" in told() and engine.token not in told(), told()
    equal((await engine.http("/v1/workspaces/other"))[0], 200)


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
