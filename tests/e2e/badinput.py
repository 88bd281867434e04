"""Bad input: each is one clear error or a recorded state, the rest goes on, nothing is lost."""
import glob
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from house import WAIT_S, read_bytes, wait  # noqa: E402
from lsp import Editor  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402
from ws import Refused, WebSocket, http  # noqa: E402

NOBODY = 65534
MIB = 1 << 20


def is_root():
    return os.geteuid() == 0


def recorded(house, path):
    """(state, reason) of a file in the index."""
    found = glob.glob(os.path.join(house.env["XDG_STATE_HOME"], "gloss", "tree-*", "index.db"))
    equal(len(found), 1)
    db = sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)
    try:
        row = db.execute("SELECT state, reason FROM v_file WHERE path=?", (path,)).fetchone()
    finally:
        db.close()
    assert row, f"nothing is recorded of {path}"
    return row


def names(house):
    return {e["name"] for e in house.entities()}


def be_nobody(house):
    """Root may read everything: the program runs as somebody else, from a copy that all may read."""
    if not is_root():
        return ()
    if not shutil.which("setpriv"):
        raise Skip("there is no setpriv")
    copy = os.path.join(house.dir, "gloss")
    shutil.copy(house.bin, copy)
    os.chmod(copy, 0o755)
    house.bin = copy
    for folder, folders, files in os.walk(house.dir):
        for name in folders + files:
            os.chown(os.path.join(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


# ---- files ----

@case("an unreadable directory: one line, what the index has of it stays, the rest goes on")
def _(house):
    trees.write_c(house)
    house.write("secret/plan.c", "int the_plan;\n")
    before = be_nobody(house)
    house.gloss("index", before=before).ok()
    os.chmod(house.path("secret"), 0)
    house.write("src/later.c", "int came_later;\n")
    r = house.gloss("index", "--json", before=before).ok()
    os.chmod(house.path("secret"), 0o700)
    lines = [line for line in r.err.splitlines() if "secret" in line]
    equal(len(lines), 1, r.err)
    assert {"the_plan", "came_later", "queue_add"} <= names(house)


@case("a root that cannot be read, or is not there, is an error, and the index stays as it was")
def _(house):
    trees.write_c(house)
    before = be_nobody(house)
    house.gloss("index", before=before).ok()
    known = names(house)
    os.chmod(house.tree, 0)
    try:
        r = house.gloss("index", house.tree, cwd=house.dir, before=before).ok(1)
    finally:
        os.chmod(house.tree, 0o700)
    assert r.err.splitlines()[-1].startswith(f"gloss: {house.tree} cannot be read: Permission denied"), r.err
    equal(names(house), known)
    house.gloss("index", house.path("none"), before=before).fails(1, "none: No such file or directory")
    house.gloss("index", house.path("src/queue.c"), before=before).fails(1, "Not a directory|not a folder")


@case("an unreadable file is recorded as failed, and indexed once it can be read")
def _(house):
    trees.write_c(house)
    os.chmod(house.write("src/closed.c", "int closed_one;\n"), 0)
    before = be_nobody(house)
    os.chmod(house.path("src/closed.c"), 0)
    s = house.gloss("index", "--json", before=before).json()
    equal((s["failed"], s["files"]), (1, 3))
    equal(recorded(house, "src/closed.c"), ("failed", "unreadable"))
    os.chmod(house.path("src/closed.c"), 0o600)
    s = house.gloss("index", "--json", before=before).json()
    equal((s["failed"], s["files"]), (0, 4))
    assert "closed_one" in names(house)


@case("a binary file is recorded as skipped")
def _(house):
    trees.write_c(house)
    house.write("src/blob.c", b"int a;\0\x7fELF\0\0" + bytes(range(256)) * 20)
    s = house.index()
    equal((s["files"], s["failed"]), (3, 0))
    equal(recorded(house, "src/blob.c"), ("skipped", "binary"))


@case("a file of 100 MB is recorded as skipped and is not read into memory")
def _(house):
    trees.write_c(house)
    with open(house.path("src/huge.c"), "wb") as f:
        f.truncate(100 * MIB)
    s = house.index()
    equal((s["files"], s["failed"]), (3, 0))
    equal(recorded(house, "src/huge.c"), ("skipped", "too_large"))
    resident = s["peak_rss_bytes"]
    limit = 90 * MIB if b"__asan_init" not in read_bytes(house.bin) else 1000 * MIB
    assert resident < limit, f"{resident} bytes were resident"


@case("broken, looping and outward symlinks: the walk ends, nothing outside is read")
def _(house):
    trees.write_c(house)
    outside = os.path.join(house.dir, "outside")
    os.mkdir(outside)
    with open(os.path.join(outside, "o.c"), "w", encoding="utf-8") as f:
        f.write("int from_outside;\n")
    os.symlink("nowhere.c", house.path("src/broken.c"))
    os.symlink("loop.c", house.path("src/loop.c"))
    os.symlink("..", house.path("src/up"))
    os.symlink(house.tree, house.path("src/again"))
    os.symlink(outside, house.path("src/out"))
    os.symlink(os.path.join(outside, "o.c"), house.path("src/out.c"))
    s = house.index()
    equal((s["files"], s["failed"]), (3, 0))
    assert "from_outside" not in names(house)


@case("files that vanish while they are read: no error, the others are all there")
def _(house):
    n = 2000
    for i in range(n):
        house.write(f"gone/d{i % 50}/f{i}.c", f"int gone{i};\n")
        house.write(f"kept/d{i % 50}/f{i}.c", f"int kept{i};\n")
    stop = threading.Event()

    def remove():
        for i in range(n):
            if stop.is_set():
                return
            os.remove(house.path(f"gone/d{i % 50}/f{i}.c"))
    thread = threading.Thread(target=remove)
    p = house.start("index", house.tree, "--json")
    wait("the first are committed", lambda: "file:completed" in house.gloss("events").out)
    thread.start()
    out = p.stdout.read()
    equal(p.wait(), 0, house.stderr_text())
    assert json.loads(out)["failed"] == 0, out
    thread.join()
    s = house.index()
    equal((s["files"], s["entities"], s["failed"]), (n, n, 0))
    equal(names(house), {f"kept{i}" for i in range(n)})


@case("text that is not UTF-8: entities are found, every line printed is JSON in UTF-8")
def _(house):
    house.write("latin.c", b"/* caf\xe9 */\nint caf\xe9_after(void) { return 0; }\nint plain_after;\n")
    house.write("half.py", b"def f():\n    '''\xff\xfe \xc3'''\n    return 1\n")
    os.rename(house.write("x.c", "int odd_name;\n"), os.fsencode(house.tree) + b"/na\xefve.c")
    s = house.index()
    equal((s["files"], s["failed"]), (3, 0))
    assert {"plain_after", "f", "odd_name"} <= names(house), names(house)
    equal(house.index()["unchanged"], 3)


@case("what takes too long is recorded, and tried again once it changes, not before")
def _(house):
    house.write("deep.py", "(" * 300000)
    house.write("good.py", "good = 1\n")
    s = house.index()
    equal((s["files"], s["failed"], s["reasons"]["timed_out"]), (1, 1, 1))
    equal(recorded(house, "deep.py"), ("failed", "timed_out"))
    s = house.index()
    equal((s["failed"], s["reasons"]["timed_out"]), (1, 1))
    assert s["seconds"] < 1, f"it was tried again, which takes its second: {s}"
    house.write("deep.py", "shallow = 1\n")
    s = house.index()
    equal((s["files"], s["failed"]), (2, 0))


@case("a folder that is no folder, a name with a newline, an empty file, very deep nesting")
def _(house):
    house.write("line\nbreak.c", "int in_two_lines;\n")
    house.write("empty.c", b"")
    house.write("deep.js", "function d(){" * 3000 + "}" * 3000 + "\nfunction behind() {}\n")
    house.write("parens.c", "int x = " + "(" * 20000 + "1" + ")" * 20000 + ";\nint y_behind;\n")
    house.index()
    assert "in_two_lines" in names(house)
    equal(house.gloss("search", "in_two_lines", "--json").lines()[0]["path"], "line\nbreak.c")


@case("names that a terminal obeys or JSON has no letters for: indexed, printed in one line each, as JSON in UTF-8")
def _(house):
    odd = [b"nl\nx", b"quo'te\"", b"tab\tx", b"esc\x1b[31m", b"bad\xff\xfe", b" ", b"-dash", b"*glob?[a]", b"\xe2\x80\xaertl",
           "\U0001f600".encode(), b"back\\slash", b"#hash", b"%41", b"a" * 253, b"\x7f\x01", b"cr\r", b"dir\n\xff/in"]
    os.mkdir(os.fsencode(house.tree) + b"/dir\n\xff")
    for i, name in enumerate(odd):
        with open(os.fsencode(house.tree) + b"/" + name + b".c", "wb") as f:
            f.write(b"/* doc %d */\nint odd_%d(void) { return odd_0(); }\n" % (i, i))
    s = house.index()
    equal((s["files"], s["failed"], s["entities"]), (len(odd), 0, len(odd)))
    equal(house.index()["unchanged"], len(odd))
    found = {e["name"]: e["path"] for e in house.entities()}
    for i, name in enumerate(odd):
        equal(found[f"odd_{i}"], (name + b".c").decode("utf-8", "replace"))
    for command in (["search", "odd_", "--limit", "100"], ["show", "odd_0"], ["show", "odd_3"]):
        r = subprocess.run([house.bin, *command], env=house.env, cwd=house.tree, capture_output=True, check=True)
        assert not set(r.stdout) & (set(range(32)) - {9, 10}), r.stdout
        if command[0] == "search":
            equal(r.stdout.count(b"\n"), len(odd))
    for command in (["search", "odd_", "--json"], ["show", "odd_0", "--json"], ["export", "--format", "ndjson"]):
        r = subprocess.run([house.bin, *command], env=house.env, cwd=house.tree, capture_output=True, check=True)
        assert all(json.loads(line.decode("utf-8")) for line in r.stdout.splitlines()), command


# ---- the LSP side ----

def ends_with_a_line(house, data, *args):
    """This data ends its session with 1 and says why; another session on the engine goes on."""
    trees.write_c(house)
    keeper = Editor(house, stderr="keeper")
    keeper.initialize()
    editor = Editor(house, *args)
    editor.initialize()
    editor.send_raw(data)
    equal(editor.process.wait(10), 1)
    lines = [line for line in house.stderr_text().splitlines() if line]
    assert lines, "nothing was said"
    equal(keeper.request("workspace/symbol", {"query": "no_such_name"}), [])
    equal(keeper.bye(), 0)


@case("a malformed frame ends that session with one line, the engine goes on")
def _(house):
    ends_with_a_line(house, b"this is no header\r\n\r\n{}")


@case("a malformed frame ends an in-process session with one line")
def _(house):
    ends_with_a_line(house, b"this is no header\r\n\r\n{}", "--in-process")
    lines = [line for line in house.stderr_text().splitlines() if "header" in line]
    equal(len(lines), 1, house.stderr_text())


@case("a message over the limit is refused at its header")
def _(house):
    ends_with_a_line(house, b"Content-Length: 99999999999\r\n\r\n")


@case("a message that is not JSON is answered -32700 and the session goes on")
def _(house):
    trees.write_c(house)
    editor = Editor(house)
    editor.initialize()
    editor.send_raw(b"Content-Length: 9\r\n\r\n{\"a\": nul")
    bad = editor.wait_seen("an error without id", lambda m: m.get("id", 0) is None)
    equal(bad["error"]["code"], -32700)
    equal(editor.bye(), 0)


@case("an unknown method is answered -32601, an unknown notification is ignored")
def _(house):
    trees.write_c(house)
    editor = Editor(house)
    editor.initialize()
    editor.notify("textDocument/frobnicated", {})
    editor.notify("$/whatever", {})
    equal(editor.error("textDocument/frobnicate", {}), -32601)
    equal(editor.error("$/frobnicate", {}), -32601)
    equal(editor.bye(), 0)


@case("a request before initialize is answered -32002, initialize still works")
def _(house):
    trees.write_c(house)
    editor = Editor(house)
    equal(editor.error("textDocument/hover", {}), -32002)
    equal(editor.error("workspace/symbol", {"query": "a"}), -32002)
    editor.initialize()
    equal(editor.error("initialize", {"processId": None, "rootUri": None, "capabilities": {}}), -32600)
    equal(editor.bye(), 0)


# ---- the hub ----

def refused(engine, **kw):
    try:
        WebSocket(engine, **kw).close()
    except Refused as e:
        return e.status
    return 101


@case("a wrong token, none, half a token: 403 on the WebSocket and over HTTP")
def _(house):
    trees.write_c(house)
    _, engine = house.serve(house.tree)
    good = engine["token"]
    other = ("0" if good[0] != "0" else "1") + good[1:]
    for token in (other, good[:-1], good + "0", good[:32], "x" * 64):
        equal(refused(engine, token=token), 403, token)
        equal(http(engine["port"], "/v1/stats", [("Authorization", f"Bearer {token}")])[0], 403, token)
    assert refused(engine, token="") in (0, 403)
    equal(http(engine["port"], "/v1/stats")[0], 403)
    equal(http(engine["port"], f"/v1/stats?token={good}")[0], 403)
    equal(http(engine["port"], "/v1/stats", [("Authorization", f"Bearer {good}")])[0], 200)
    equal(refused(engine), 101)


@case("a foreign Host or Origin: 403 before any upgrade; those of this machine pass")
def _(house):
    trees.write_c(house)
    _, engine = house.serve(house.tree)
    port = engine["port"]
    auth = [("Authorization", f"Bearer {engine['token']}")]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example",
                 "192.168.0.1", "0.0.0.0", "[::2]", ""):
        equal(refused(engine, host=host or " "), 403, f"Host {host}")
        equal(http(port, "/v1/stats", [("Host", host)] + auth)[0], 403, f"Host {host}")
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}",
                   f"http://127.0.0.1.evil.example:{port}", "http://192.168.0.1", "file://"):
        equal(refused(engine, headers=[("Origin", origin)]), 403, f"Origin {origin}")
        equal(http(port, "/v1/stats", [("Origin", origin)] + auth)[0], 403, f"Origin {origin}")
    equal(http(port, "/v1/stats", [("Host", f"127.0.0.1:{port}"), ("Host", "evil.example")] + auth)[0], 403)
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", f"[::1]:{port}"):
        equal(refused(engine, host=host), 101, f"Host {host}")
    for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
        equal(refused(engine, headers=[("Origin", origin)]), 101, f"Origin {origin}")


