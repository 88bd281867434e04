"""Hovers of an editor, answered from an index of 150,000 entities: at rest, while a language server is asked for
the hovers of all files, while another folder is indexed, and both; over the engine's socket and through
`gloss lsp`. The case "turns" has the first two in one engine whose enrichment is paused and resumed, because what a
slow hover takes on one machine differs more from one minute to the next than between the two; its figures are
medians of turns of a hundred. Elsewhere a request goes beside each hover that the engine answers without a look at the
index: what it takes is the way there and back, and whatever keeps the loop. engine_us is what the engine counts itself, from a frame that was
read to the answer. Prints one JSON object of milliseconds.

GLOSS_BIN=build/gloss tests/bench/editor_hover.py [--hovers N] [--files N] [--pause-ms MS] [--only CASE,…] [--way socket|bridge]

A pause of more than 200 ms lets the servers work between two hovers, for an editor's request stops them that long."""
import argparse
import gc
import json
import math
import os
import random
import select
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
from house import House, wait  # noqa: E402

FUNCTIONS = 50  # of a file
OPEN = 10  # documents
TURN_HOVERS = 100
COPIES = 12  # of the tree, in the other folder
DEADLINE_S = 60


class Wire:
    """Requests one after another; what else arrives is dropped."""

    def __init__(self, fd, read, write):
        self.fd, self.read, self.write, self.rest, self.last_id = fd, read, write, b"", 0

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def message(self):
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, _, body = self.rest.partition(b"\r\n\r\n")
        n = int(head.lower().split(b"content-length:")[1].split()[0])
        while len(body) < n:
            body += self.more()
        self.rest = body[n:]
        m = json.loads(body[:n])
        if "id" in m and "method" in m:
            self.send({"id": m["id"], "result": None})
        return m

    def wait(self, seconds):
        """What comes meanwhile is read when it comes, as editors do: else the next request pays for it."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if b"\r\n\r\n" in self.rest or select.select([self.fd], [], [], left)[0]:
                self.message()

    def more(self):
        data = self.read(65536)
        if not data:
            raise EOFError("the engine hung up")
        return data

    def start(self, method, params):
        self.last_id += 1
        self.send({"id": self.last_id, "method": method, "params": params})
        return self.last_id

    def ask(self, method, params):
        wanted = self.start(method, params)
        while True:
            m = self.message()
            if m.get("id") == wanted and "method" not in m:
                assert "error" not in m, m
                return m["result"]


def over_socket(house):
    s = socket.socket(socket.AF_UNIX)
    s.connect(house.runtime("engine.sock"))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", DEADLINE_S, 0))  # no poll() before each read
    return Wire(s.fileno(), s.recv, s.sendall)


def through_bridge(house):
    p = house.start("lsp", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    return Wire(p.stdout.fileno(), lambda n: os.read(p.stdout.fileno(), n), p.stdin.write)


def function_name(f, n):
    return f"compute_{f:04d}_{n:02d}"


def make_tree(house, files):
    for f in range(files):
        text = "".join(f"/* The value {n} of file {f}. */\nint {function_name(f, n)}(int first, int second)\n{{\n"
                       f"    int sum = first + second * {n};\n\n    return sum > {f} ? sum : second;\n}}\n\n"
                       for n in range(FUNCTIONS))
        house.write(f"part{f % 40:02d}/file{f:04d}.c", text)


def open_editor(house, wire, files):
    wire.ask("initialize", {"processId": None, "rootUri": "file://" + house.tree, "capabilities": {},
                            "initializationOptions": {"features": {"hover": "on"}}})
    wire.send({"method": "initialized", "params": {}})
    places = []
    for f in range(0, files, max(1, files // OPEN)):
        path = house.path(f"part{f % 40:02d}/file{f:04d}.c")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        uri = "file://" + path
        wire.send({"method": "textDocument/didOpen", "params": {
            "textDocument": {"uri": uri, "languageId": "c", "version": 1, "text": text}}})
        places += [(uri, function_name(f, n), 1 + n * 8) for n in range(FUNCTIONS)]
    return places


def ask_timed(wire, pause_s, rng, uri, line, character):
    """(result, ms); what an editor does before and after counts, too: text from JSON and back."""
    begin = time.perf_counter()
    answer = wire.ask("textDocument/hover", {"textDocument": {"uri": uri},
                                             "position": {"line": line, "character": character}})
    took = (time.perf_counter() - begin) * 1000
    wire.wait(pause_s * rng.uniform(0.9, 1.1))  # or what the engine tells at its own pace would come always, or never
    return answer, took


def measure(wire, places, hovers, pause_s, rng, with_bare=True):
    """(of hovers, of requests that need no index), each in ms."""
    took, bare = [], []
    gc.collect()
    gc.disable()  # its pauses are not the engine's
    for _ in range(hovers):
        uri, name, line = rng.choice(places)
        if with_bare:
            bare.append(ask_timed(wire, pause_s, rng, "file:///none", 0, 0)[1])
        answer, ms = ask_timed(wire, pause_s, rng, uri, line, 5)
        took.append(ms)
        assert name in json.dumps(answer), (name, answer)
    gc.enable()
    return took, bare


def figures(times):
    times = sorted(times)
    return {"n": len(times), "p50": round(statistics.median(times), 3),
            "p99": round(times[math.ceil(len(times) * 0.99) - 1], 3), "max": round(times[-1], 3)}


def figures_of(turns):
    """Medians of each turn's figures: of all in one list the p99 is what the machine did in its worst moment."""
    each = [figures(times) for times in turns]
    return {"n": sum(f["n"] for f in each)} | {
        key: round(statistics.median(f[key] for f in each), 3) for key in ("p50", "p99", "max")} | {
        "p99s": [f["p99"] for f in each], "p99_of_all": figures([ms for times in turns for ms in times])["p99"]}


