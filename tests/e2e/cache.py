"""A hover that is known is not asked for again: a scripted server counts what it is asked."""
import json
import os
import shutil
import subprocess
import sys
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import read_bytes, wait  # noqa: E402
from lsp import Editor  # noqa: E402
from tap import Skip, case, equal, main  # noqa: E402

N_FILES, N_EACH, N_COPIES = 6, 4, 40


class Fake:
    """The server of C, and what it hears."""

    def __init__(self, house):
        program = os.environ.get("GLOSS_FAKE_LS")
        if not program:
            raise Skip("GLOSS_FAKE_LS does not name the scripted server")
        self.scenario, self.log = (os.path.join(house.dir, name) for name in ("scenario.json", "heard.log"))
        self.be("1.0")
        house.config({"servers": [{"name": "fake", "command": [program, self.scenario, self.log],
                                   "languages": ["c"]}]})

    def be(self, version, **life):
        with open(self.scenario, "w", encoding="utf-8") as f:
            json.dump({"lives": [{**life, "initialize": {"result": {
                "capabilities": {"hoverProvider": True, "textDocumentSync": 1},
                "serverInfo": {"name": "fake", "version": version}}}}]}, f)

    def heard(self):
        """Of each hover since the last look, where."""
        try:
            lines = read_bytes(self.log).splitlines()
        except FileNotFoundError:
            return []
        messages = [json.loads(line) for line in lines if line.startswith(b"{")]
        os.truncate(self.log, 0)
        return [(m["params"]["textDocument"]["uri"].rpartition("/")[2], m["params"]["position"]["line"])
                for m in messages if m.get("method") == "textDocument/hover"]

    def asked(self, n, n_texts=1):
        """Since the last look it was asked for n hovers, in so many texts of a file none of them twice."""
        heard = sorted(self.heard())
        equal(len(heard), n, heard)
        assert max((heard.count(place) for place in heard), default=0) <= n_texts, heard


def git(house, *args, cwd=None):
    subprocess.run(["git", "-C", cwd or house.tree, "-c", "user.name=t", "-c", "user.email=t@t", *args], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=house.env)


def fill(house, branch, folder="src", n_files=N_FILES):
    for i in range(n_files):
        house.write(f"{folder}/f{i}.c", "".join(
            f"int {branch}_{i}_{k}(int x)\n{{\n    return x + {k};\n}}\n" for k in range(N_EACH)))


def commit(house, message):
    git(house, "add", "-A")
    git(house, "commit", "-q", "-m", message)


def all_known(house):
    workspaces = house.status()["workspaces"]
    w = workspaces and workspaces[0]
    return w and w["state"] == "ready" and w["hovers"]["unknown"] + w["hovers"]["stale"] == 0 and w


def wait_known(house, names):
    """These functions are what there is, and all are known."""
    def known():
        if not all_known(house):
            return False
        found = {e["name"]: e["hover"] for e in house.entities() if e["kind"] == "function"}
        return set(found) == set(names) and all(
            h["state"] == "known" and not h.get("stale") for h in found.values())
    wait("all of them are known", known)


def names_of(branch, n_files=N_FILES):
    return [f"{branch}_{i}_{k}" for i in range(n_files) for k in range(N_EACH)]


@case("a second run, and an engine that starts again, ask nothing")
def _(house):
    fake = Fake(house)
    fill(house, "one")
    equal(house.index("--enrich")["hovers"]["known"], N_FILES * N_EACH)
    fake.asked(N_FILES * N_EACH)
    equal(house.index("--enrich")["hovers"]["known"], N_FILES * N_EACH)
    for _ in range(2):
        house.serve(house.tree)
        wait("all is known", lambda: all_known(house))
        house.gloss("stop").ok()
        house.wait_empty()
    fake.asked(0)


@case("a branch that is checked out again is as it was; nothing is asked")
def _(house):
    fake = Fake(house)
    git(house, "init", "-q", "-b", "one")
    fill(house, "one")
    commit(house, "one")
    git(house, "checkout", "-q", "-b", "two")
    fill(house, "two")
    commit(house, "two")
    house.serve(house.tree)
    wait_known(house, names_of("two"))
    fake.asked(N_FILES * N_EACH)
    git(house, "checkout", "-q", "one")
    wait_known(house, names_of("one"))
    fake.asked(N_FILES * N_EACH)
    for branch in ("two", "one", "two"):
        git(house, "checkout", "-q", branch)
        wait_known(house, names_of(branch))
    fake.asked(0)
    wait("it is counted", lambda: all_known(house)["hovers"]["reused"] == 3 * N_FILES * N_EACH)


