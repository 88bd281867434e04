"""The real language servers on small projects of their own (tests/projects): from a cold start all is
known that the server has something to say of, a second start asks nothing. Each server runs behind a
script that keeps what it was told, found on PATH before it. At the end, a table of what became known."""
import json
import os
import re
import shutil
import sys
import time
from urllib.parse import unquote

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import read_bytes  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402

PROJECTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "projects")
KNOWN_AT_LEAST = 0.95
IS_REQUIRED = os.environ.get("GLOSS_TEST_SERVERS") == "required"
# What a project has beside its own language is not for the servers of others.
BESIDE = ("vscode-json-language-server", "taplo", "marksman")
TABLE = []


def path_without_rustup():
    """rustup's stand-ins choose by the home folder, which is another one in a test."""
    def is_rustup(folder):
        return os.path.basename(os.path.realpath(os.path.join(folder, "cargo"))) == "rustup"
    return [d for d in os.environ["PATH"].split(":") if not is_rustup(d)]


def put_behind_a_script(house, program):
    """What the server is told goes to a file, too. Returns its name."""
    real = shutil.which(program, path=":".join(path_without_rustup()))
    if not real:
        if IS_REQUIRED:
            raise AssertionError(f"{program} is not on PATH, and set-up should have put it there")
        raise Skip(f"{program} is not on PATH")
    folder = os.path.join(house.dir, "bin")
    told = os.path.join(house.dir, "told")
    os.mkdir(folder)
    script = os.path.join(folder, program)
    with open(script, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\ntee -a '{told}' | '{real}' \"$@\"\n")
    os.chmod(script, 0o755)
    house.env["PATH"] = ":".join([folder, *path_without_rustup()])
    return told


def mark_of(house):
    """Made by what the workspace has planted, if anybody runs it."""
    return os.path.join(house.dir, "planted-was-run")


def roots_of(told, house):
    """The folders that the server was started for, below the workspace."""
    uris = re.findall(rb'"rootUri":"([^"]*)"', read_bytes(told))
    return sorted({os.path.relpath(unquote(uri.decode())[len("file://"):], house.tree).lstrip(".") for uri in uris})


def hovers_asked(told):
    return read_bytes(told).count(b'"textDocument/hover"') if os.path.exists(told) else 0


def lay_out(house, server, expect):
    shutil.copytree(os.path.join(PROJECTS, server, "tree"), house.tree, dirs_exist_ok=True)
    for path, value in expect.get("files", {}).items():
        house.write(path, json.dumps(value).replace("@ROOT@", house.tree))
    for path, text in expect.get("planted", {}).items():
        os.chmod(house.write(path, text.replace("@MARK@", mark_of(house))), 0o755)
    off = {*expect.get("off", ()), *BESIDE} - {server}
    house.config({"servers": [{"name": name, "enabled": False} for name in sorted(off)]})


def is_silent(entity, expect):
    """The project says that the server tells nothing of it. What is said of a name is another thing."""
    return entity["qualified_name"] not in expect.get("says", {}) and any(all(entity.get(member) == value for member, value in rule.items() if member != "why")
               for rule in expect.get("silent", ()))


def note(server, entities, silent, seconds):
    states = {state: [e for e in entities if e["hover"]["state"] == state]
              for state in ("known", "empty", "unknown")}
    reasons = {}
    for e in states["unknown"]:
        reasons[e["hover"]["reason"]] = reasons.get(e["hover"]["reason"], 0) + 1
    TABLE.append((server, len(entities), *[len(states[s]) for s in ("known", "empty", "unknown")], len(silent),
                  f"{seconds:.1f}", ", ".join(f"{n} {why}" for why, n in sorted(reasons.items()))))


def check(server, house):
    with open(os.path.join(PROJECTS, server, "expect.json"), encoding="utf-8") as f:
        expect = json.load(f)
    told = put_behind_a_script(house, expect["program"])
    lay_out(house, server, expect)
    before = time.monotonic()
    house.index("--enrich")
    seconds = time.monotonic() - before
    entities = [e for e in house.entities() if e["lang"] in expect["langs"]]
    silent = [e for e in entities if is_silent(e, expect)]
    spoken = [e for e in entities if not is_silent(e, expect)]
    note(server, entities, silent, seconds)
    known = {e["key"]: e for e in spoken if e["hover"]["state"] == "known"}
    rest = [(e["path"], e["kind"], e["qualified_name"], e["hover"]["state"], e["hover"].get("reason"))
            for e in spoken if e["key"] not in known]
    assert len(known) >= KNOWN_AT_LEAST * len(spoken), f"{len(known)} of {len(spoken)} are known, not {rest}"
    assert len(known) >= expect["least"], f"only {len(known)} are known"
    for e in silent:
        equal((e["qualified_name"], e["hover"]["state"]), (e["qualified_name"], "empty"), "of what is silent")
    for e in known.values():
        equal(e["hover"]["server"], server, e["key"])
    by_name = {e["qualified_name"]: e["hover"]["markdown"] for e in known.values()}
    for name, part in expect.get("says", {}).items():
        assert name in by_name and part in by_name[name], f"{part!r} is not said of {name}: {by_name.get(name)!r}"

    equal(roots_of(told, house), sorted(expect.get("roots", [""])), "roots")
    assert not os.path.exists(mark_of(house)), "a program of the workspace was run"
    asked = hovers_asked(told)
    assert asked >= len(entities), f"{asked} hovers were asked of {len(entities)} entities"
    os.remove(told)
    house.index("--enrich")
    equal(hovers_asked(told), 0, "hovers asked at the second start")
    equal([e for e in house.entities() if e["lang"] in expect["langs"]], entities, "what the second start has")


for name in sorted(os.listdir(PROJECTS)):
    case(f"{name}: all it has something to say of is known; a second start asks nothing")(
        lambda house, server=name: check(server, house))


def show_table():
    print(f"# {'server':28} entities known empty unknown silent seconds why unknown")
    for server, *figures, why in TABLE:
        n, known, empty, unknown, silent, seconds = figures
        print(f"# {server:28} {n:8} {known:5} {empty:5} {unknown:7} {silent:6} {seconds:>7} {why}")


try:
    main()
finally:
    show_table()