def answers(house):
    """Of language servers, so far."""
    return sum(server["answers"] for w in house.status()["workspaces"] for server in w["servers"])


def wait_at_rest(house):
    """Until a second has gone by in which nothing was written: after a first index the writer fills the index of texts,
    and what waits for that is found by a walk."""
    def written():
        workspace = house.status()["workspaces"][0]
        return workspace["queue"]["commits"], workspace["store"]
    last, since = written(), time.monotonic()
    while time.monotonic() - since < 1:
        time.sleep(0.1)
        now = written()
        if now != last:
            last, since = now, time.monotonic()


class Load:
    """What else the engine does meanwhile."""

    def __init__(self, house, files, is_enriching, is_indexing):
        self.house, self.wire = house, over_socket(house)
        self.other = os.path.join(house.dir, "other")
        self.is_indexing = is_indexing
        if is_enriching:
            house.wait_ready("enriching")
        if is_indexing:
            for n in range(COPIES):
                shutil.copytree(house.tree, os.path.join(self.other, str(n)))
            self.wire.start("gloss/hold", {"root": self.other})

    def is_on(self, is_enriching):
        states = {w["root"]: w["state"] for w in self.house.status()["workspaces"]}
        return (not is_enriching or states[self.house.tree] == "enriching") and \
            (not self.is_indexing or states.get(self.other) != "ready")


def one_case(options, is_enriching, is_indexing, rng):
    house = House()
    try:
        make_tree(house, options.files)
        env = {} if is_enriching else {"GLOSS_ENRICH_ENABLED": "false"}
        house.serve(env=env)
        socket_wire, bridge_wire = over_socket(house), through_bridge(house)
        places = open_editor(house, socket_wire, options.files)
        open_editor(house, bridge_wire, options.files)
        house.wait_ready("enriching" if is_enriching else "ready")
        result = {}
        if not is_enriching and not is_indexing:
            wait_at_rest(house)
        load = Load(house, options.files, is_enriching, is_indexing)
        for name, wire in (("socket", socket_wire), ("bridge", bridge_wire)):
            if options.way and name != options.way:
                continue
            measure(wire, places, 20, options.pause_ms / 1000, rng)
            begin, answered = time.monotonic(), answers(house)
            took, bare = measure(wire, places, options.hovers, options.pause_ms / 1000, rng)
            answered_per_s = (answers(house) - answered) / (time.monotonic() - begin)
            result[name] = {"hover": figures(took), "bare": figures(bare), "answered_per_s": round(answered_per_s, 1),
                            "load_to_the_end": load.is_on(is_enriching)}
        result["engine_us"] = house.status()["engine"]["hover_us"]
        return result
    finally:
        house.close()


def in_turns(options, rng):
    """At rest, with the server there and enrichment paused, and while it is asked. Over the socket."""
    house = House()
    try:
        make_tree(house, options.files)
        house.serve()
        wire, control = over_socket(house), over_socket(house)
        places = open_editor(house, wire, options.files)
        open_editor(house, control, options.files)
        house.wait_ready("enriching")
        load, names = Load(house, options.files, True, False), ("rest", "enriching")
        taken = {name: [] for name in names}
        answered, answering_s, is_on = 0, 0, True
        for n in range(0, options.hovers, TURN_HOVERS):
            for name in names:
                control.ask("gloss/resume" if name == "enriching" else "gloss/pause", {})
                before = answers(house)
                if name == "enriching":
                    wait("answers come", lambda before=before: answers(house) > before)
                else:
                    wait_at_rest(house)
                measure(wire, places, 2, options.pause_ms / 1000, rng, False)
                begin, before = time.monotonic(), answers(house)
                taken[name].append(measure(wire, places, min(TURN_HOVERS, options.hovers - n), options.pause_ms / 1000, rng,
                                           False)[0])
                if name == "rest":
                    assert answers(house) == before, "it was not at rest"
                else:
                    answered += answers(house) - before
                    answering_s += time.monotonic() - begin
                    is_on = is_on and load.is_on(True)
        result = {name: {"hover": figures_of(turns)} for name, turns in taken.items()}
        result["enriching"] |= {"answered_per_s": round(answered / answering_s, 1), "load_to_the_end": is_on}
        result["engine_us"] = house.status()["engine"]["hover_us"]
        return result
    finally:
        house.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hovers", type=int, default=1000)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--pause-ms", type=float, default=4)
    parser.add_argument("--way", choices=("socket", "bridge"), help="default: one after the other")
    parser.add_argument("--only", help="rest, enriching, indexing, both; turns: not unless named")
    options = parser.parse_args()
    rng = random.Random(1)
    cases = {"rest": (False, False), "enriching": (True, False), "indexing": (False, True), "both": (True, True)}
    out = {name: one_case(options, *case, rng) for name, case in cases.items()
           if not options.only or name in options.only.split(",")}
    if "turns" in (options.only or "").split(","):
        out["turns"] = in_turns(options, rng)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