@case("files that change their text in some functions only: the way back asks nothing, the way there what is new")
def _(house):
    fake = Fake(house)
    git(house, "init", "-q", "-b", "one")
    fill(house, "one")
    commit(house, "one")
    house.serve(house.tree)
    wait_known(house, names_of("one"))
    fake.asked(N_FILES * N_EACH)
    house.write("src/f0.c", read_bytes(house.path("src/f0.c")) + b"int more(void)\n{\n    return 1;\n}\n")
    wait_known(house, names_of("one") + ["more"])
    fake.asked(N_EACH + 1)
    git(house, "checkout", "-q", "--", "src/f0.c")
    wait_known(house, names_of("one"))
    fake.asked(0)


@case("a second worktree takes what the first one knows, also of contents that no file there has")
def _(house):
    fake = Fake(house)
    git(house, "init", "-q", "-b", "one")
    fill(house, "one")
    commit(house, "one")
    git(house, "checkout", "-q", "-b", "two")
    fill(house, "two", n_files=N_FILES - 1)
    commit(house, "two")
    house.serve(house.tree)
    wait_known(house, names_of("two", N_FILES - 1) + [f"one_{N_FILES - 1}_{k}" for k in range(N_EACH)])
    git(house, "checkout", "-q", "one")
    wait_known(house, names_of("one"))
    fake.asked((2 * N_FILES - 1) * N_EACH, 2)
    for branch in ("two", "one"):  # two: of past contents; one: where the first one is now two
        other = os.path.join(house.dir, "other-" + branch)
        if branch == "one":
            git(house, "checkout", "-q", "--detach")
        git(house, "worktree", "add", "-q", other, branch)
        summary = house.gloss("index", other, "--json", "--enrich").json()
        equal(summary["hovers"]["known"], N_FILES * N_EACH, branch)
        equal(summary["hovers"]["unknown"], 0, branch)
    fake.asked(0)
    # what the sibling does not know is asked for, and only that
    with open(os.path.join(other, "src", "new.c"), "w", encoding="utf-8") as f:
        f.write("int brand_new(void)\n{\n    return 1;\n}\n")
    equal(house.gloss("index", other, "--json", "--enrich").json()["hovers"]["known"], N_FILES * N_EACH + 1)
    fake.asked(1)


@case("a sibling's index that is damaged, or a link to elsewhere, is left alone")
def _(house):
    fake = Fake(house)
    git(house, "init", "-q", "-b", "one")
    fill(house, "one", n_files=1)
    commit(house, "one")
    house.index("--enrich")
    fake.asked(N_EACH)
    index = house.gloss("status", "--json", env={}).json()["workspaces"]
    equal(index, [])
    folder = os.path.join(house.env["XDG_STATE_HOME"], "gloss")
    [db] = [os.path.join(folder, d, "index.db") for d in os.listdir(folder)
            if os.path.exists(os.path.join(folder, d, "index.db"))]
    shutil.copy(db, db + ".keep")
    with open(db, "r+b") as f:
        f.write(b"no database at all")
    other = os.path.join(house.dir, "other")
    git(house, "worktree", "add", "-q", other, "--detach")
    equal(house.gloss("index", other, "--json", "--enrich").json()["hovers"]["known"], N_EACH)
    fake.asked(N_EACH)
    os.unlink(db)
    os.symlink(db + ".keep", db)
    third = os.path.join(house.dir, "third")
    git(house, "worktree", "add", "-q", third, "--detach")
    for path in os.listdir(folder):  # the second one knows it, too
        if path.startswith("other-"):
            shutil.rmtree(os.path.join(folder, path))
    equal(house.gloss("index", third, "--json", "--enrich").json()["hovers"]["known"], N_EACH)
    fake.asked(N_EACH)


@case("copies of a file are asked about until the first of them is known")
def _(house):
    fake = Fake(house)
    text = "".join(f"int copied_{k}(int x)\n{{\n    return x + {k};\n}}\n" for k in range(N_EACH))
    for i in range(N_COPIES):
        house.write(f"d{i}/f{i}.c", text)
    equal(house.index("--enrich")["hovers"]["known"], N_COPIES * N_EACH)
    n = len(fake.heard())
    assert N_EACH <= n <= N_COPIES * N_EACH / 2, n


@case("a folder that is renamed keeps its hovers")
def _(house):
    fake = Fake(house)
    fill(house, "one", "old")
    house.serve(house.tree)
    wait_known(house, names_of("one"))
    fake.asked(N_FILES * N_EACH)
    os.rename(house.path("old"), house.path("new"))
    wait("the files are where they are now", lambda: all(
        e["path"].startswith("new/") for e in house.entities()))
    wait_known(house, names_of("one"))
    fake.asked(0)


@case("another version of the server is asked for everything, once; one that nobody starts for nothing")
def _(house):
    fake = Fake(house)
    fill(house, "one")
    house.index("--enrich")
    fake.asked(N_FILES * N_EACH)
    fake.be("2.0")
    house.index("--enrich")
    fake.asked(0)  # there was nothing to ask, so nobody knows
    house.write("src/new.c", "int brand_new(void)\n{\n    return 1;\n}\n")
    equal(house.index("--enrich")["hovers"]["known"], N_FILES * N_EACH + 1)
    fake.asked(N_FILES * N_EACH + 1)
    house.serve(house.tree)
    wait("all is known", lambda: all_known(house))
    house.write("src/newer.c", "int newer(void)\n{\n    return 1;\n}\n")
    wait_known(house, names_of("one") + ["brand_new", "newer"])
    fake.asked(1)


