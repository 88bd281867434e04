"""Checkout storms: whole folders go and come back quickly while an engine watches; what it holds in the end is
what a fresh index of the same tree holds."""
import collections
import json
import os
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import WAIT_S, wait  # noqa: E402
from tap import case, equal, main  # noqa: E402
from ws import WebSocket, http  # noqa: E402

N_FOLDERS, N_FILES, N_SWITCHES = 30, 20, 8
QUIET = {"GLOSS_ENRICH_ENABLED": "false"}
N_BIG = 10000  # files that a big checkout changes
BIG_WAIT_S = 120


def git(house, *args):
    subprocess.run(["git", "-C", house.tree, "-c", "user.name=t", "-c", "user.email=t@t", *args], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=house.env)


def import_branches(house, tree_of):
    """tree_of(branch) gives (path, text). By git's own import format: a second, where adding files takes ten."""
    git(house, "init", "-q", "-b", "one")
    stream = []
    for branch in ("one", "two"):
        stream.append(f"commit refs/heads/{branch}\ncommitter t <t@t> 1700000000 +0000\ndata 1\nx\n")
        for path, text in tree_of(branch):
            stream.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
    subprocess.run(["git", "-C", house.tree, "fast-import", "--quiet"], input="".join(stream).encode(), check=True,
                   env=house.env)


def small_tree(branch):
    """Some folders are in one branch only, the others differ in their text."""
    for d in [f"both{i}" for i in range(N_FOLDERS)] + [f"{branch}{i}" for i in range(N_FOLDERS)]:
        for i in range(N_FILES):
            yield f"{d}/f{i}.c", f"int {d}_{i}_{branch}(int x)\n{{\n    return x + {i};\n}}\n"


def two_branches(house):
    import_branches(house, small_tree)
    git(house, "checkout", "-q", "-f", "two")


def rows(house, *args):
    found = house.gloss("export", *args, house.tree).lines()
    return {e["key"]: (e["signature"], json.dumps(e["range"])) for e in found}


def fresh_rows(house, name):
    db = os.path.join(house.dir, name)
    house.gloss("index", house.tree, "--db", db).ok()
    return rows(house, "--db", db)


class Watched:
    """What the engine has of the tree."""

    def __init__(self, house, engine):
        self.house, self.engine, self.head = house, engine, -1

    def status(self):
        """Without a process for the question."""
        status, _, body = http(self.engine["port"], "/v1/stats", [("Authorization", "Bearer " + self.engine["token"])])
        equal(status, 200)
        return json.loads(body)["workspaces"][0]

    def is_same(self, wanted):
        """All of it is read only once the number of its rows is right, and something was committed since."""
        now = self.status()
        if now["state"] != "ready" or now["entities"] != len(wanted) or now["head"] == self.head:
            return False
        self.head = now["head"]
        return rows(self.house) == wanted

    def wait_same(self, wanted, timeout_s=WAIT_S):
        self.head = -1
        wait("the engine's index is a fresh one", lambda: self.is_same(wanted), timeout_s)


@case("ten checkouts in a row under an engine end in a true index")
def _(house):
    two_branches(house)
    _, engine = house.serve(house.tree, env=QUIET)
    house.wait_ready()
    watched = Watched(house, engine)
    fresh = fresh_rows(house, "fresh.db")
    equal(len(fresh), 2 * N_FOLDERS * N_FILES)
    for _ in range(3):
        for i in range(N_SWITCHES):
            git(house, "checkout", "-q", ("one", "two")[i % 2])
        watched.wait_same(fresh)


@case("a folder that is removed and comes back at once is in the index")
def _(house):
    two_branches(house)
    _, engine = house.serve(house.tree, env=QUIET)
    house.wait_ready()
    watched = Watched(house, engine)
    away = os.path.join(house.dir, "away")
    for i in range(10):
        folder = os.path.join(house.tree, f"two{i}")
        os.rename(folder, away)
        os.rename(away, folder)
    house.write("last.c", "int the_last_one;\n")
    fresh = fresh_rows(house, "fresh.db")
    assert any("the_last_one" in key for key in fresh)
    watched.wait_same(fresh)


# ---- ten thousand files, and somebody who follows every event ----