@case("the hub listens on 127.0.0.1 alone")
def _(house):
    _, engine = house.serve()
    listening = []
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            for line in f.readlines()[1:]:
                fields = line.split()
                address, port = fields[1].split(":")
                if fields[3] == "0A" and int(port, 16) == engine["port"]:
                    listening.append((name, address))
    equal(listening, [("tcp", "0100007F")])


# ---- language servers ----

def use_fake(house, *lives):
    """The C files' server is one that does as the scenario says. Returns a reader of its log."""
    fake = os.environ.get("GLOSS_FAKE_LS")
    if not fake:
        raise Skip("GLOSS_FAKE_LS does not name the scripted server")
    scenario, log = os.path.join(house.dir, "scenario.json"), os.path.join(house.dir, "fake.log")
    with open(scenario, "w", encoding="utf-8") as f:
        json.dump({"lives": list(lives)}, f)
    house.config({"servers": [{"name": "fake", "command": [fake, scenario, log], "languages": ["c"]}]})
    house.env["GLOSS_ENRICH_DEADLINE_MS"] = "500"

    def read_log():
        with open(log, encoding="utf-8") as f:
            return [json.loads(line) if line.startswith("{") else line.strip().strip('"') for line in f]
    return read_log


def hovers(house, path=None):
    return [e["hover"] for e in house.entities() if path in (None, e["path"])]


