"""Several engines on one PostgreSQL, and who listens to them."""
import json
import os
import signal
import threading

import postgres
from house import read_bytes, wait
from lsp import Control
from tap import Skip, equal
from ws import WebSocket


class Engine:
    """One of several in a house: with a runtime folder of its own."""

    def __init__(self, house, name, url, *roots):
        self.house, self.name = house, name
        run = os.path.join(house.dir, "run-" + name)
        os.makedirs(run, mode=0o700, exist_ok=True)
        self.env = {"XDG_RUNTIME_DIR": run, "GLOSS_DB": url, "GLOSS_ENRICH_ENABLED": "false"}
        self.process = house.start("serve", *roots, env=self.env, stderr=f"{name}.stderr")
        self.about = wait(f"{name} listens", self.listens)

    def runtime(self, *parts):
        return os.path.join(self.env["XDG_RUNTIME_DIR"], "gloss", *parts)

    def listens(self):
        about = json.loads(read_bytes(self.runtime("engine.json")))
        return about["pid"] == self.process.pid and os.path.exists(self.runtime("engine.sock")) and about

    def index(self, root):
        """What the engine says when it is asked to look at the whole folder."""
        control = Control(self)
        answer = control.answer(control.ask("gloss/index", {"root": root}))
        control.close()
        return answer

    def gloss(self, *args, **kw):
        return self.house.gloss(*args, env=self.env, **kw)

    def workspace(self, root):
        """Its status."""
        found = [w for w in self.gloss("status", "--json").json()["workspaces"] if w["root"] == root]
        return found[0] if found else None

    def wait_for(self, root, state):
        def is_it():
            w = self.workspace(root)
            return w and w["state"] == state and w
        return wait(f"{root} is {state} at {self.name}", is_it)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)


class Subscriber(threading.Thread):
    """Takes all that an engine's hub sends of one workspace, from its first event on."""

    def __init__(self, engine, workspace):
        super().__init__(daemon=True)
        self.events, self.ws = [], WebSocket(engine.about)
        reply = self.ws.request("subscribe", {"workspace": workspace["id"], "snapshot": "never", "events": ["*"],
                                              "since": {"epoch": workspace["epoch"], "seq": 0}})
        assert reply["success"] and reply["data"]["recovered"], reply
        self.start()

    def run(self):
        try:
            while True:
                message = self.ws.receive(3600)
                if message.get("type") == "event" and "seq" in message:
                    self.events.append(message)
        except (ConnectionError, OSError, ValueError):
            pass

    def told(self):
        """What was said, in its order."""
        return [(e["seq"], e["i"], e["event_type"], e["subject"], json.dumps(e["data"], sort_keys=True))
                for e in list(self.events)]

    def has(self, name):
        return any(e["event_type"] == "entity.added" and e["data"]["name"] == name for e in list(self.events))


def wait_same(subscribers, name):
    """All have this definition, and all of them the same events, each once."""
    for s in subscribers:
        wait(f"{name} comes", lambda s=s: s.has(name))
    told = []

    def is_same():
        told[:] = [s.told() for s in subscribers]  # one after the other: more may come meanwhile
        return all(t == told[0] for t in told)

    try:
        wait("all were told the same", is_same)
    except AssertionError:
        for t in told:
            equal(t, told[0], "events")
        raise
    places = [t[:2] for t in told[0]]
    equal(places, sorted(set(places)), "places")
    seqs = sorted({seq for seq, _ in places})
    equal(seqs, list(range(1, seqs[-1] + 1)), "numbers")


class Team:
    """A server, and engines that each hold all of the folders; the n-th writes the n-th."""

    def __init__(self, house):
        if not postgres.programs():
            raise Skip("PostgreSQL is not installed")
        self.house, self.server = house, postgres.Postgres()
        self.roots, self.engines, self.subscribers = [], [], {}

    def begin(self, n):
        house = self.house
        self.roots = [os.path.join(house.dir, f"tree{i}") for i in range(n)]
        for i, root in enumerate(self.roots):
            for k in range(20):
                self.write(i, f"d{k % 3}/f{k}.c", f"int first_{i}_{k};\n")
            made = house.gloss("index", root, "--db", self.server.url())
            if "not in this build" in made.err:
                raise Skip("built without PostgreSQL")
            made.ok()
        for i, root in enumerate(self.roots):
            self.engines.append(Engine(house, f"engine{i}", self.server.url(), root))
            self.engines[i].wait_for(root, "ready")
        for i, engine in enumerate(self.engines):
            engine.gloss("serve", "--detach", *[r for r in self.roots if r != self.roots[i]]).ok()
            for k, root in enumerate(self.roots):
                w = engine.wait_for(root, "ready" if k == i else "following")
                self.subscribers[i, k] = Subscriber(engine, w)

    def write(self, i, path, text):
        full = os.path.join(self.roots[i], path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)

    def of_workspace(self, k):
        return [s for (_, of), s in self.subscribers.items() if of == k]

    def check(self, mark, has_change=True):
        """A new definition in each folder is told to all clients of all engines."""
        for k in range(len(self.roots)):
            if has_change:
                self.write(k, "d0/news.c", f"int {mark}_{k};\n")
        for k in range(len(self.roots)):
            wait_same(self.of_workspace(k), f"{mark}_{k}")

    def close(self):
        for s in self.subscribers.values():
            s.ws.close()
        for engine in self.engines:
            if engine.process.poll() is None:
                engine.end()
        self.server.close()