def big_tree(branch):
    """path → text; nearly all differ between the branches, some are in one only, some change their extension."""
    for i in range(N_BIG):
        if i % 20 == 7 and branch == "two":
            continue
        yield f"d{i % 211}/s{i % 3}/f{i}.{'py' if i % 50 == 9 and branch == 'two' else 'c'}", (
            f"def f{i}_{branch}(x):\n    return x\n" if i % 50 == 9 and branch == "two" else
            f"int same_{i};\nint f{i}_{branch}(int x)\n{{\n    return same_{i} + x;\n}}\n")
    for i in range(N_BIG // 40):
        yield f"only_{branch}/f{i}.c", f"int only_{branch}_{i};\n"


class Follower(threading.Thread):
    """A client that reads all that is durable of a workspace."""

    def __init__(self, engine, workspace):
        super().__init__(daemon=True)
        self.ws = WebSocket(engine)
        reply = self.ws.request("subscribe", {
            "workspace": workspace["id"], "snapshot": "never", "since": {"epoch": workspace["epoch"], "seq": 0},
            "events": ["entity.*", "file:completed", "file:deleted", "file:failed"]})
        assert reply["success"], reply
        self.events, self.head, self.problem = [], 0, None
        self.start()

    def run(self):
        try:
            while True:
                e = self.ws.event(BIG_WAIT_S)
                if e.get("type") == "event" and "seq" in e:
                    self.events.append(e)
                    self.head = e["seq"]
        except (OSError, AssertionError, ValueError) as e:
            self.problem = e


def check_story(events, rows_now):
    """Told in order, nothing twice, and whoever plays it gets the index."""
    places = [(e["seq"], e["i"]) for e in events]
    assert places == sorted(set(places)), "out of order, or twice"
    counts = collections.Counter((e["seq"], e["event_type"], e["data"].get("key", e["subject"])) for e in events)
    equal([c for c in counts.items() if c[1] > 1][:5], [], "twice in one commit")
    played = {}
    for e in events:
        key = e["data"].get("key")
        if e["event_type"] == "entity.added":
            assert key not in played, f"added twice: {key}"
            played[key] = e["data"]["signature"]
        elif e["event_type"] == "entity.updated":
            assert key in played, f"updated before it was added: {key}"
            played[key] = e["data"]["signature"]
        elif e["event_type"] == "entity.deleted":
            assert played.pop(key, None) is not None, f"deleted, and was not there: {key}"
    wanted = {key: signature for key, (signature, _) in rows_now.items()}
    assert played == wanted, f"{len(played.items() ^ wanted.items())} rows differ: " \
                             f"{sorted(played.items() ^ wanted.items())[:6]}"


def told_for_nothing(events):
    """A slow checkout may be seen with a file half written, or made anew and still empty: that is told. What is
    not is a file that was there, with the same in it."""
    there, found = set(), []
    for e in events:
        if e["event_type"] == "file:deleted":
            there.discard(e["subject"])
        elif e["event_type"] == "file:completed":
            changes = sum(e["data"][c] for c in ("added", "updated", "deleted"))
            if changes == 0 and e["subject"] in there:
                found.append(e)
            there.add(e["subject"])
    return found


@case("checkouts of 10,000 files while a client follows: a true index, no lost and no double event")
def _(house):
    import_branches(house, big_tree)
    git(house, "checkout", "-q", "-f", "one")
    _, engine = house.serve(house.tree, env=QUIET)
    workspace = wait("the first index is there", lambda: (w := house.status()["workspaces"]) and
                     w[0]["state"] == "ready" and w[0], BIG_WAIT_S)
    watched, follower = Watched(house, engine), Follower(engine, workspace)

    def check(fresh):
        watched.wait_same(fresh, BIG_WAIT_S)
        head = watched.status()["head"]
        wait("the client has read all", lambda: follower.head == head or follower.problem, BIG_WAIT_S)
        equal(follower.problem, None)
        check_story(follower.events, fresh)

    of_one = fresh_rows(house, "one.db")
    check(of_one)
    n_before = len(follower.events)
    git(house, "checkout", "-q", "two")
    check(fresh_rows(house, "two.db"))
    told = [e for e in follower.events[n_before:] if e["event_type"] == "file:completed"]
    assert len({e["subject"] for e in told}) > N_BIG * 0.9, len(told)
    equal(told_for_nothing(follower.events)[:3], [], "told, and nothing changed")
    for branch in ("one", "two", "one"):
        git(house, "checkout", "-q", branch)
    check(of_one)
    follower.ws.close()


main()
