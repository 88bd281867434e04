"""Processes: one engine for all editors, its end, and that nothing is left behind, whoever is killed."""
import json
import os
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import trees  # noqa: E402
from house import wait  # noqa: E402
from lsp import Control, Editor  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402


def engines(house):
    return [pid for pid, line in house.pids().items() if " serve" in line]


def clangds(house):
    """Pids of the server itself; its guard has it in its command line too."""
    return [pid for pid, line in house.pids().items() if os.path.basename(line.split()[0]).startswith("clangd")]


def need_clangd():
    if not shutil.which("clangd"):
        raise Skip("clangd is not installed")


def write_project(house):
    """So much of it that clangd is still at work when the killing begins."""
    trees.write_c(house)
    names = ["queue.c", "main.c"]
    for i in range(40):
        house.write(f"src/part{i}.c", "".join(
            f"#include <stdio.h>\nint part{i}_{j}(int a) {{ return printf(\"%d\", a + {j}); }}\n"
            for j in range(40)))
        names.append(f"part{i}.c")
    trees.write_compile_commands(house, *names)


def start_editor(house, **env):
    """A process that is an editor, and its bridge's pid."""
    env = {**house.env, "GLOSS_UNDER_TEST": house.bin, **env}
    with open(os.path.join(house.dir, "stderr"), "ab") as err:
        p = subprocess.Popen([sys.executable, os.path.join(HERE, "lib", "editor.py"), house.tree], env=env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
    house.started.append(p)
    return p, int(p.stdout.readline())


@case("two editors on one folder share one engine and one workspace")
def _(house):
    trees.write_c(house)
    a, b = Editor(house), Editor(house)
    a.initialize()
    b.initialize()
    status = house.status()
    equal(len(engines(house)), 1)
    equal(len(status["workspaces"]), 1)
    assert status["engine"]["sessions"] >= 2, status["engine"]
    a.wait_state("ready")
    for editor in (a, b):
        names = {s["name"] for s in editor.request("workspace/symbol", {"query": "queue_add"})}
        assert "queue_add" in names, names
    equal((a.bye(), b.bye()), (0, 0))


@case("two folders are two workspaces of one engine")
def _(house):
    trees.write_c(house)
    house.write("other/b.c", "int b_only(void) { return 1; }\n")
    a, b = Editor(house), Editor(house)
    a.initialize(root=house.path("src"))
    b.initialize(root=house.path("other"))
    b.wait_state("ready")
    equal(len(engines(house)), 1)
    equal(len(house.status()["workspaces"]), 2)
    equal([s["name"] for s in b.request("workspace/symbol", {"query": "b_only"})], ["b_only"])
    equal([s["name"] for s in a.request("workspace/symbol", {"query": "b_only"})], [])


@case("ten editors that start at once start one engine")
def _(house):
    trees.write_c(house)
    editors = [Editor(house, stderr=f"stderr{i}") for i in range(10)]
    for editor in editors:
        editor.initialize()
    equal(len(engines(house)), 1)
    assert house.status()["engine"]["sessions"] >= 10
    equal({editor.bye() for editor in editors}, {0})
    equal("".join(house.stderr_text(f"stderr{i}") for i in range(10)), "")


@case("a second engine is refused with one line; the first goes on")
def _(house):
    _, engine = house.serve()
    house.gloss("serve").fails(1, "another engine of yours is running")
    equal(house.status()["engine"]["pid"], engine["pid"])


@case("the engine ends by itself when nobody is there any more")
def _(house):
    trees.write_c(house)
    house.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "1"
    a, b = Editor(house), Editor(house)
    a.initialize()
    b.initialize()
    equal(a.bye(), 0)
    equal(b.request("workspace/symbol", {"query": "nothing_like_it"}), [])
    equal(b.bye(), 0)
    house.wait_empty(10)
    assert not os.path.exists(house.runtime("engine.json"))


@case("idle-exit 0 keeps the engine, a signal ends it with its files taken away")
def _(house):
    trees.write_c(house)
    p, _ = house.serve(house.tree, "--idle-exit", "0")
    house.wait_ready()
    p.send_signal(signal.SIGTERM)
    equal(p.wait(10), 0)
    assert not os.path.exists(house.runtime("engine.json"))
    events = [e["event_type"] for e in house.gloss("events").lines()]
    assert "pipeline:online" in events and events[-1] == "pipeline:offline", events


@case("serve --detach holds the folder and leaves the engine running")
def _(house):
    trees.write_c(house)
    house.gloss("serve", "--detach", house.tree).ok()
    equal(house.wait_ready()["root"], house.tree)


@case("serve --detach beside a running engine says which one it is, and has it hold the folder, too")
def _(house):
    trees.write_c(house)
    house.gloss("serve", "--detach").ok()
    engine = house.status()["engine"]
    url = f"ws://127.0.0.1:{engine['port']}/v1/ws"
    for _again in range(2):
        done = house.gloss("serve", "--detach", "--port", "1", house.tree).ok()
        equal((done.out, done.err), (f"already running, pid {engine['pid']}, {url}\n", ""))
        equal(house.wait_ready()["root"], house.tree)
    equal(house.gloss("serve", "--detach", "--json").json(),
          {"started": False, "pid": engine["pid"], "url": url})
    house.gloss("stop").ok()
    started = house.gloss("serve", "--detach", "--json").json()
    equal((started["started"], started["pid"]), (True, house.status()["engine"]["pid"]))
    house.gloss("serve", house.tree).fails(1, "another engine of yours is running")


@case("serve --detach gives its options to the engine that it starts")
def _(house):
    trees.write_c(house)
    house.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "600"
    house.gloss("serve", "--detach", "--idle-exit", "1", house.tree).ok()
    house.wait_empty(10)
    assert not os.path.exists(house.runtime("engine.json"))


@case("exit after shutdown gives 0, without it 1; through the bridge and in-process")
def _(house):
    trees.write_c(house)
    for args in ((), ("--in-process",)):
        editor = Editor(house, "--stdio", *args)
        editor.initialize()
        equal(editor.bye(), 0, f"shutdown and exit {args}")
        editor = Editor(house, *args)
        editor.initialize()
        editor.notify("exit")
        equal(editor.process.wait(10), 1, f"exit alone {args}")
        editor = Editor(house, *args)
        editor.initialize()
        editor.process.stdin.close()
        equal(editor.process.wait(10), 1, f"end of input {args}")


@case("an editor that goes without a word is not told that the engine is gone")
def _(house):
    trees.write_c(house)
    gone = subprocess.Popen([os.environ["GLOSS_BIN"], "lsp"], env=house.env, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "processId": None, "rootUri": "file://" + house.tree, "capabilities": {}}}).encode()
    gone.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    gone.stdin.flush()
    gone.stdout.readline()
    equal(gone.communicate(timeout=10)[1], b"")
    equal(gone.returncode, 1)


