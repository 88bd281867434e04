"""Several engines on one PostgreSQL: each writes the folders that it came to first, and its clients hear of all folders
that it holds, whoever writes them: every event once, in order, also behind lost connections."""
import json
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import wait  # noqa: E402
from tap import case, equal, main  # noqa: E402
from team import Engine, Subscriber, Team, wait_same  # noqa: E402
from ws import WebSocket  # noqa: E402

FOLLOWS = "another engine writes the index"
FILES = 300  # of each of the four


def team(n):
    """For a function of a team; the server is gone behind it."""
    def wrap(function):
        def run(house):
            made = Team(house)
            try:
                made.begin(n)
                function(made)
            finally:
                made.close()
        return run
    return wrap


@case("what one engine writes comes to the clients of the others, once and in order, and is found there")
@team(2)
def _(t):
    t.check("second")
    for k in range(2):
        other = t.engines[1 - k]
        t.write(k, "many/deep.c", "".join(f"int many_{k}_{i};\n" for i in range(500)))
        wait_same(t.of_workspace(k), f"many_{k}_499")
        w = other.wait_for(t.roots[k], "following")
        assert FOLLOWS in w["why"], w["why"]
        equal((w["epoch"], w["head"]), tuple(t.engines[k].workspace(t.roots[k])[key] for key in ("epoch", "head")))
        ws = WebSocket(other.about)
        found = ws.request("search", {"workspace": w["id"], "q": f"many_{k}_499"})
        ws.close()
        assert found["success"] and f"many_{k}_499" in json.dumps(found["data"]), found
        other.gloss("index", t.roots[k]).fails(1, FOLLOWS)  # its own engine was asked
        equal(other.wait_for(t.roots[k], "following")["head"], w["head"], "head")


@case("connections that are cut and a server that is started anew: every event comes once, to all")
@team(2)
def _(t):
    t.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='gloss'")
    t.check("cut")
    for how in (signal.SIGINT, signal.SIGQUIT):
        t.server.stop(how)
        for k in range(2):
            t.write(k, "d0/news.c", f"int {how.name}_{k};\n")
        t.server.start()
        t.check(how.name, has_change=False)
    t.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='gloss'")
    t.check("end")


@case("four engines load at once while connections are cut and the server is killed: all is stored, and told once")
@team(4)
def _(t):
    was = [len(t.subscribers[k, k].events) for k in range(4)]

    def more(n):
        """So many events of each folder since the last time, or the beginning, at the one that writes it."""
        for k in range(4):
            wait(f"tree{k} goes on", lambda k=k: len(t.subscribers[k, k].events) >= was[k] + n)
            was[k] = len(t.subscribers[k, k].events)

    names = [{f"first_{k}_{i}" for i in range(20)} for k in range(4)]
    for i in range(FILES):
        for k in range(4):
            t.write(k, f"bulk{i % 7}/f{i}.c", f"int at_{k}_{i};\nint of_{k}_{i}(void) {{ return at_{k}_{i}; }}\n")
            names[k] |= {f"at_{k}_{i}", f"of_{k}_{i}"}
        if i == FILES // 3:
            more(1)
            t.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='gloss'")
        elif i == FILES // 2:
            more(1)
            t.server.stop(signal.SIGQUIT)
            t.server.start()
    t.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='gloss'")
    t.check("done")
    for k, engine in enumerate(t.engines):
        wait_same(t.of_workspace(k), f"done_{k}")
        w = engine.wait_for(t.roots[k], "ready")
        equal(w["dead_letters"]["count"], 0, "dead letters")
        rows = engine.gloss("export", "--format", "ndjson", t.roots[k]).lines()
        equal({r["name"] for r in rows if "type" not in r}, names[k] | {f"done_{k}"}, "entities")


@case("status has the gauges of an index in PostgreSQL, and what it did not take waits in it and is tried again")
@team(1)
def _(t):
    (engine,), (root,) = t.engines, t.roots
    store = engine.workspace(root)["store"]
    assert store["events"]["rows"] >= 20 and store["events"]["size_bytes"] > 0, store
    assert engine.workspace(root)["size_bytes"] > 1 << 20, "of the database"
    t.server.psql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;"
                  "CREATE TRIGGER refuse BEFORE INSERT ON gloss.file FOR EACH ROW WHEN (NEW.path='bad.c') "
                  "EXECUTE FUNCTION refuse()")
    t.write(0, "bad.c", "int bad;\n")
    t.write(0, "good.c", "int good;\n")
    wait("the other file is there", lambda: t.subscribers[0, 0].has("good"))
    letters = wait("a dead letter that the index has", lambda: (d := engine.workspace(root)["dead_letters"])
                   ["count"] == 1 and d["in_memory"] == 0 and d)
    equal((letters["newest"][0]["what"], letters["newest"][0]["path"]), ("put_file", "bad.c"))
    equal(t.server.ask("SELECT convert_from(path,'UTF8') FROM gloss.dead_letter"), ["bad.c"])
    engine.end()
    engine = Engine(t.house, "engine0", t.server.url(), root)
    t.engines[0] = engine
    wait("it is known again", lambda: engine.workspace(root)["dead_letters"]["count"] == 1)
    t.server.psql("DROP TRIGGER refuse ON gloss.file")
    engine.gloss("retry", "--all").ok()
    wait("it is stored", lambda: engine.workspace(root)["dead_letters"]["count"] == 0 and
         "bad" in {e["name"] for e in engine.gloss("export", "--format", "ndjson", root).lines() if "type" not in e})
    equal(t.server.ask("SELECT count(*) FROM gloss.dead_letter"), ["0"])


@case("the place of an engine that ends, or is killed, is taken by one that followed it")
@team(2)
def _(t):
    first, second = t.engines
    t.check("both")
    first.end()
    second.wait_for(t.roots[0], "ready")
    left = t.subscribers[1, 0]
    t.write(0, "d0/alone.c", "int alone;\n")
    wait_same([left], "alone")
    assert [e["event_type"] for e in left.events].count("pipeline:online") == 2, "it went on line"
    third = Engine(t.house, "engine2", t.server.url(), t.roots[0])
    t.engines.append(third)
    late = Subscriber(third, third.wait_for(t.roots[0], "following"))
    t.subscribers[2, 0] = late
    t.write(0, "d0/alone.c", "int again;\n")
    wait_same([left, late], "again")
    second.end(signal.SIGKILL)
    assert FOLLOWS in third.index(t.roots[0])["error"]["message"], "and it looks whether that is so"
    third.wait_for(t.roots[0], "ready")
    t.write(0, "d0/alone.c", "int last;\n")
    wait_same([late], "last")
    assert not left.has("last"), "of a dead engine"


main()
