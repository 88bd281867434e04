"""Indexing against universal-ctags, ast-grep, codegraph and a bare parse, on the same files."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import timing
import trees

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
CORE = ("kernel", "mm", "fs", "net", "block")  # of Linux
RESCAN_FILES = 50000


class Bench:
    """A scratch folder, the programs, and what they are called with."""

    def __init__(self):
        self.gloss_bin = ROOT / "build" / "gloss"
        self.bare_bin = ROOT / "build" / "tests" / "bench" / "bench_bare_parse"
        self.bin = HERE / "node_modules" / ".bin"
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="gloss-bench-"))
        self.env = {**os.environ, "XDG_STATE_HOME": str(self.scratch / "state"),
                    "XDG_CONFIG_HOME": str(self.scratch / "config"), "XDG_RUNTIME_DIR": str(self.scratch),
                    "HOME": str(self.scratch), "DO_NOT_TRACK": "1", "CODEGRAPH_TELEMETRY": "0"}
        self.db = self.scratch / "index.db"

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def gloss(self, tree, *options, fresh=True):
        if fresh:
            for path in self.scratch.glob("index.db*"):
                path.unlink()
        return timing.run([self.gloss_bin, "index", "--db", self.db, *options, tree], env=self.env)

    def ctags(self, files):
        return timing.run(["ctags", "-f", self.scratch / "tags", "-L", files], env=self.env)

    def ast_grep(self, tree, language):
        """One pattern that is nowhere: what it costs to read and parse all files."""
        return timing.run([self.bin / "ast-grep", "run", "--lang", language, "--pattern", "gloss_is_not_here($A)",
                           tree, "--threads", str(os.cpu_count())], env=self.env)

    def codegraph(self, tree):
        shutil.rmtree(pathlib.Path(tree) / ".codegraph", ignore_errors=True)
        try:
            return timing.run([self.bin / "codegraph", "init", "--yes", tree], env=self.env)
        finally:
            shutil.rmtree(pathlib.Path(tree) / ".codegraph", ignore_errors=True)

    def bare(self, files):
        with open(files, encoding="utf-8") as stdin:
            done = subprocess.run([self.bare_bin], stdin=stdin, capture_output=True, check=True)
        return json.loads(done.stdout)

    def list_of(self, tree):
        path = self.scratch / "files"
        files = sorted(str(p) for p in pathlib.Path(tree).rglob("*") if p.is_file() and ".codegraph" not in p.parts)
        path.write_text("\n".join(files) + "\n", encoding="utf-8")
        return path


def row(what, value, target, met):
    return {"what": what, "value": value, "target": target, "met": met}


def compare(bench, name, tree, rounds, with_codegraph):
    files = bench.list_of(tree)
    n_files, n_bytes = trees.size(tree)
    medians = timing.take_turns({"gloss": lambda: bench.gloss(tree), "ctags": lambda: bench.ctags(files)}, rounds)
    size = sum(p.stat().st_size for p in bench.scratch.glob("index.db*"))
    faster = medians["ctags"]["seconds"] / medians["gloss"]["seconds"]
    rows = [row(f"{name} ({n_files} files, {n_bytes / 1e6:.1f} MB): gloss index, cold",
                f"{medians['gloss']['seconds']:.2f} s, {medians['gloss']['peak_rss_bytes'] / 1e6:.0f} MB", "", None),
            row(f"{name}: ctags", f"{medians['ctags']['seconds']:.2f} s", "", None),
            row(f"{name}: how much faster than ctags", f"{faster:.2f}×", "≥ 1.5×", faster >= 1.5)]
    rows.append(row(f"{name}: index without hovers / source bytes", f"{size / n_bytes:.2f}×", "≤ 1×", size <= n_bytes))
    full = timing.take_turns({"full": lambda: bench.gloss(tree, "--parse", "full")}, 1)["full"]
    rows.append(row(f"{name}: gloss index --parse full", f"{full['seconds']:.2f} s", "", None))
    rows.append(row(f"{name}: bare tree-sitter parse, one thread", f"{bench.bare(files)['seconds']:.2f} s", "", None))
    grep = bench.ast_grep(tree, "c")
    rows.append(row(f"{name}: ast-grep, one pattern", f"{grep['seconds']:.2f} s", "", None))
    if with_codegraph:
        graph = timing.take_turns({"codegraph": lambda: bench.codegraph(tree)}, 1)["codegraph"]
        ratio = graph["seconds"] / medians["gloss"]["seconds"]
        memory = medians["gloss"]["peak_rss_bytes"] / graph["peak_rss_bytes"]
        rows += [row(f"{name}: codegraph", f"{graph['seconds']:.2f} s, {graph['peak_rss_bytes'] / 1e6:.0f} MB", "", None),
                 row(f"{name}: how much faster than codegraph", f"{ratio:.1f}×", "≥ 15×", ratio >= 15),
                 row(f"{name}: memory against codegraph's", f"{memory:.2f}×", "≤ 0.2×", memory <= 0.2)]
    return rows


def linux(bench):
    """The whole kernel as it is, both as they walk it themselves."""
    tree = trees.package(trees.LINUX)
    n_files, _n_bytes = trees.size(tree)
    medians = timing.take_turns({
        "gloss": lambda: bench.gloss(tree),
        "ctags": lambda: timing.run(["ctags", "-R", "-f", bench.scratch / "tags", tree], env=bench.env)}, 1)
    gloss, ctags = medians["gloss"], medians["ctags"]
    ratio = ctags["seconds"] / gloss["seconds"]
    rows = [row(f"Linux ({n_files} files): gloss index, cold", f"{gloss['seconds']:.1f} s", "", None),
            row("Linux: ctags -R", f"{ctags['seconds']:.1f} s", "", None),
            row("Linux: how much faster than ctags", f"{ratio:.2f}×", "≥ 1×", ratio >= 1),
            row("Linux: peak memory", f"{gloss['peak_rss_bytes'] / 1e6:.0f} MB", "≤ 200 MB",
                gloss["peak_rss_bytes"] <= 200e6)]
    again = bench.gloss(tree, fresh=False)
    rows.append(row(f"Linux: rescan of {n_files} unchanged files", f"{again['seconds']:.2f} s", "", None))
    return rows


def rescan(bench, rounds):
    """50,000 small files, indexed once, then again unchanged."""
    tree = bench.scratch / "many"
    for i in range(RESCAN_FILES):
        folder = tree / f"d{i // 1000}" / f"e{i // 50 % 20}"
        if i % 50 == 0:
            folder.mkdir(parents=True)
        (folder / f"f{i}.c").write_text(f"int f{i}(int a)\n{{\n    return a + {i};\n}}\n", encoding="utf-8")
    bench.gloss(tree)
    seconds = timing.take_turns({"gloss": lambda: bench.gloss(tree, fresh=False)}, rounds)["gloss"]["seconds"]
    shutil.rmtree(tree)
    return [row(f"rescan of {RESCAN_FILES} unchanged files", f"{seconds:.2f} s", "≤ 0.5 s", seconds <= 0.5)]


def measure(options):
    bench = Bench()
    try:
        rounds = 3 if options.quick else 7
        rows = compare(bench, "Redis", trees.subset("redis", (".c", ".h")), rounds, with_codegraph=True)
        rows += compare(bench, "Linux core", trees.subset(trees.LINUX, (".c", ".h"), CORE), rounds, False)
        rows += compare(bench, "CPython", trees.subset("python3.11", (".c", ".h")), rounds, False)
        rows += rescan(bench, rounds)
        if not options.quick:
            rows += linux(bench)
        return rows
    finally:
        bench.close()
