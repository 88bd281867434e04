"""The hub under load, and against a bare libwebsockets broadcast of frames of the same size, in turns. One client for
all (hub_load.c); the events are what happens when files of a workspace are written. Client, engine and whoever writes
the files share the machine."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

from index import ROOT, row

FUNCTIONS = 100  # of a file; with the file's own event a file written is FUNCTIONS + 1 events
EVENTS_PER_FILE = FUNCTIONS + 1
N_FILES = 400
PLAIN, LINES = "gloss.v1", "gloss.v1.ndjson"
DRAINED_FILES = 200  # written before a fan-out is measured; the engine has their events in memory
TICK = os.sysconf("SC_CLK_TCK")
CROWD_LINES = 200  # of a frame of the bare loop of send()
STUCK_S = 16  # until one that does not read was closed


class Failed(Exception):
    pass


def functions(salt, n=FUNCTIONS):
    return "".join(f"int f{i}(int a)\n{{\n    return a + {salt + i};\n}}\n" for i in range(n))


class Engine:
    """`gloss serve` on a tree of its own, without language servers."""

    def __init__(self, n_files):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="gloss-bench-hub-"))
        self.tree = self.home / "tree"
        self.tree.mkdir()
        self.n_files, self.salt, self.process = n_files, 0, None
        env = {**os.environ, "GLOSS_ENRICH_ENABLED": "false", "HOME": str(self.home)}
        for name in ("RUNTIME_DIR", "STATE_HOME", "CONFIG_HOME", "CACHE_HOME"):
            env["XDG_" + name] = str(self.home / name.lower())
            os.mkdir(env["XDG_" + name], 0o700)
        for number in range(n_files):
            self.write(number)
        here, there = os.pipe()
        self.log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(
            [ROOT / "build" / "gloss", "serve", "--idle-exit", "0", "--ready-fd", str(there), self.tree], env=env,
            pass_fds=(there,), stdin=subprocess.DEVNULL, stderr=self.log)
        os.close(there)
        with os.fdopen(here) as ready:
            if ready.readline().strip() != "ready":
                raise Failed(f"the engine did not come up: {(self.home / 'log').read_text()}")
        about = json.loads((self.home / "runtime_dir" / "gloss" / "engine.json").read_text(encoding="utf-8"))
        self.port, self.token, self.pid = about["port"], about["token"], about["pid"]
        self.wait_indexed()

    def write(self, number, n=FUNCTIONS):
        """All of its functions change."""
        self.salt += 1
        new = self.home / "new"
        new.write_text(functions(self.salt * 1000, n), encoding="utf-8")
        new.rename(self.tree / f"f{number}.c")

    def get(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def wait_indexed(self):
        """Until nothing is under way; the head of the log."""
        seen = None
        for _ in range(1200):
            w = self.get("/v1/stats")["workspaces"][0]
            now = (w["state"], w.get("head"), w["queue"]["depth"], w["queue"]["waiting"], w["queue"]["working"])
            if now == seen and now[0] == "ready" and not any(now[2:]):
                return now[1]
            seen = now
            time.sleep(0.1)
        raise Failed("the engine never rests")

    def write_all(self):
        """Each file once more; the cursor before that."""
        before, epoch = self.wait_indexed(), self.get("/v1/workspaces")["workspaces"][0]["epoch"]
        for number in range(self.n_files):
            self.write(number)
        for _ in range(600):
            if self.wait_indexed() >= before + self.n_files:
                return f"{epoch}:{before}"
        raise Failed("not all files were seen")

    def loop_seconds(self):
        """Processor time of the loop, which is where the hub lives."""
        with open(f"/proc/{self.pid}/task/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Bare:
    """The broadcast that the hub is compared with."""
    program = "bench_hub_bare"

    def __init__(self, *arguments):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.token = "-"
        self.process = subprocess.Popen([ROOT / "build" / "tests" / "bench" / self.program, str(self.port),
                                         *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise Failed("the bare server did not come up")
        self.pid = self.process.pid

    loop_seconds = Engine.loop_seconds
    resident_bytes = Engine.resident_bytes

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Send(Bare):
    """Frames that were made once, by a bare loop of send() to every socket: what the kernel takes."""
    program = "bench_hub_send"


class Load:
    """The client."""

    def __init__(self, server, n, subprotocol=LINES, stuck=0, sample_every=1):
        self.process = subprocess.Popen(
            [ROOT / "build" / "tests" / "bench" / "bench_hub_load", str(server.port), server.token, subprotocol, str(n),
             str(stuck), str(sample_every)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.up = self.said()
        if self.up["refused"]:
            raise Failed(f"{self.up['refused']} connections were refused")

    def said(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the client ended")
        return json.loads(line)

    def tell(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        return self.said()

    def subscribe(self, **data):
        return self.tell("subscribe", json.dumps(data))

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@contextlib.contextmanager
def closing(thing):
    try:
        yield thing
    finally:
        thing.close()


class Writer(threading.Thread):
    """Writes files so that so many events come into being each second."""

    def __init__(self, engine, events_per_s, functions_per_file=FUNCTIONS):
        super().__init__(daemon=True)
        self.engine, self.n, self.n_files = engine, functions_per_file, 0
        self.interval_s = (functions_per_file + 1) / events_per_s
        self.is_over = threading.Event()
        self.start()

    def run(self):
        began = time.monotonic()
        while not self.is_over.is_set():
            self.engine.write(self.n_files % self.engine.n_files, self.n)
            self.n_files += 1
            ahead = began + self.n_files * self.interval_s - time.monotonic()
            if ahead > 0:
                self.is_over.wait(ahead)

    def close(self):
        self.is_over.set()
        self.join()


def flow(engine, load, seconds, events_per_s, functions_per_file=FUNCTIONS, warm_s=1.0):
    """What the client says of so long a time of it, and of it the loop's cores."""
    with closing(Writer(engine, events_per_s, functions_per_file)) as writer:
        time.sleep(warm_s)
        n_files, began = writer.n_files, time.monotonic()
        result = listen(engine, load, seconds)
        result["offered"] = (writer.n_files - n_files) * (functions_per_file + 1) / (time.monotonic() - began)
    return result


