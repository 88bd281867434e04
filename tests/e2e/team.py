"""Several engines on one PostgreSQL: each writes the folders that it came to first, and its clients hear of all folders
that it holds, whoever writes them: every event once, in order, also behind lost connections."""
import json
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tap import case, equal, main  # noqa: E402
from team import Engine, Subscriber, Team, wait_same  # noqa: E402
from ws import WebSocket  # noqa: E402

FOLLOWS = "another engine writes the index"


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
        other.gloss("index", t.roots[k]).fails(1, "another engine holds this index")
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