@case("another version of the server that shows while the rest of a file is asked for: each is asked once")
def _(house):
    fake = Fake(house)
    fill(house, "one", n_files=1)
    fake.be("1.0", hover=[{"line": 4, "silent": True}])
    s = house.index("--enrich", env={"GLOSS_ENRICH_DEADLINE_MS": "300"})
    equal(s["hovers"], {"known": N_EACH - 1, "empty": 0, "unknown": 1})
    fake.heard()
    fake.be("2.0")
    equal(house.index("--enrich")["hovers"]["known"], N_EACH)
    fake.asked(N_EACH)
    equal(house.index("--enrich")["hovers"]["known"], N_EACH)
    fake.asked(0)


@case("status, stats and show tell what is known, why the rest is not, and what came without asking")
def _(house):
    fake = Fake(house)
    fill(house, "one", n_files=2)
    house.index("--enrich")
    was = read_bytes(house.path("src/f1.c"))
    fill(house, "one", n_files=1)
    house.write("src/f1.c", b"int fresh(void);\nint fresh(void)\n{\n    return 1;\n}\n")
    house.index()
    house.write("src/f1.c", was)
    house.write("src/f2.c", "int new_one(void)\n{\n    return 1;\n}\n")
    house.write("src/f0.c", read_bytes(house.path("src/f0.c")) + b"\n")
    house.index()
    _, engine = house.serve(house.tree, env={"GLOSS_ENRICH_ENABLED": "false"})
    w = house.wait_ready()
    equal(w["hovers"], {"known": 2 * N_EACH, "empty": 0, "unknown": 1, "stale": N_EACH, "reused": N_EACH})
    equal({k: n for k, n in w["reasons"].items() if n}, {"not_asked": 1})
    equal(w["past"]["contents"], 1)
    request = urllib.request.Request(f"http://127.0.0.1:{engine['port']}/v1/stats",
                                     headers={"Authorization": f"Bearer {engine['token']}"})
    with urllib.request.urlopen(request) as answer:
        [stats] = json.load(answer)["workspaces"]
    equal((stats["hovers"], stats["reasons"], stats["past"]), (w["hovers"], w["reasons"], w["past"]))
    out = house.gloss("status").ok().out
    assert f"{2 * N_EACH} known, 0 empty, 1 unknown (1 not_asked), {N_EACH} stale" in out, out
    assert f"{N_EACH} hovers came without asking; those of 1 earlier contents are kept" in out, out
    out = house.gloss("show", "one_1_0").ok().out
    assert "hover  known by fake\n" in out, out
    assert "hover  known by fake (of an earlier text" in house.gloss("show", "one_0_0").ok().out
    assert "hover  unknown: not_asked\n" in house.gloss("show", "new_one").ok().out
    fake.asked(2 * N_EACH)


@case("what comes back is the word of the server that said it: another version is asked again")
def _(house):
    fake = Fake(house)
    fill(house, "one", n_files=1)
    house.index("--enrich")
    was = read_bytes(house.path("src/f0.c"))
    fill(house, "two", n_files=1)
    fake.heard()
    fake.be("2.0")
    house.serve(house.tree)
    wait_known(house, names_of("two", 1))
    fake.asked(N_EACH)
    house.write("src/f0.c", was)
    wait_known(house, names_of("one", 1))
    wait("they were asked for again", lambda: os.path.getsize(fake.log) > 0 and all_known(house))
    fake.asked(N_EACH)


@case("a server installed while the engine runs is asked at gloss/reindex; a file changed in a pause is asked after it")
def _(house):
    fake = Fake(house)
    programs = os.path.join(house.dir, "programs")
    os.mkdir(programs)
    house.config({"servers": [{"name": "fake", "command": ["late-ls", fake.scenario, fake.log], "languages": ["c"]}]})
    house.env["PATH"] = programs
    fill(house, "one")
    house.serve(house.tree)
    editor = Editor(house)
    editor.initialize()
    editor.wait_state("ready")
    equal({e["hover"]["reason"] for e in house.entities()}, {"not_asked"})
    os.symlink(os.environ["GLOSS_FAKE_LS"], os.path.join(programs, "late-ls"))
    editor.request("gloss/reindex", {})
    wait_known(house, names_of("one"))
    fake.asked(N_FILES * N_EACH)
    editor.request("gloss/pause")
    house.write("src/f0.c", "int later(void)\n{\n    return 1;\n}\n")
    wait("it is indexed", lambda: "later" in house.by_name())
    editor.request("gloss/resume")
    wait_known(house, names_of("one")[N_EACH:] + ["later"])
    fake.asked(1)
    equal(editor.bye(), 0)


main()