@case("--in-process serves a session without any other process of ours")
def _(house):
    trees.write_c(house)
    editor = Editor(house, "--in-process", env={"GLOSS_TRUSTED": "false"})
    editor.initialize()
    editor.wait_state("ready")
    equal([s["name"] for s in editor.request("workspace/symbol", {"query": "queue_sum"})][0], "queue_sum")
    equal(engines(house), [])
    equal(list(house.pids()), [editor.process.pid])
    assert not os.path.exists(house.runtime("engine.sock"))
    equal(editor.bye(), 0)


@case("the editor's pid is watched: its death ends the session although the pipes are open")
def _(house):
    trees.write_c(house)
    sleeper = subprocess.Popen(["sleep", "1000"])
    editor = Editor(house, "--in-process")
    editor.request("initialize", {"processId": sleeper.pid, "rootUri": "file://" + house.tree, "capabilities": {}})
    sleeper.kill()
    sleeper.wait()
    equal(editor.process.wait(5), 1)


@case("an editor that dies without a word: its requests and documents are forgotten")
def _(house):
    trees.write_c(house)
    keeper = Editor(house, stderr="keeper")
    keeper.initialize()
    keeper.wait_state("ready")
    editor, bridge = start_editor(house)
    wait("both are there", lambda: house.status()["engine"]["sessions"] >= 3)  # the command itself is one
    os.kill(editor.pid, signal.SIGKILL)
    wait("the bridge is gone", lambda: bridge not in house.pids(), 5)
    wait("the session is gone", lambda: house.status()["engine"]["sessions"] == 2, 5)
    equal(keeper.bye(), 0)


