"""kill -9 of `gloss index` and of an engine while they read a tree that changes: afterwards everything that was told
is in the index, its log has no hole and replays to the rows. killed.py [--kills N] [--seed N]; asked of a copy of the
files as the kill left them."""
import argparse
import glob
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "lib"))
from house import House, wait  # noqa: E402
from ws import WebSocket  # noqa: E402

N_FILES, N_LIVES = 120, 12  # of an index, before the next is begun
QUIET = {"GLOSS_ENRICH_ENABLED": "false", "GLOSS_LOG_LEVEL": "error"}


def source(dice):
    return "".join(f"int f{i}_{dice.randrange(4)}(int a{dice.randrange(3)})\n{{\n    return g{i}(a);\n}}\n"
                   for i in range(dice.randrange(1, 25)))


def change(house, dice, n):
    for _ in range(n):
        path = f"d{dice.randrange(9)}/f{dice.randrange(N_FILES)}.c"
        if dice.random() < 0.15 and os.path.exists(house.path(path)):
            os.unlink(house.path(path))
        else:
            house.write(path, source(dice))


def replayed(db):
    """key → what the log says of it."""
    rows, last = {}, 0
    for seq, data in db.execute("SELECT seq, data FROM v_event ORDER BY seq"):
        assert seq == last + 1, f"a hole behind {last}: {seq}"
        last, data = seq, json.loads(data)
        for item in data.get("deleted", []):
            del rows[item["key"]]
        for item in data.get("added", []):
            assert item["key"] not in rows, f"added twice: {item['key']}"
            rows[item["key"]] = (item["rev"], item["signature"], item["hover"]["state"])
        for item in data.get("updated", []):
            assert item["key"] in rows, f"updated, and is not there: {item['key']}"
            rows[item["key"]] = (item["rev"], item["signature"], item["hover"]["state"])
        for item in data.get("enriched", []):
            rows[item["key"]] = (item["rev"], rows[item["key"]][1], item["hover"]["state"])
    return rows, last


def look(path):
    """(epoch, head) of the index as it lies there; ("", 0) when nothing was committed."""
    copy = path + ".copy"
    for old in glob.glob(copy + "*"):
        os.unlink(old)
    for end in ("", "-wal"):
        if os.path.exists(path + end):
            shutil.copy(path + end, copy + end)
    if not os.path.exists(copy):
        return "", 0
    db = sqlite3.connect(copy)
    try:
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return "", 0
        found = db.execute("PRAGMA integrity_check(3)").fetchall()
        assert found == [("ok",)], found
        told, head = replayed(db)
        rows = {key: rest for key, *rest in db.execute("SELECT key, rev, signature, hover_state FROM v_entity")}
        wrong = [(k, told.get(k), rows.get(k)) for k in told.keys() | rows.keys()
                 if list(told.get(k, ())) != rows.get(k)]
        assert not wrong, f"{len(wrong)} rows are not what the log says: {wrong[:3]}"
        return db.execute("SELECT v FROM meta WHERE k='epoch'").fetchone()[0], head
    finally:
        db.close()


class Reader(threading.Thread):
    """Hears what the engine tells until it dies."""

    def __init__(self, engine, workspace):
        super().__init__(daemon=True)
        self.head, self.epoch = 0, workspace["epoch"]
        self.ws = WebSocket(engine)
        reply = self.ws.request("subscribe", {"workspace": workspace["id"], "snapshot": "never",
                                              "events": ["file:completed", "file:deleted", "file:failed"]})
        assert reply["success"], reply
        self.start()

    def run(self):
        try:
            while True:
                e = self.ws.event(60)
                if e.get("type") == "event" and "seq" in e:
                    self.head = e["seq"]
        except (OSError, AssertionError, ValueError):
            pass


class Life:
    """An index and those who write it, one after another."""

    def __init__(self, dice):
        self.dice, self.house = dice, House()
        self.db = os.path.join(self.house.dir, "i", "index.db")
        self.epoch, self.head, self.took_s = "", 0, 0.3

    def run(self, *args):
        return subprocess.Popen([self.house.bin, *args], cwd=self.house.tree, env={**self.house.env, **QUIET},
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def check(self):
        epoch, head = look(self.db)
        assert head >= self.head, f"{self.head} was told, {head} is there"
        assert not self.epoch or epoch == self.epoch, f"epoch {self.epoch} became {epoch}"
        self.epoch, self.head = epoch, head

    def index_whole(self):
        start = time.monotonic()
        process = self.run("index", self.house.tree, "--db", self.db)
        assert process.wait(120) == 0
        self.took_s = time.monotonic() - start
        self.check()

    def index_killed(self):
        change(self.house, self.dice, self.dice.choice((2, 40, 150)))
        process = self.run("index", self.house.tree, "--db", self.db)
        time.sleep(self.dice.uniform(0, self.took_s))  # the moment is what is random
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.check()

    def engine_killed(self):
        change(self.house, self.dice, 30)
        process = self.run("serve", "--db", self.db, self.house.tree)
        reader = None
        try:
            engine = wait("the engine listens", lambda: (e := self.house.engine()) and e["pid"] == process.pid and
                          os.path.exists(self.house.runtime("engine.sock")) and e)
            workspace = wait("it has the tree", lambda: (w := self.house.status()["workspaces"]) and
                             w[0].get("epoch") and w[0])
            reader = Reader(engine, workspace)
            end = time.monotonic() + self.dice.uniform(0, 0.4)
            while time.monotonic() < end:
                change(self.house, self.dice, 3)
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        reader.join()
        reader.ws.socket.close()
        assert not self.epoch or reader.epoch == self.epoch, "another epoch was told"
        self.head, self.epoch = max(self.head, reader.head), reader.epoch
        self.check()


class Street(threading.Thread):
    """Lives until all together have killed enough."""
    lock = threading.Lock()
    killed = {"index": 0, "engine": 0}
    heads = 0

    def __init__(self, seed, wanted):
        super().__init__()
        self.dice, self.wanted, self.problems = random.Random(seed), wanted, []

    def live(self):
        life = Life(self.dice)
        try:
            for number in range(N_LIVES):
                if sum(Street.killed.values()) >= self.wanted:
                    break
                kind = "engine" if number % 4 == 3 else "index"
                getattr(life, kind + "_killed")()
                if number % 5 == 0:
                    life.index_whole()
                with Street.lock:
                    Street.killed[kind] += 1
            life.index_whole()
        except Exception:  # noqa: BLE001: whatever it was, it is this run's failure
            self.problems += traceback.format_exc().rstrip().split("\n")
        with Street.lock:
            Street.heads += life.head
        self.problems += [f"at the end: {line}" for line in life.house.close()]

    def run(self):
        while sum(Street.killed.values()) < self.wanted and not self.problems:
            self.live()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    start = time.monotonic()
    streets = [Street(args.seed + i, args.kills) for i in range(3)]
    for street in streets:
        street.start()
    for street in streets:
        street.join()
    problems = [line for street in streets for line in street.problems]
    print("1..1")
    print(f"{'not ok' if problems else 'ok'} 1 - {sum(Street.killed.values())} times kill -9 under ingest "
          f"(index {Street.killed['index']}, engine {Street.killed['engine']}), {Street.heads} seqs told: none is lost")
    print(f"# --seed {args.seed}, {time.monotonic() - start:.1f} s")
    for line in problems:
        print(f"# {line}")
    sys.exit(1 if problems else 0)


main()