def listen(server, load, seconds):
    load.tell("mark")
    began, loop_s = time.monotonic(), server.loop_seconds()
    time.sleep(seconds)
    result = load.tell("mark")
    result["cores"] = (server.loop_seconds() - loop_s) / (time.monotonic() - began)
    result["client_cores"] = result["cpu_s"] / result["seconds"]
    result["per_s"] = result["events"] / result["seconds"]
    return result


def lossless(result):
    return result["gaps"] == 0 and result["repeats"] == 0 and not result["closed"]


def thousand(n):
    return f"{n / 1e6:.2f} M" if n >= 1e6 else f"{n / 1e3:.1f} K"


# ---- the rows ----

def connections(options):
    up, kib = [], []
    for _ in range(1 if options.quick else 5):
        with closing(Engine(1)) as engine:
            with closing(Load(engine, 50)):  # what the first ones cost is not theirs
                pass
            before = engine.resident_bytes()
            with closing(Load(engine, 1000)) as load:
                up.append(load.up["up_s"])
                kib.append((engine.resident_bytes() - before) / 1024 / 1000)
    up_s, each = statistics.median(up), statistics.median(kib)
    return [row("1,000 connections up, hello received", f"{up_s:.3f} s", "< 1 s", up_s < 1, must=True),
            row("memory of each", f"{each:.1f} KiB", "≤ 12 KiB", each <= 12, must=True)]


def durable(options):
    rows = []
    seconds = 2 if options.quick else 10
    for subprotocol, must in ((LINES, True), (PLAIN, False)):
        with closing(Engine(N_FILES)) as engine, closing(Load(engine, 100, subprotocol, sample_every=16)) as load:
            load.subscribe()
            r = flow(engine, load, seconds, 10000)
        met = lossless(r) and r["p99_us"] <= 100000 and r["per_s"] >= 0.95 * 10000 * 100
        rows.append(row(f"10,000 durable events/s to 100 subscribers ({subprotocol})",
                        f"{thousand(r['per_s'])} deliveries/s, p99 {r['p99_us'] / 1e3:.0f} ms, {r['gaps']} gaps, "
                        f"{r['repeats']} repeats, loop {r['cores']:.2f} cores",
                        "1 M deliveries/s, commit → receive p99 ≤ 100 ms, none lost, none twice" if must else "",
                        met if must else None, must))
    return rows


def idle(options):
    rows = []
    for n in (1, 100):
        with closing(Engine(50)) as engine, closing(Load(engine, n, PLAIN)) as load:
            load.subscribe(events=["file:completed"])
            r = flow(engine, load, 3 if options.quick else 15, 40, functions_per_file=1)
        rows.append(row(f"20 changes/s, {n} subscriber{'s' if n > 1 else ''}: from the event's time to its receipt",
                        f"median {r['p50_us'] / 1e3:.1f} ms, p99 {r['p99_us'] / 1e3:.1f} ms",
                        "p99 ≤ 5 ms" if n == 1 else "", r["p99_us"] <= 5000 if n == 1 else None, must=n == 1))
    return rows