@case("a stale socket of a killed engine is no obstacle")
def _(house):
    p, first = house.serve()
    p.kill()
    p.wait()
    assert os.path.exists(house.runtime("engine.sock"))
    equal(house.status()["engine"], None)
    trees.write_c(house)
    editor = Editor(house)
    editor.initialize()
    assert house.engine()["pid"] != first["pid"]
    equal(editor.bye(), 0)


def kill_in_turn(house, whom):
    """clangd is at work; `whom` are killed at once; nothing may be left soon after."""
    need_clangd()
    write_project(house)
    house.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "1"
    editor, bridge = start_editor(house)
    wait("clangd runs", lambda: clangds(house))
    pids = {"editor": editor.pid, "bridge": bridge, "engine": house.engine()["pid"]}
    for name in whom:
        os.kill(pids[name], signal.SIGKILL)
    editor.wait(10)
    house.wait_empty(6.0)  # a second of idling, then the five


@case("kill -9 of the editor leaves no process")
def _(house):
    kill_in_turn(house, ["editor"])


@case("kill -9 of the bridge leaves no process")
def _(house):
    kill_in_turn(house, ["bridge"])


@case("kill -9 of the engine leaves no process")
def _(house):
    kill_in_turn(house, ["engine"])


@case("kill -9 of editor and bridge leaves no process")
def _(house):
    kill_in_turn(house, ["editor", "bridge"])


@case("kill -9 of all three at once leaves no process")
def _(house):
    kill_in_turn(house, ["editor", "bridge", "engine"])


@case("kill -9 of an in-process session leaves no process")
def _(house):
    need_clangd()
    write_project(house)
    editor = Editor(house, "--in-process")
    editor.initialize()
    wait("clangd runs", lambda: clangds(house))
    editor.process.kill()
    editor.process.wait()
    house.wait_empty()


@case("stop with clangd at work leaves no process")
def _(house):
    need_clangd()
    write_project(house)
    house.serve(house.tree)
    wait("clangd runs", lambda: clangds(house))
    house.gloss("stop").ok()
    house.wait_empty()


@case("the bridge of a killed engine ends with 1 and one line; the next one starts a new engine")
def _(house):
    trees.write_c(house)
    editor = Editor(house)
    editor.initialize()
    os.kill(house.engine()["pid"], signal.SIGKILL)
    equal(editor.process.wait(5), 1)
    lines = house.stderr_text().splitlines()
    equal(len(lines), 1, str(lines))
    assert lines[0].startswith("gloss: the engine is gone"), lines
    editor = Editor(house)
    editor.initialize()
    equal(editor.bye(), 0)


@case("stop ends the sessions too; the bridge says so")
def _(house):
    trees.write_c(house)
    editor = Editor(house)
    editor.initialize()
    house.gloss("stop").ok()
    equal(editor.process.wait(5), 1)
    assert "the engine is gone" in house.stderr_text()
    house.wait_empty()


@case("what was indexed before a kill -9 is there after it, and is unchanged")
def _(house):
    write_project(house)
    p, _ = house.serve(house.tree, env={"GLOSS_ENRICH_ENABLED": "false"})
    epoch, before = house.wait_ready()["epoch"], house.entities()
    p.kill()
    p.wait()
    s = house.index()
    equal((s["entities"], s["epoch"], s["unchanged"]), (len(before), epoch, s["files"]))
    equal(house.entities(), before)


@case("a command's session that only connects is not in the way")
def _(house):
    house.env["GLOSS_ENGINE_IDLE_EXIT_S"] = "1"
    house.serve()
    control = Control(house)
    assert control.request("gloss/status")["engine"]["sessions"] >= 1
    control.close()
    house.wait_empty(10)


main()
