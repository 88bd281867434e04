"""Indexing against universal-ctags, ast-grep, codegraph and a bare parse, on the same files."""
import json
import os
import pathlib
import shutil
import statistics
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

    def gloss(self, tree, *options, fresh=True, memory=None):
        if fresh:
            for path in self.scratch.glob("index.db*"):
                path.unlink()
        return timing.run([self.gloss_bin, "index", "--db", self.db, *options, tree], env=self.env,
                          memory=memory)

    def ctags(self, tree):
        return timing.run(["ctags", "-R", "-f", self.scratch / "tags", tree], env=self.env)

    def ast_grep(self, tree, language):
        """One pattern that is nowhere: what it costs to read and parse all files. The program itself, without
        the script that finds it."""
        (program,) = (self.bin.parent / "@ast-grep").glob("cli-*/ast-grep")
        return timing.run([program, "run", "--lang", language, "--pattern", "gloss_is_not_here($A)",
                           tree, "--threads", str(os.cpu_count())], env=self.env, good=(0, 1))

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


def row(what, value, target, met, must=False):
    """must: one of the targets that docs/BENCHMARKS.md begins with."""
    return {"what": what, "value": value, "target": target, "met": met, "must": must}


def seconds_and_memory(run):
    return f"{run['seconds']:.2f} s, {run['peak_rss_bytes'] / 1e6:.0f} MB"


def compare(bench, name, tree, rounds, is_must=False):
    """The tree holds nothing but the files that all of them read."""
    files = bench.list_of(tree)
    n_files, n_bytes = trees.size(tree)
    runs = timing.take_turns({"gloss": lambda: bench.gloss(tree), "ctags": lambda: bench.ctags(tree)}, rounds)
    size = sum(p.stat().st_size for p in bench.scratch.glob("index.db*"))
    faster = timing.ratio(runs, "ctags", "gloss")
    others = timing.take_turns({"full": lambda: bench.gloss(tree, "--parse", "full"),
                                "bare": lambda: bench.bare(files),
                                "ast-grep": lambda: bench.ast_grep(tree, "c")}, min(rounds, 3))
    of_bare = timing.median(others, "bare") / timing.median(runs, "gloss")
    return [row(f"{name} ({n_files:,} files, {n_bytes / 1e6:.1f} MB), cold: times as fast as `ctags -R`",
                f"{faster:.2f}×", "≥ 1.5×", faster >= 1.5, must=is_must),
            row(f"{name}: size of the index / source bytes", f"{size / n_bytes:.2f}×", "≤ 1×", size <= n_bytes,
                must=is_must),
            row(f"{name}: gloss index", seconds_and_memory(timing.medians(runs, "gloss")), "", None),
            row(f"{name}: ctags -R", seconds_and_memory(timing.medians(runs, "ctags")), "", None),
            row(f"{name}: gloss index --parse full", seconds_and_memory(timing.medians(others, "full")), "", None),
            row(f"{name}: bare tree-sitter parse of whole files, one thread",
                f"{timing.median(others, 'bare'):.2f} s = {of_bare:.1f} × gloss index", "", None),
            row(f"{name}: ast-grep, one pattern", f"{timing.median(others, 'ast-grep'):.2f} s", "", None)]


def compare_codegraph(bench, name, tree, rounds):
    runs = timing.take_turns({"gloss": lambda: bench.gloss(tree), "codegraph": lambda: bench.codegraph(tree)}, rounds)
    faster = timing.ratio(runs, "codegraph", "gloss")
    memory = timing.ratio(runs, "gloss", "codegraph", "peak_rss_bytes")
    return [row(f"{name}, cold: times as fast as codegraph", f"{faster:.1f}×", "≥ 15×", faster >= 15, must=True),
            row(f"{name}: peak memory / codegraph's", f"{memory:.2f}×", "≤ 0.2×", memory <= 0.2, must=True),
            row(f"{name}: codegraph", seconds_and_memory(timing.medians(runs, "codegraph")), "", None)]


def quarters(memory):
    """What is resident after each quarter of the run: flat, if the last is little more than the first."""
    return [memory[max(0, len(memory) * i // 4 - 1)] for i in range(1, 5)]


def linux(bench, rounds):
    """The whole kernel as it is, both as they walk it themselves."""
    tree = trees.package(trees.LINUX)
    n_files, n_bytes = trees.size(tree)
    memory = []  # of each of gloss' runs

    def gloss():
        memory.append([])
        return bench.gloss(tree, memory=memory[-1])

    runs = timing.take_turns({"gloss": gloss, "ctags": lambda: bench.ctags(tree)}, rounds)
    resident = [statistics.median(at) for at in zip(*map(quarters, memory))]
    size = sum(p.stat().st_size for p in bench.scratch.glob("index.db*"))
    ratio = timing.ratio(runs, "ctags", "gloss")
    peak = timing.median(runs, "gloss", "peak_rss_bytes")
    again = timing.take_turns({"gloss": lambda: bench.gloss(tree, fresh=False)}, 3)
    return [row(f"Linux ({n_files:,} files, {n_bytes / 1e6:.0f} MB), cold: times as fast as `ctags -R`",
                f"{ratio:.2f}×", "≥ 1×", ratio >= 1, must=True),
            row("Linux: peak memory", f"{peak / 1e6:.0f} MB", "≤ 200 MB", peak <= 200e6, must=True),
            row("Linux: resident after 25, 50, 75 and 100 % of the run",
                ", ".join(f"{n / 1e6:.0f}" for n in resident) + " MB", "last ≤ 1.3 × first",
                resident[3] <= 1.3 * resident[0]),
            row("Linux: size of the index / source bytes", f"{size / n_bytes:.2f}×", "≤ 1×", size <= n_bytes, must=True),
            row("Linux: gloss index", seconds_and_memory(timing.medians(runs, "gloss")), "", None),
            row("Linux: ctags -R", seconds_and_memory(timing.medians(runs, "ctags")), "", None),
            row("Linux: rescan, unchanged", f"{timing.median(again, 'gloss'):.2f} s", "", None)]


def rescan(bench, rounds):
    """50,000 small files, indexed once, then again unchanged."""
    tree = bench.scratch / "many"
    for i in range(RESCAN_FILES):
        folder = tree / f"d{i // 1000}" / f"e{i // 50 % 20}"
        if i % 50 == 0:
            folder.mkdir(parents=True)
        (folder / f"f{i}.c").write_text(f"int f{i}(int a)\n{{\n    return a + {i};\n}}\n", encoding="utf-8")
    bench.gloss(tree)
    seconds = timing.median(timing.take_turns({"gloss": lambda: bench.gloss(tree, fresh=False)}, rounds), "gloss")
    shutil.rmtree(tree)
    return [row(f"rescan of {RESCAN_FILES:,} unchanged files", f"{seconds:.2f} s", "≤ 0.5 s", seconds <= 0.5,
                must=True)]


def measure(options):
    bench = Bench()
    try:
        rounds = 3 if options.quick else 7
        redis = trees.subset("redis", (".c", ".h"))
        rows = compare(bench, "Redis", redis, rounds)
        rows += compare_codegraph(bench, "Redis", redis, 1 if options.quick else 3)
        rows += compare(bench, "Linux core", trees.subset(trees.LINUX, (".c", ".h"), CORE), rounds, is_must=True)
        rows += compare(bench, "CPython", trees.subset("python3.11", (".c", ".h")), rounds)
        rows += rescan(bench, rounds)
        if not options.quick:
            rows += linux(bench, 3)
        return rows
    finally:
        bench.close()
