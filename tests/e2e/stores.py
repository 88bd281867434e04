"""Indexes in other places: in memory, copied by `gloss migrate`, and addresses that hold a password."""
import glob
import os
import re
import signal
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from house import wait  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402

SECRET = "hunter2"


def memory_folder(house):
    """Where the index of the engine's only workspace lies; others use the same file system."""
    index = house.status()["workspaces"][0]["index"]
    assert re.fullmatch(r"mem:[0-9a-f]{32}", index), index
    bases = (house.env["XDG_RUNTIME_DIR"], "/dev/shm")
    (folder,) = [f for b in bases for f in glob.glob(f"{b}/gloss-mem-{os.geteuid()}-{index[4:]}")]
    return folder


def need_memory():
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True, check=False)
    if kind.stdout.strip() not in ("tmpfs", "ramfs"):
        raise Skip("no file system in memory")


def without_rev(rows):
    return [{k: v for k, v in row.items() if k != "rev"} for row in rows]


@case("an index is its user's alone, wherever it lies and whatever is told to new files")
def _(house):
    trees.write_c(house)
    place = os.path.join(house.dir, "open")
    os.mkdir(place, 0o755)
    for name, command in (("index.db", ["index", "--db"]), ("copy.db", ["migrate", "--to"])):
        house.gloss("index").ok()
        was = os.umask(0)
        try:
            house.gloss(*command, os.path.join(place, name)).ok()
        finally:
            os.umask(was)
        files = sorted(f for f in os.listdir(place) if f.startswith(name))
        assert name in files and name + ".lock" in files, files
        equal([f for f in files if os.stat(os.path.join(place, f)).st_mode & 0o077], [])
    os.chmod(os.path.join(place, "index.db"), 0o640)  # what is there is as its user wants it
    house.gloss("index", "--db", os.path.join(place, "index.db")).ok()
    equal(os.stat(os.path.join(place, "index.db")).st_mode & 0o777, 0o640)


@case("an engine with mem: serves its index from a private folder in memory, and nothing of it is left")
def _(house):
    need_memory()
    trees.write_mixed(house)
    p, _engine = house.serve(house.tree, "--db", "mem:")
    house.wait_ready()
    folder = memory_folder(house)
    equal(os.stat(folder).st_mode & 0o7777, 0o700, "mode")
    assert not glob.glob(os.path.join(house.env["XDG_STATE_HOME"], "gloss", "*", "index.db")), "a file on disk"
    house.gloss("search", "--db", "mem:", "queue").fails(1, "seen only by the engine that holds it")
    house.gloss("stop").ok()
    equal(p.wait(30), 0, "exit code")
    assert not os.path.exists(folder), "it is still there"


@case("what a killed engine left in memory goes when the next one starts")
def _(house):
    need_memory()
    trees.write_c(house)
    p, _engine = house.serve(house.tree, "--db", "mem:")
    house.wait_ready()
    left = memory_folder(house)
    p.send_signal(signal.SIGKILL)
    p.wait(30)
    summary = house.index("--db", "mem:")
    equal(summary["files"], 3, "files")
    assert not os.path.exists(left), left


@case("migrate copies all that an index shows, and an engine goes on with the copy")
def _(house):
    trees.write_mixed(house)
    summary = house.index()
    copy = os.path.join(house.dir, "copy.db")
    done = house.gloss("migrate", "--to", copy, "--json").json()
    equal(done["to"], "sqlite:" + copy)
    for name in ("entities", "edges"):
        equal(done[name], summary[name], name)
    assert done["epoch"] != summary["epoch"] and re.fullmatch("[0-9a-f]{32}", done["epoch"]), done
    db = {"GLOSS_DB": copy}
    equal(without_rev(house.entities(env=db)), without_rev(house.entities()), "entities")
    equal(house.edges(env=db), house.edges(), "edges")
    again = house.index(env=db)
    equal((again["unchanged"], again["epoch"], again["seq"]), (again["files"], done["epoch"], done["seq"]))
    events = house.gloss("events", "--dir", house.tree, env=db).lines()
    equal((events[0]["event_type"], events[0]["data"]), ("index.rebuilt", {"reason": "copied"}))


@case("migrate copies what an engine holds, and does not touch what an engine holds")
def _(house):
    trees.write_mixed(house)
    house.serve(house.tree)
    house.wait_ready()
    copy = os.path.join(house.dir, "copy.db")
    done = house.gloss("migrate", "--to", copy, "--json").json()
    equal(done["entities"], len(house.entities()), "entities")
    equal(without_rev(house.entities(env={"GLOSS_DB": copy})), without_rev(house.entities()), "entities")
    held = house.status()["workspaces"][0]["index"]
    house.gloss("migrate", "--from", copy, "--to", held).fails(1, "another engine holds this index")