@case("a language server that is missing: every hover is unknown(no_server), the rest is complete")
def _(house):
    trees.write_c(house)
    house.env["PATH"] = os.path.join(house.dir, "empty")
    s = house.index("--enrich")
    equal(s["hovers"], {"known": 0, "empty": 0, "unknown": s["entities"]})
    equal({h.get("reason") for h in hovers(house)}, {"no_server"})
    assert "queue_add" in names(house)


@case("a language server whose program is not there is the same")
def _(house):
    trees.write_c(house)
    house.env["PATH"] = os.path.join(house.dir, "empty")
    house.config({"servers": [{"name": "ghost", "command": ["/nonexistent/ghost-ls"], "languages": ["c"]}]})
    s = house.index("--enrich")
    equal(s["hovers"]["known"], 0)
    equal({h.get("reason") for h in hovers(house)}, {"no_server"})


@case("the scripted server answers: every hover is known")
def _(house):
    trees.write_c(house)
    log = use_fake(house, {})
    s = house.index("--enrich")
    equal(s["hovers"], {"known": s["entities"], "empty": 0, "unknown": 0})
    hover = house.by_name()["queue_add"]["hover"]
    assert hover["state"] == "known" and hover["markdown"].startswith("hover 7:0"), hover
    equal(log().count("life"), 1)


