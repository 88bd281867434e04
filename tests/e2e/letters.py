"""What the index cannot store: told, kept as a dead letter, stored by `gloss retry` once there is room."""
import glob
import os
import resource
import signal
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import wait  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402

MIB = 1 << 20


def flood(house, n, size=200):
    for i in range(n):
        house.write(f"d{i % 10}/f{i}.c", "".join(
            f"/* {os.urandom(size).hex()} */\nint f{i}_{j}(void) {{ return {j}; }}\n" for j in range(40)))


def letters(house):
    return house.status()["workspaces"][0]["dead_letters"]


def lost_files(house):
    """The newest letters about files; where a language server runs its answers have letters, too."""
    return [x for x in letters(house)["newest"] if x["what"] == "put_file"]


def only_workspace(house):
    workspaces = house.status()["workspaces"]
    return workspaces[0] if workspaces else None


def names(house):
    return {e["name"] for e in house.entities()}


def full_disk(house, mib):
    """The state folder on a small file system of its own; returns what gives it room."""
    if os.geteuid() != 0:
        raise Skip("only root may mount a small file system")
    state = house.env["XDG_STATE_HOME"]
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "none", state], check=False,
                      capture_output=True).returncode != 0:
        raise Skip("this machine does not let us mount")
    house.mounts.append(state)
    return lambda: subprocess.run(["mount", "-o", "remount,size=256m", state], check=True)


@case("an engine whose disk is full lists what it could not store; `gloss retry` stores it and the list is empty")
def _(house):
    house.write("first.c", "int came_first;\n")
    make_room = full_disk(house, 2)
    house.serve(house.tree)
    house.wait_ready()
    flood(house, 300)
    newest = wait("a file could not be stored", lambda: lost_files(house))[0]
    equal(set(newest), {"id", "what", "path", "error", "time", "size_bytes", "in_memory"})
    assert newest["path"].startswith("d") and newest["id"] > 0, newest
    assert "full" in newest["error"] or "No space" in newest["error"], newest
    text = house.gloss("status", "--dead-letters").ok().out
    assert f"{house.tree}: " in text and " put_file d" in text, text
    assert "gloss retry" in house.gloss("status").ok().out
    again = house.gloss("retry", "--all", "--json")
    equal(again.code, 1, str(again))
    assert '"why":"' in again.out, again.out
    house.gloss("retry", "--all").fails(1, "failed again: ")
    make_room()
    paths = {x["path"] for x in lost_files(house)}
    done = house.gloss("retry", str(letters(house)["newest"][0]["id"]), "--json").json()
    equal((done["left"], done["why"]), (0, None))
    done = house.gloss("retry", "--all", "--json").json()
    equal(done["left"], 0)
    equal(letters(house)["count"], 0, "the list")
    stored = {e["path"] for e in house.entities()}
    assert paths <= stored, paths - stored
    house.gloss("index", house.tree).ok()  # the engine's next walk brings the rest
    s = only_workspace(house)
    equal((s["files"]["indexed"], s["entities"]), (301, 300 * 40 + 1), "nothing is lost")
    equal(letters(house)["count"], 0)


@case("a letter outlives its engine, and is tried again without one")
def _(house):
    house.write("a.c", "int old_one;\n")
    house.index()
    found = glob.glob(os.path.join(house.env["XDG_STATE_HOME"], "gloss", "tree-*", "index.db"))
    db = sqlite3.connect(found[0])
    db.execute("INSERT INTO dead_letter VALUES(7,'put_file','a.c','No space left on device',1,'{}'),"
               "(8,'put_file','gone.c','No space left on device',1,'{}'),"
               "(9,'put_event','','no',1,'{\"type\":\"pipeline:online\",\"data\":\"{}\"}'),"
               "(10,'put_event','','no',1,'broken')")
    db.commit()
    db.close()
    house.gloss("retry").fails(2, "say which")
    house.gloss("retry", "--all", "7").fails(2, "say which")
    house.gloss("retry", "seven").fails(2, "no number of a dead letter")
    equal(house.gloss("retry", "7", "8", "--json").json(), {"tried": 2, "left": 0, "why": None})
    r = house.gloss("retry", "--all")
    r.fails(1, "1 of 2 failed again: no")
    db = sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)
    equal(db.execute("SELECT id,what,path FROM v_dead_letter").fetchall(), [(10, "put_event", "")])
    equal(db.execute("SELECT count(*) FROM v_event WHERE type='pipeline:online'").fetchone(), (1,))
    db.close()
    equal(names(house), {"old_one"})


@case("a run without an engine that runs out of room (RLIMIT_FSIZE) loses nothing: the next one stores it all")
def _(house):
    flood(house, 200)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
    done = subprocess.run([house.bin, "index", house.tree, "--json"], env=house.env, preexec_fn=limit,
                          capture_output=True, check=False, timeout=120)
    equal(done.returncode, 1, done.stderr.decode())
    equal(house.gloss("retry", "--all", "--json").json()["left"], 0)
    equal(len(house.entities()), 200 * 40)
    house.serve(house.tree)
    wait("the index is open", lambda: (w := only_workspace(house)) and w["state"] != "opening")
    equal(letters(house)["count"], 0)


@case("status --json has the writer's figures and the gauges of the store")
def _(house):
    house.write("a.c", "int a;\n")
    house.serve(house.tree)
    house.wait_ready()
    w = only_workspace(house)
    queue, store = w["queue"], w["store"]
    for lane in ("interactive", "bulk"):
        for figure in ("wait_us", "latency_us"):
            equal(set(queue[lane][figure]), {"n", "sum", "p50", "p99", "max"})
    assert queue["bulk"]["latency_us"]["n"] >= 1 and queue["bulk"]["latency_us"]["max"] > 0, queue
    assert queue["bulk"]["latency_us"]["max"] >= queue["bulk"]["wait_us"]["max"], queue
    equal(set(queue["flushes"]), {"entities", "bytes", "time", "empty", "flush"})
    equal(sum(queue["flushes"].values()), queue["commits"])
    equal(queue["commit_us"]["n"], queue["commits"])
    assert store["wal_bytes"] > 0 and store["events"]["rows"] >= 1, store
    assert store["events"]["rows"] <= store["events"]["rows_max"], store
    text = house.gloss("status").ok().out
    assert "  commits    " in text and "latency p99" in text and "  letters " not in text, text
    equal(w["dead_letters"], {"count": 0, "in_memory": 0, "size_bytes": 0, "dropped": 0, "replayed": 0,
                              "newest": []})


main()
