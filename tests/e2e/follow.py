"""An engine follows its folder through what folders go through: they are deleted, made again, replaced."""
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import wait  # noqa: E402
from lsp import Editor  # noqa: E402
from tap import case, equal, main  # noqa: E402
from ws import WebSocket  # noqa: E402

QUIET = {"GLOSS_ENRICH_ENABLED": "false"}
LOCK_S = 4.0  # how long git's lock may hold many changes back


def names(house):
    return {e["name"] for e in house.entities()}


def state(house):
    w = house.gloss("status", "--json", cwd=house.dir).json()["workspaces"][0]
    return w["state"], w["why"]


@case("a root that is deleted and made again is followed")
def _(house):
    house.write("src/before.c", "int before;\n")
    house.serve(house.tree, env=QUIET)
    house.wait_ready()
    shutil.rmtree(house.tree)
    wait("it is told", lambda: "No such file" in (state(house)[1] or ""))
    house.gloss("index", house.tree, cwd=house.dir).fails(1, "No such file")
    house.write("src/after.c", "int after;\n")
    wait("the new one is in the index", lambda: "after" in names(house))
    equal(names(house), {"after"})
    house.write("src/later.c", "int later;\n")
    wait("it is watched", lambda: names(house) == {"after", "later"})
    wait("nothing is said any more", lambda: state(house) == ("ready", None))


@case("another folder in the root's place is the index's tree from then on")
def _(house):
    for i in range(50):
        house.write(f"d{i % 7}/f{i}.c", f"int old_{i};\n")
    house.write("top.c", "int old_top;\n")
    house.serve(house.tree, env=QUIET)
    house.wait_ready()
    other, aside = os.path.join(house.dir, "other"), os.path.join(house.dir, "aside")
    os.makedirs(os.path.join(other, "d1"))
    with open(os.path.join(other, "d1", "f1.c"), "w", encoding="utf-8") as f:
        f.write("int new_one;\n")
    os.rename(house.tree, aside)
    os.rename(other, house.tree)
    wait("its files are the index", lambda: names(house) == {"new_one"})
    house.write("d1/f2.c", "int new_two;\n")
    with open(os.path.join(aside, "d1", "f9.c"), "w", encoding="utf-8") as f:
        f.write("int nobodys;\n")
    wait("it is watched", lambda: "new_two" in names(house))
    equal(names(house), {"new_one", "new_two"})


@case("a spent watch budget is said, and what is not watched is looked at every few seconds")
def _(house):
    for i in range(6):
        house.write(f"d{i}/a.c", f"int in_{i};\n")
    house.serve(house.tree, env={**QUIET, "GLOSS_INDEX_MAX_WATCHES": "3"})
    w = house.wait_ready()
    equal((w["watched"], w["unwatched"], w["max_watches"]), (3, 4, 3))
    assert "3 folders, 4 more are read again" in house.gloss("status").ok().out
    row = [c for c in house.gloss("doctor", "--json").json()["checks"] if c["what"] == "watching"][0]
    assert not row["ok"] and "4 are read again" in row["state"] and "index.max_watches" in row["mend"], row
    for i in range(6):
        house.write(f"d{i}/a.c", f"int changed_{i};\n")
        house.write(f"d{i}/deep/b.c", f"int made_{i};\n")
    wanted = {f"{what}_{i}" for i in range(6) for what in ("changed", "made")}
    wait("all is found", lambda: names(house) == wanted)
    for i in range(6):
        shutil.rmtree(house.path(f"d{i}"))
    wait("all is gone, and is watched", lambda: names(house) == set() and
         house.status()["workspaces"][0]["unwatched"] == 0)
    row = [c for c in house.gloss("doctor", "--json").json()["checks"] if c["what"] == "watching"][0]
    assert row["ok"], row


@case("git's lock delays neither the save of a file nor what is typed in an editor")
def _(house):
    house.write(".git/HEAD", "ref: refs/heads/main\n")
    house.write("a.c", "int a;\n")
    house.write("b.c", "int b;\n")
    _, engine = house.serve(house.tree, env=QUIET)
    workspace = house.wait_ready()
    ws = WebSocket(engine)
    assert ws.request("subscribe", {"workspace": workspace["id"], "events": ["entity.added"],
                                    "snapshot": "never"})["success"]
    editor = Editor(house)
    editor.initialize()
    editor.open("b.c", "c")
    house.write(".git/index.lock", "")
    begin = time.monotonic()
    house.write("a.c", "int a;\nint saved;\n")
    ws.events_until(lambda e: e["data"]["name"] == "saved")
    editor.notify("textDocument/didChange", {
        "textDocument": {"uri": editor.uri("b.c"), "version": 2}, "contentChanges": [{"text": "int typed;\n"}]})
    ws.events_until(lambda e: e["data"]["name"] == "typed")
    assert time.monotonic() - begin < LOCK_S * 0.8, time.monotonic() - begin
    # many files at once wait for the end of the lock, and the last of them comes then
    for i in range(60):
        house.write(f"d/f{i}.c", f"int many_{i};\n")
    os.unlink(house.path(".git/index.lock"))
    wait("all of them", lambda: len(names(house)) == 63)
    equal(editor.bye(), 0)
    ws.close()


main()