@case("a server that hangs: those hovers are unknown(timed_out) and cancelled, the others are known")
def _(house):
    trees.write_c(house)
    log = use_fake(house, {"hover": [{"path": "queue.h", "silent": True}]})
    s = house.index("--enrich")
    assert s["hovers"]["known"] > 0, s
    equal({h["state"] for h in hovers(house, "src/queue.c")}, {"known"})
    equal({(h["state"], h.get("reason")) for h in hovers(house, "src/queue.h")}, {("unknown", "timed_out")})
    assert any(isinstance(m, dict) and m.get("method") == "$/cancelRequest" for m in log())


@case("a server that does not even answer initialize delays nobody else")
def _(house):
    trees.write_c(house)
    use_fake(house, {"initialize": {"silent": True}})
    editor = Editor(house)
    editor.initialize()
    editor.wait_state("enriching")
    editor.open("src/queue.c", "c")
    names_ = [x["name"] for x in editor.request(
        "textDocument/documentSymbol", {"textDocument": {"uri": editor.uri("src/queue.c")}}, 5)]
    equal(names_, ["total", "queue_add", "queue_sum"])
    hover = editor.request("textDocument/hover", {"textDocument": {"uri": editor.uri("src/queue.c")},
                                                  "position": {"line": 7, "character": 2}}, 5)
    assert "int queue_add" in hover["contents"]["value"] and "unknown" in hover["contents"]["value"], hover
    server = house.status()["workspaces"][0]["servers"][0]
    equal((server["name"], server["state"]), ("fake", "starting"))
    equal(editor.bye(), 0)


