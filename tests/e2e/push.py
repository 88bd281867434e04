"""gloss push: what it feeds an engine with is what an index of the folder would have, and what was acknowledged stays."""
import glob
import json
import os
import signal
import socket
import sqlite3
import sys
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import wait  # noqa: E402
from tap import case, equal, main  # noqa: E402
from ws import WAIT_S, http  # noqa: E402

NONE = b"HTTP/1.1 404 Not Found\r\n\r\n{}"  # of what there is
NAMES = 6000  # of a file whose entities are more than a line may hold


def get(engine, path):
    status, _, body = http(engine["port"], path, headers=[("Authorization", "Bearer " + engine["token"])])
    assert status == 200, (path, status, body)
    return json.loads(body)


def post(engine, path, data):
    request = urllib.request.Request(f"http://127.0.0.1:{engine['port']}{path}", json.dumps(data).encode(), {
        "Authorization": "Bearer " + engine["token"], "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return json.load(answer)


def rows(engine, name="tree"):
    found, cursor = {}, ""
    while cursor is not None:
        page = get(engine, f"/v1/workspaces/{name}/entities?limit=1000" +
                   (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
        found.update({e["key"]: e for e in page["results"]})
        cursor = page["cursor"]
    return found


def bare(entity):
    return {k: v for k, v in entity.items() if k not in ("hover", "rev")}


def names(engine):
    try:
        return {e["name"] for e in rows(engine).values()}
    except AssertionError:
        return None  # there is none yet


def answer(peer, text):
    """As much, once it was asked. An answer that has an end ends its connection."""
    peer.recv(1 << 16)
    peer.sendall(text)
    if text == NONE:
        peer.shutdown(socket.SHUT_WR)


@case("what is pushed is what an index of the folder has")
def _(house):
    house.write("src/a.c", "#include <stdio.h>\n/* Adds. */\nint add(int a, int b)\n{\n    return carry(a, b);\n}\n")
    house.write("src/é ü.py", "class Ä:\n    '''Says ö.'''\n    def m(self):\n        return add(self)\n    def m(self):\n"
                "        pass\n")
    house.write("empty.c", "")
    house.write("none.xyz", "no grammar\n")
    house.write("big.c", "".join(f"/* The name of number {i}, with something to say about it: {'x' * 80}. */\n"
                                 f"int name_{i}(int a)\n{{\n    return other_{i}(a);\n}}\n" for i in range(NAMES)))
    house.index()
    own = {e["key"]: bare(e) for e in house.entities()}
    _, engine = house.serve()
    done = house.gloss("push", "--json", house.tree).json()
    equal((done["workspace"], done["files"], done["refused"], done["complete"]), ("tree", 4, 0, True))
    pushed = rows(engine)
    equal({k: bare(e) for k, e in pushed.items()}, own)
    equal(len(own), NAMES + 4)
    key = urllib.parse.quote("c:fn:src/a.c#add", safe="")
    equal([e["target"] for e in get(engine, f"/v1/workspaces/tree/entities/{key}?edges=1")["callees"]], ["carry"])
    equal(get(engine, "/v1/workspaces/tree")["root"], "pushed:tree")
    n_edges = len(house.edges())  # counts are read once a second
    wait("its edges are counted", lambda: get(engine, "/v1/workspaces/tree")["edges"] == n_edges)
    # again: nothing is news, unless a file does not fit into a line
    os.unlink(house.path("big.c"))
    to = ("--to", f"ws://127.0.0.1:{engine['port']}/again")
    house.gloss("push", *to, house.tree).ok()
    head = get(engine, "/v1/workspaces/again")["head"]
    house.gloss("push", *to, house.tree).ok()
    equal(get(engine, "/v1/workspaces/again")["head"], head)


def watching(house, engine, *to):
    """Two files are there, and a push that watches."""
    house.write("a.c", "int first;\n")
    house.write("b.c", "int second;\n")
    push = house.start("push", "--watch", *to, house.tree)
    wait("all is there", lambda: names(engine) == {"first", "second"})
    return push


def end(process):
    """As the user does."""
    process.send_signal(signal.SIGTERM)
    equal(process.wait(), 0)


@case("--watch: what changes and what goes away follows, also behind an engine that was killed")
def _(house):
    p, engine = house.serve()
    push = watching(house, engine, "--to", f"ws://127.0.0.1:{engine['port']}/tree")
    house.write("a.c", "int first;\nint third;\n")
    os.unlink(house.path("b.c"))
    wait("the change is there", lambda: names(engine) == {"first", "third"})
    p.send_signal(signal.SIGKILL)
    p.wait()
    house.write("c.c", "int lost_on_its_way;\n")
    wait("it says so", lambda: "sent again" in house.stderr_text())
    end(push)
    _, engine = house.serve()
    assert "\npushed:tree\n  state      closed" in house.gloss("status").ok().out
    equal([w["name"] for w in house.gloss("status", "--json").json()["closed"]], ["tree"])
    house.gloss("push", house.tree).ok()
    equal(names(engine), {"first", "third", "lost_on_its_way"})
    equal(house.gloss("status", "--json").json()["closed"], [])


@case("a file that the engine refuses is named, the others are there")
def _(house):
    house.write("a.c", "int first;\n")
    far = "/".join(["x" * 200] * 6) + "/far.c"  # a path has at most 1,024 bytes there
    house.write(far, "int second;\n")
    _, engine = house.serve()
    done = house.gloss("push", "--json", house.tree).fails(1, "far.c: refused: path must be")
    equal({k: json.loads(done.out)[k] for k in ("files", "refused", "complete")}, {"files": 2, "refused": 1, "complete": False})
    equal(names(engine), {"first"})


@case("what went away between two pushes goes away there, if a push of this folder made it")
def _(house):
    house.write("a.c", "int first;\n")
    house.write("empty.c", "")
    house.write("gone/b é%.c", "int second;\n")
    house.write("large.c", "int third;\n")
    _, engine = house.serve()
    house.gloss("push", house.tree).ok()
    post(engine, "/v1/workspaces/tree/entities", {"entities": [
        {"lang": "c", "kind": "function", "name": name, "path": path, "range":
         {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}}
        for name, path in (("guest", "a.c"), ("other", "other.c"))]})
    equal(names(engine), {"first", "second", "third", "guest", "other"})
    equal(get(engine, "/v1/workspaces/tree/files")["files"], ["a.c", "empty.c", "gone/b é%.c", "large.c", "other.c"])
    for path in ("a.c", "empty.c", "gone/b é%.c"):
        os.unlink(house.path(path))
    house.write("large.c", "int third;\n\0")  # not a text any more
    done = house.gloss("push", "--json", house.tree).json()
    # a.c is no longer this folder's alone
    equal((done["files"], done["deleted"], done["complete"]), (0, 3, True))
    equal(names(engine), {"first", "guest", "other"})
    equal(get(engine, "/v1/workspaces/tree/files")["files"], ["a.c", "other.c"])
    # another folder of this name
    os.makedirs(os.path.join(house.dir, "more", "tree"))
    with open(os.path.join(house.dir, "more", "tree", "z.c"), "w") as f:
        f.write("int fourth;\n")
    house.write("y.c", "int fifth;\n")
    house.gloss("push", house.tree).ok()
    house.gloss("push", os.path.join(house.dir, "more", "tree")).ok()
    equal(names(engine), {"first", "guest", "other", "fourth", "fifth"})
    head = get(engine, "/v1/workspaces/tree")["head"]
    house.gloss("push", house.tree).ok()
    equal(get(engine, "/v1/workspaces/tree")["head"], head)


@case("--watch finds an engine that was started again")
def _(house):
    p, engine = house.serve()
    push = watching(house, engine)
    end(p)
    _, again = house.serve()
    house.write("a.c", "int third;\n")
    os.unlink(house.path("b.c"))
    wait("the change is there", lambda: names(again) == {"third"})
    end(push)


@case("a watching push that is stopped in its walk ends without a complaint, another one says what stopped it")
def _(house):
    house.write("a.c", "int first;\n")
    _, engine = house.serve()
    house.gloss("push").ok()
    (path,) = glob.glob(os.path.join(house.env["XDG_STATE_HOME"], "gloss", "*", "index.db"))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")  # the engine's writer waits
    try:
        for args, lines, code, said in ((["--watch"], 1, 0, ""),
                                        ([], 2, 1, "gloss: stopped by Interrupt; what was acknowledged is kept\n")):
            p = house.start("push", *args, stderr=f"push{code}")
            wait("the file's line waits for the writer",
                 lambda n=lines: get(engine, "/v1/stats")["hub"]["ingest"]["waiting_lines"] == n)
            p.send_signal(signal.SIGINT)
            equal((p.wait(WAIT_S), house.stderr_text(f"push{code}")), (code, said))
    finally:
        db.execute("ROLLBACK")
        db.close()


@case("--watch outlives an engine that goes away during the first walk, and what it logs is true")
def _(house):
    house.write("a.c", "int first;\n")
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(3 * WAIT_S)  # it tries again after 30 s
        port = stranger.getsockname()[1]
        push = house.start("push", "--watch", "--to", f"ws://127.0.0.1:{port}/x", house.tree, env={"GLOSS_TOKEN": "0" * 64})
        for said in (NONE, b"", b""):  # it comes again, and again
            with stranger.accept()[0] as peer:
                answer(peer, said)
    wait("it says what it waits for", lambda: "is not taken" in house.stderr_text())
    push.send_signal(signal.SIGTERM)
    equal(push.wait(), 0)
    said = house.stderr_text()
    assert "hung up; what it had acknowledged is kept; what is missing is sent again" in said, said
    assert "(a.c), it waits for a better time" in said and "the index" not in said, said


@case("it says what is wrong")
def _(house):
    house.write("a.c", "int first;\n")
    house.gloss("push", house.tree).fails(1, "no engine runs here.*gloss serve")
    house.gloss("push", "--to", "ws://example.org:1/x", house.tree).fails(2, "--to must be")
    _, engine = house.serve(house.tree, env={"GLOSS_ENRICH_ENABLED": "false"})
    own = house.wait_ready()["id"]
    to = f"ws://127.0.0.1:{engine['port']}/"
    house.gloss("push", "--to", to + "no%20name", house.tree).fails(1, "cannot be a workspace's name")
    house.gloss("push", "--to", to + own, house.tree).fails(1, "409")
    house.gloss("push", "--to", to + "x", house.tree, env={"GLOSS_TOKEN": "0" * 64}).fails(1, "403.*each start makes a new one")
    house.gloss("push", "--to", to + "x", house.tree, env={"GLOSS_TOKEN": "secret"}).fails(1, "GLOSS_TOKEN is no token")
    house.gloss("push", "--to", to + "x", house.tree, env={"GLOSS_TOKEN": ""}).ok()
    token = os.path.join(house.dir, "token")
    house.gloss("push", "--token-file", token, house.tree).fails(1, "token: No such file")
    with open(token, "w") as f:
        f.write("\n")
    house.gloss("push", "--token-file", token, house.tree).fails(1, "no engine.json and no token")
    with open(token, "w") as f:
        f.write(engine["token"] + "\n")
    house.gloss("push", "--token-file", token, house.tree).fails(1, "a token alone: say with --to")
    house.gloss("push", "--token-file", token, "--to", to + "x", house.tree).ok()
    house.gloss("push", "--to", f"ws://127.0.0.1:{engine['port'] ^ 1}/x", house.tree).fails(1, "nobody else is told its token")
    for said, expected in ((b"SSH-2.0-x\r\n\r\n", "is no engine"), (b"", "hung up before it answered"),
                           (b'HTTP/1.1 400 No\r\n\r\n{"detail":"a\\u001b[31mb"}', "(400): a\\x1b[31mb")):
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            p = house.start("push", "--to", f"ws://127.0.0.1:{stranger.getsockname()[1]}/x", house.tree,
                            env={"GLOSS_TOKEN": "0" * 64})
            peer, _ = stranger.accept()
            with peer:
                peer.recv(1 << 16)
                peer.sendall(said)
            equal(p.wait(), 1)
            assert expected in house.stderr_text(), house.stderr_text()
    # Who takes the connection and says nothing: to the question what there is, to the upload, in the middle of either.
    for said in ((b"",), (b"HTTP/1.1 200 OK\r\n\r\n{",), (NONE, b""), (NONE, b"HTTP/1.1 200 OK\r\n\r\n{\"type\"")):
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            stranger.settimeout(WAIT_S)
            port = stranger.getsockname()[1]
            p = house.start("push", "--timeout", "1", "--to", f"ws://127.0.0.1:{port}/x", house.tree,
                            env={"GLOSS_TOKEN": "0" * 64}, stderr=f"silent{port}")
            peers = []
            for text in said:
                peers.append(stranger.accept()[0])
                answer(peers[-1], text)
            equal(p.wait(WAIT_S), 1)
            expected = f"gloss: what listens on port {port} of 127.0.0.1 has said nothing for 1 s"
            equal(house.stderr_text(f"silent{port}").strip(), expected + ("; what it had acknowledged is kept" if len(said) > 1 else ""))
            for peer in peers:
                peer.close()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as stranger:  # and who takes none
        port = stranger.getsockname()[1]
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        house.gloss("push", "--timeout", "1", "--to", f"ws://127.0.0.1:{port}/x", house.tree,
                    env={"GLOSS_TOKEN": "0" * 64}).fails(1, f"port {port} of 127.0.0.1 has said nothing for 1 s")
        for s in waiting:
            s.close()
    house.gloss("push", "--timeout", "0", house.tree).fails(2, "--timeout must be")
    house.gloss("push", "--to", "http://127.0.0.1:9/x", house.tree, env={"GLOSS_TOKEN": "0" * 64}).fails(1, "no engine listens on port 9")


main()