def cost(result):
    """Who the processors worked for."""
    return (f"loop {result['cores']:.2f} cores, client {result['client_cores']:.2f}: "
            f"{result['cores'] / result['per_s'] * 1e9:.0f} + {result['client_cores'] / result['per_s'] * 1e9:.0f} ns a delivery")


def middle(results):
    return sorted(results, key=lambda r: r["per_s"])[len(results) // 2]


def crowd(options):
    seconds = 2 if options.quick else 6
    ours, theirs = [], []
    for _ in range(1 if options.quick else 3):
        with closing(Engine(N_FILES)) as engine, closing(Load(engine, 1000, LINES, sample_every=256)) as load:
            load.subscribe()
            ours.append(flow(engine, load, seconds, 10000))
        size = round(ours[-1]["bytes"] / ours[-1]["events"]) - 1
        with closing(Send(size, 10000, CROWD_LINES)) as server, closing(Load(server, 1000, LINES, sample_every=256)) as load:
            load.subscribe()
            time.sleep(1)
            theirs.append(listen(server, load, seconds))
    r, bare = middle(ours), middle(theirs)
    met = all(lossless(a) for a in ours) and r["per_s"] >= 0.95 * 1e7 and r["cores"] <= 1.3
    ratio = statistics.median(a["per_s"] / b["per_s"] for a, b in zip(ours, theirs))
    return [row("10,000 durable events/s to 1,000 subscribers (gloss.v1.ndjson)",
                f"{thousand(r['per_s'])} deliveries/s, {r['bytes'] / r['seconds'] / 1e6:.0f} MB/s, p99 "
                f"{r['p99_us'] / 1e3:.0f} ms, {sum(a['gaps'] for a in ours)} gaps, {sum(a['repeats'] for a in ours)} repeats; "
                + cost(r), "10 M deliveries/s, loop ≤ 1.3 cores", met, must=True),
            row("the same: of what a bare loop of send() with frames made once gets to the same client",
                f"{ratio:.2f} × (its {thousand(bare['per_s'])} deliveries/s, {bare['bytes'] / bare['seconds'] / 1e6:.0f} MB/s; "
                + cost(bare) + ")", "", None)]


def slow(options):
    """With one that never reads and without, in turns."""
    p99 = {0: [], 1: []}
    closed = {}
    rounds = 1 if options.quick else 9
    for number in range(rounds):
        for stuck in (0, 1):
            is_last = stuck == 1 and number + 1 == rounds and not options.quick
            with closing(Engine(N_FILES)) as engine, closing(Load(engine, 20, PLAIN, stuck, sample_every=4)) as load:
                load.subscribe()
                p99[stuck].append(flow(engine, load, STUCK_S if is_last else 4, 1000)["p99_us"])
                if is_last:
                    closed = load.tell("stuck")["closed"]
    ratio = statistics.median(b / a for a, b in zip(p99[0], p99[1]))
    rows = [row("one subscriber that never reads: p99 of 20 others at 1,000 events/s",
                f"{ratio:.2f} × ({statistics.median(p99[1]) / 1e3:.1f} ms, {statistics.median(p99[0]) / 1e3:.1f} ms without)",
                "≤ 1.2 ×", ratio <= 1.2, must=True)]
    if not options.quick:
        rows.append(row("it is closed with", ", ".join(closed), "4008", closed == {"4008": 1}, must=True))
    return rows


def drain(server, n, subprotocol, n_events, since):
    """So many connections get the same events, all that come behind `since`."""
    with closing(Load(server, n, subprotocol, sample_every=1 << 30)) as load:
        loop_s = server.loop_seconds()
        load.subscribe(since=since)
        r = load.tell("wait", str(n_events))
        r["loop_s"] = server.loop_seconds() - loop_s
    if r["gaps"] or r["repeats"]:
        raise Failed(f"the fan-out lost or doubled something: {r}")
    r["per_s"] = r["events"] / r["until_last_s"]
    return r


def fan_out(options):
    rows = []
    n_events = DRAINED_FILES * EVENTS_PER_FILE
    rounds = 1 if options.quick else 5
    with closing(Engine(DRAINED_FILES)) as engine:
        since = engine.write_all()
        for subprotocol, must in ((PLAIN, True), (LINES, True)):
            ours, theirs = [], []
            drain(engine, 100, subprotocol, n_events, since)
            for _ in range(rounds):
                ours.append(drain(engine, 100, subprotocol, n_events, since))
                size = round(ours[-1]["bytes"] / ours[-1]["events"]) - (4 if subprotocol == PLAIN else 1)
                with closing(Bare(n_events, size, 0)) as bare:
                    theirs.append(drain(bare, 100, subprotocol, n_events, since))
            ratio = statistics.median(a["per_s"] / b["per_s"] for a, b in zip(ours, theirs))
            work = statistics.median((b["loop_s"] / b["events"]) / (a["loop_s"] / a["events"]) for a, b in zip(ours, theirs))
            rows.append(row(
                f"fan-out to 100 subscribers, {n_events} events of {size} bytes ({subprotocol}): of a bare libwebsockets broadcast",
                f"{ratio:.2f} × ({thousand(statistics.median(a['per_s'] for a in ours))} of "
                f"{thousand(statistics.median(b['per_s'] for b in theirs))} deliveries/s)", "≥ 0.7 ×", ratio >= 0.7, must))
            rows.append(row("the same: deliveries per second of the server's processor", f"{work:.2f} ×", "", None))
    return rows


def doublings(options):
    """Offered load doubles; what arrives must not fall."""
    per_s, texts = [], []
    rates = (1000, 4000, 16000) if options.quick else (1000, 2000, 4000, 8000, 16000, 32000)
    for rate in rates:
        with closing(Engine(N_FILES)) as engine, closing(Load(engine, 100, PLAIN, sample_every=1 << 30)) as load:
            load.subscribe()
            r = flow(engine, load, 1 if options.quick else 4, rate, warm_s=2)
        if not lossless(r):
            raise Failed(f"something was lost or doubled: {r}")
        per_s.append(r["per_s"])
        texts.append(f"{r['offered']:.0f} → {thousand(r['per_s'])}")
    falls = [b / max(per_s[:i + 1]) for i, b in enumerate(per_s[1:])]
    return [row("deliveries/s to 100 subscribers (gloss.v1) as offered events/s double", "; ".join(texts),
                "never fall (by more than a tenth)", min(falls) >= 0.9, must=True),
            row("the same, at the last", cost(r), "", None)]


def lines_of_scanner(n):
    """As a scanner sends them: a file after the other, its entities in order."""
    return b"".join(b'{"lang":"c","kind":"function","name":"f%d","path":"src/d%d/f%d.c","range":{"start":{"line":%d,'
                    b'"character":0},"end":{"line":%d,"character":1}},"signature":"int f%d(int a, const char *b)",'
                    b'"doc":"Says what f%d is for."}\n' % (i, i // 20000, i // 100, i % 100 * 5, i % 100 * 5 + 3, i, i)
                    for i in range(n))


def push(engine, lines):
    """The answer's last line; the body goes out while acknowledgements come in."""
    with socket.create_connection(("127.0.0.1", engine.port), 60) as s:
        s.sendall(b"POST /v1/workspaces/pushed/entities/stream?create=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                  b"Authorization: Bearer %s\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"
                  % (engine.port, engine.token.encode(), len(lines)))
        sender = threading.Thread(target=s.sendall, args=(lines,))
        sender.start()
        with s.makefile("rb") as answer:
            last = answer.read().splitlines()[-1]
        sender.join()
    return json.loads(last)


def ingest(options):
    n = 100000 if options.quick else 1000000
    lines = lines_of_scanner(n)
    memory, is_over = [], threading.Event()
    with closing(Engine(1)) as engine:
        def watch():
            while not is_over.wait(0.05):
                memory.append(engine.resident_bytes())
        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.monotonic()
        done = push(engine, lines)
        took = time.monotonic() - began
        is_over.set()
        watcher.join()
    if not done.get("complete") or done["stored"] != n:
        raise Failed(f"not all lines were taken: {done}")
    half = len(memory) // 2
    first, second = max(memory[:half]) / 1e6, max(memory[half:]) / 1e6
    return [row(f"{n} lines of a scanner as one stream, each acknowledged when it is on the disk",
                f"{n / took:.0f} lines/s", "≥ 20,000 lines/s", n / took >= 20000, must=True),
            row("the same: resident memory of the engine at most, first and second half",
                f"{first:.0f} MB, {second:.0f} MB", "≤ 1.2 × the first", second <= 1.2 * first, must=True)]


def measure(options):
    rows = []
    for part in (connections, idle, durable, crowd, slow, fan_out, doublings, ingest):
        rows += part(options)
    return rows