@case("a server that dies is started again, and what it did not answer is asked again")
def _(house):
    trees.write_c(house)
    house.write("src/a_first.c", "int a_first;\n")  # files are asked about in their order
    for i in range(40):  # more than are asked about at once
        house.write(f"src/f{i}.c", f"int f{i};\n")
    log = use_fake(house, {"hover": [{"path": "a_first.c", "die": 3}], "stderr": "out of memory\n"}, {})
    s = house.index("--enrich")
    equal(s["entities"], sum(s["hovers"].values()))
    assert log().count("life") >= 2, log()
    equal({h["state"] for h in hovers(house)}, {"known"})


@case("a server that dies at every start is given up, with its last words in status")
def _(house):
    trees.write_c(house)
    use_fake(house, {"die": 7, "stderr": "I cannot go on\n"})
    editor = Editor(house)
    editor.initialize()

    def told():
        servers = house.status()["workspaces"][0]["servers"]
        return servers and servers[0]["why"] and servers[0]
    server = wait("status tells why", told)
    assert "I cannot go on" in server["why"], server
    names_ = {x["name"] for x in editor.request("workspace/symbol", {"query": "queue"}, 5)}
    assert "queue_add" in names_, names_
    equal(editor.bye(), 0)


@case("a server that answers garbage costs its own answers, nothing else")
def _(house):
    trees.write_c(house)
    use_fake(house, {"hover": [{"path": "queue.c", "garbage": "Segmentation fault\n\n\n"}]},
             {"hover": [{"path": "queue.c", "garbage": "Content-Length: 5\r\n\r\nhello"}]})
    s = house.index("--enrich")
    equal(s["entities"], sum(s["hovers"].values()))
    assert {"queue_add", "queue", "main"} <= names(house)
    equal({h["state"] for h in hovers(house, "src/queue.c")}, {"unknown"})


@case("a server that answers errors: unknown(failed) for those, known for the others")
def _(house):
    trees.write_c(house)
    use_fake(house, {"hover": [{"path": "queue.c", "line": 7, "error": {"code": -32603, "message": "panic"}}]})
    house.index("--enrich")
    e = house.by_name()
    equal((e["queue_add"]["hover"]["state"], e["queue_add"]["hover"]["reason"]), ("unknown", "failed"))
    equal(e["queue_sum"]["hover"]["state"], "known")


# ---- the store ----

def many(house, n=400):
    for i in range(n):
        house.write(f"d{i % 10}/f{i}.c", "".join(f"/* {'x' * 200} */\nint f{i}_{j}(void) {{ return {j}; }}\n" for j in range(40)))
    return n


def after_the_flood(house, n):
    """There is room again: the index is whole, without having been thrown away."""
    s = house.index()
    equal((s["files"], s["failed"], s["entities"]), (n, 0, n * 40))
    equal(house.index()["unchanged"], n)