@case("migrate says what it cannot do, and leaves what is there")
def _(house):
    trees.write_c(house)
    house.index()
    copy = os.path.join(house.dir, "copy.db")
    house.gloss("migrate").fails(2, "--to is missing.*gloss migrate --help")
    house.gloss("migrate", "--to", "mem:").fails(2, "--to: .*only by the engine that holds it")
    house.gloss("migrate", "--from", "mem:", "--to", copy).fails(2, "--from: .*only by the engine")
    house.gloss("migrate", "--from", "mysql://h/d", "--to", copy).fails(2, "no kind of index")
    house.gloss("migrate", "--from", os.path.join(house.dir, "none.db"), "--to", copy).fails(1, "there is no index")
    assert not os.path.exists(copy), "made for nothing"
    text = house.gloss("migrate", "--to", copy).ok().out
    assert re.search(r"^3 files, \d+ entities, \d+ edges, 0 hovers \(0 stale\), 0 contents of the past, 0 dead letters in ", text), text
    seq = house.index("--db", copy)["seq"]
    house.gloss("migrate", "--to", copy).fails(1, "has an index already; remove it first")
    equal(house.index("--db", copy)["seq"], seq, "seq")
    other = os.path.join(house.dir, "other")
    os.mkdir(other)
    house.gloss("index", other, "--db", copy).fails(1, "is the index of .*tree; choose another --db")


def cut_short(copy, was):
    """As a kill leaves it: what was copied of this state of the source, none of the rest."""
    db = sqlite3.connect(copy)
    db.execute("INSERT OR REPLACE INTO meta VALUES('copying',?)", (was,))
    db.execute("INSERT OR REPLACE INTO dead_letter VALUES(5,'put_event','','no room',1000,'')")
    db.commit()
    db.close()


@case("a copy that was cut short is taken for an index by nobody, and the same command completes it")
def _(house):
    trees.write_mixed(house)
    summary = house.index()
    copy = os.path.join(house.dir, "copy.db")
    db = {"GLOSS_DB": copy}
    house.gloss("migrate", "--to", copy).ok()
    cut_short(copy, "of something else")
    for args in (("index", house.tree), ("search", "queue"), ("export",)):
        house.gloss(*args, env=db).fails(1, "a copy that was not finished: `gloss migrate --to`")
    done = house.gloss("migrate", "--to", copy, "--json").json()
    equal((done["resumed"], done["entities"]), (False, summary["entities"]))
    equal(without_rev(house.entities(env=db)), without_rev(house.entities()), "entities")
    equal(house.edges(env=db), house.edges(), "edges")
    events = house.gloss("events", "--dir", house.tree, env=db).lines()
    equal((events[0]["event_type"], events[0]["data"]), ("index.rebuilt", {"reason": "copied"}))
    n, rows = done["files"], f"{done['entities']} {done['edges']} 0 0 0 0"
    cut_short(copy, f"{summary['epoch']} {summary['seq']} {n} {n} {rows}")
    done = house.gloss("migrate", "--to", copy, "--json").json()
    equal((done["resumed"], done["files"], done["entities"]), (True, n, summary["entities"]))
    equal(without_rev(house.entities(env=db)), without_rev(house.entities()), "entities")
    house.index(env=db)
    house.gloss("migrate", "--to", copy).fails(1, "has an index already; remove it first")


@case("a password in the address of an index is shown nowhere")
def _(house):
    trees.write_c(house)
    address = f"postgres://who:{SECRET}@127.0.0.1:1/gloss?password={SECRET}&connect_timeout=2"
    results = [house.gloss("index", "--db", address), house.gloss("search", "--db", address, "queue"),
               house.gloss("migrate", "--from", address, "--to", os.path.join(house.dir, "x.db")),
               house.gloss("doctor", "--db", address), house.gloss("doctor", "--db", address, "--json")]
    house.serve(house.tree, env={"GLOSS_DB": address, "GLOSS_LOG_LEVEL": "debug"})
    wait("the workspace failed", lambda: house.status()["workspaces"][0]["state"] == "failed")
    results.append(house.gloss("status"))
    results.append(house.gloss("status", "--json"))
    for result in results[:3]:
        equal(result.code, 1, str(result))
    for result in results:
        assert SECRET not in result.out + result.err, str(result)
    house.gloss("stop").ok()
    assert SECRET not in house.stderr_text("engine.stderr"), "in the log"
    for folder, _folders, names in os.walk(house.dir):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    assert SECRET.encode() not in f.read(), path


main()
