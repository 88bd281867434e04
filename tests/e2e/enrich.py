"""Hovers from the real language servers, for those that are installed."""
import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from house import wait  # noqa: E402
from lsp import Editor  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not on PATH")


def write_c(house):
    trees.write_c(house)
    trees.write_compile_commands(house, "queue.c", "main.c")


@case("clangd: every function's hover is known; a second run sends nothing and finds all unchanged")
def _(house):
    need("clangd")
    write_c(house)
    first = house.index("--enrich")
    entities = house.entities()
    for e in entities:
        if e["kind"] in ("function", "struct", "field"):
            equal((e["name"], e["hover"]["state"]), (e["name"], "known"))
            equal(e["hover"]["server"], "clangd", e["name"])
    add = [e for e in entities if e["key"] == "c:fn:src/queue.c#queue_add"][0]["hover"]["markdown"]
    assert "queue_add" in add and "int number" in add, add
    assert first["hovers"]["known"] >= 8, first
    second = house.index("--enrich")
    equal((second["unchanged"], second["files"]), (first["files"], first["files"]))
    equal((second["hovers"], second["seq"]), (first["hovers"], first["seq"]))
    equal(house.entities(), entities)


@case("clangd: entity.enriched tells each hover that came, once")
def _(house):
    need("clangd")
    write_c(house)
    house.index("--enrich")
    enriched = [e["data"]["key"] for e in house.gloss("events").lines() if e["event_type"] == "entity.enriched"]
    equal(len(enriched), len(set(enriched)))
    known = {e["key"] for e in house.entities() if e["hover"]["state"] == "known"}
    assert known <= set(enriched), known - set(enriched)


@case("clangd in an engine: an edited function is asked again, the others keep their hover")
def _(house):
    need("clangd")
    write_c(house)
    house.serve(house.tree)
    house.wait_ready()
    wait("all functions are known", lambda: all(
        e["hover"]["state"] == "known" for e in house.entities() if e["kind"] == "function"))
    before = house.by_name()
    house.write("src/queue.c", trees.QUEUE_C.replace("queue_sum(const struct queue *q)",
                                                     "queue_sum(const struct queue *the_queue)")
                .replace("q->n; i++", "the_queue->n; i++").replace("q->items[i];", "the_queue->items[i];"))

    def asked_again():
        hover = house.by_name(env={})["queue_sum"]["hover"]
        return hover["state"] == "known" and not hover.get("stale") and "the_queue" in hover["markdown"]
    wait("the edited function's new hover", asked_again)
    after = house.by_name()
    equal(after["main"]["rev"], before["main"]["rev"], "a hover of another file")
    equal(after["queue_add"]["hover"]["state"], "known")


@case("clangd: a hover in the editor is clangd's, also after a restart without clangd")
def _(house):
    need("clangd")
    write_c(house)
    house.index("--enrich")
    empty = os.path.join(house.dir, "empty")
    os.mkdir(empty)
    editor = Editor(house, env={"PATH": empty})
    editor.initialize()
    editor.wait_state("ready")
    editor.open("src/main.c", "c")
    hover = editor.request("textDocument/hover", {
        "textDocument": {"uri": editor.uri("src/main.c")}, "position": {"line": 6, "character": 6}})
    value = hover["contents"]["value"]
    assert "queue_add" in value and "gloss: clangd" in value, value
    took = house.status()["engine"]["hover_us"]
    assert took["n"] == 1 and 0 < took["p50"] <= took["max"], took
    equal(editor.bye(), 0)


@case("pyright: functions and classes are known")
def _(house):
    need("pyright-langserver")
    house.write("shop.py", trees.SHOP_PY)
    house.index("--enrich")
    e = house.by_name()
    for name in ("Shop", "Shop.sell", "price"):
        equal((name, e[name]["hover"]["state"]), (name, "known"))
    assert "Sells things." in e["Shop"]["hover"]["markdown"], e["Shop"]["hover"]


@case("typescript-language-server: TypeScript, TSX and JavaScript are known")
def _(house):
    need("typescript-language-server")
    house.write("web/model.ts", trees.MODEL_TS)
    house.write("web/view.tsx", trees.VIEW_TSX)
    house.write("web/app.js", trees.APP_JS)
    house.write("tsconfig.json", json.dumps({"compilerOptions": {"jsx": "preserve", "allowJs": True}}))
    house.index("--enrich")
    e = house.by_name()
    for name in ("Item", "Store.add", "ItemView", "start", "View.draw"):
        equal((name, e[name]["hover"]["state"]), (name, "known"))
    assert "interface Item" in e["Item"]["hover"]["markdown"], e["Item"]["hover"]


@case("an untrusted setting starts no program")
def _(house):
    write_c(house)
    s = house.index("--enrich", env={"GLOSS_TRUSTED": "false"})
    equal(s["hovers"]["known"], 0)
    equal(len(house.entities()), s["entities"])


main()