@case("a full disk (tmpfs): one clear error, and all is there once there is room")
def _(house):
    if not is_root():
        raise Skip("only root may mount a small file system")
    n = many(house)
    state = house.env["XDG_STATE_HOME"]
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", state], check=False,
                      capture_output=True).returncode != 0:
        raise Skip("this machine does not let us mount")
    house.mounts.append(state)
    r = house.gloss("index", house.tree, "--json")
    equal(r.code, 1, str(r))
    assert "full" in r.err or "No space" in r.err, r.err
    equal(len([line for line in r.err.splitlines() if line.startswith("gloss: ")]), 1, r.err)
    assert len(r.err.splitlines()) < 10, f"one clear error, please: {r.err}"
    subprocess.run(["mount", "-o", "remount,size=256m", state], check=True)
    after_the_flood(house, n)


@case("a file that may not grow any more (RLIMIT_FSIZE) is told in the same way")
def _(house):
    n = many(house)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
    done = subprocess.run([house.bin, "index", house.tree, "--json"], env=house.env, preexec_fn=limit,
                          capture_output=True, check=False, timeout=WAIT_S * 4)
    err = done.stderr.decode()
    equal(done.returncode, 1, err)
    equal(len([line for line in err.splitlines() if line.startswith("gloss: ")]), 1, err)
    after_the_flood(house, n)


@case("a second engine on the same index is refused with one line; the first goes on")
def _(house):
    trees.write_c(house)
    house.serve(house.tree)
    house.wait_ready()
    other = os.path.join(house.dir, "run2")
    os.mkdir(other, 0o700)
    house.gloss("index", house.tree, env={"XDG_RUNTIME_DIR": other}).fails(1, "in use|another|locked")
    house.write("src/late.c", "int late_one;\n")
    wait("the first still indexes", lambda: "late_one" in names(house))


@case("an index file that is damaged is set aside, with one line, and made anew")
def _(house):
    trees.write_c(house)
    db = os.path.join(house.dir, "own.db")
    house.gloss("index", house.tree, "--db", db).ok()
    before = b"this was a database, now it only lies there" * 1000
    with open(db, "wb") as f:
        f.write(before)
    house.gloss("search", "x", "--db", db).fails(1, "own.db")
    equal(read_bytes(db), before)
    r = house.gloss("index", house.tree, "--db", db).ok()
    assert "damaged" in r.err and len(r.err.splitlines()) == 1, r.err
    aside = [path for path in glob.glob(db + ".damaged-*") if not path.endswith("-wal")]
    equal([read_bytes(path) for path in aside], [before])
    assert "queue_add" in house.gloss("search", "queue_add", "--db", db).ok().out


@case("a file of somebody else that --db names is refused and stays as it is")
def _(house):
    trees.write_c(house)
    notes = os.path.join(house.dir, "notes.txt")
    before = b"notes of somebody, no database at all\n" * 100
    with open(notes, "wb") as f:
        f.write(before)
    house.gloss("index", house.tree, "--db", notes).fails(1, "no index of gloss")
    equal(read_bytes(notes), before)
    equal(sorted(glob.glob(notes + "*")), [notes])


@case("started with stdin, stdout or stderr closed; a full stdout is told")
def _(house):
    trees.write_c(house)
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        for command in ("index", "export"):
            r = subprocess.run(["sh", "-c", f'exec "$0" {command} "$1" {closed}', house.bin, house.tree],
                               env=house.env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False)
            equal((r.returncode, r.stderr), (0, b""), f"{command} {closed}")
    r = subprocess.run(["sh", "-c", 'exec "$0" export "$1" > /dev/full', house.bin, house.tree],
                       env=house.env, stderr=subprocess.PIPE, check=False)
    assert r.returncode == 1 and r.stderr.startswith(b"gloss: cannot write") and r.stderr.count(b"\n") == 1, r


@case("an index that lies in its own folder does not index itself")
def _(house):
    trees.write_c(house)
    db = os.path.join(house.tree, "in.db")
    house.gloss("index", house.tree, "--db", db).ok()
    again = house.gloss("index", house.tree, "--db", db, "--json").json()
    equal(again["skipped"] + again["failed"], 0)


@case("a state folder that cannot be written is one line")
def _(house):
    trees.write_c(house)
    before = be_nobody(house)
    os.chmod(house.env["XDG_STATE_HOME"], 0o500)
    house.gloss("index", before=before, env={"GLOSS_LOG_LEVEL": "error"}).ok(1)
    os.chmod(house.env["XDG_STATE_HOME"], 0o700)
    house.gloss("index", before=before).ok()


main()
