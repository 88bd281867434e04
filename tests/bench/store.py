"""What the store costs on top of a backend's own library, and what readers and editors feel of a bulk load."""
import json
import pathlib
import statistics
import subprocess

import trees
from index import CORE, ROOT, Bench, row

BULK, WHOLE = 0.8, 0.4
READ_MS = {"p50": 0.2, "p99": 0.5, "max": 2}
COMMIT_P99_MS = 60
ROUNDS, READS, CHANGES = 7, 50000, 300
ROUNDS_QUICK, READS_QUICK, CHANGES_QUICK = 3, 10000, 50

# By name: the URLs of its indexes, % being their number in the scratch folder, and whether all targets are its own
# or only that of the bulk write; an option that it is built with, in a build folder of its own. What bench_store has
# no bare loop for is compared with here.
BACKENDS = {"SQLite": ("sqlite:{scratch}/%.db", True, None),
            "RocksDB": ("rocksdb:{scratch}/%", False, "rocksdb")}


def program(option):
    """bench_store with the backend; None where its library is not."""
    build = ROOT / (f"build-{option}" if option else "build")
    target = pathlib.Path("tests") / "bench" / "bench_store"
    if option:
        if subprocess.run(["pkg-config", "--exists", option], check=False).returncode != 0:
            return None
        if not (build / "build.ninja").exists():
            subprocess.run(["meson", "setup", build, ROOT, "-Dtests=true", f"-D{option}=enabled"], check=True,
                           stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", build, target], check=True, stdout=subprocess.DEVNULL)
    return build / target


def ask(path, tree, url, options, has_targets):
    rounds, reads, changes = (ROUNDS_QUICK, READS_QUICK, CHANGES_QUICK) if options.quick else (ROUNDS, READS, CHANGES)
    rounds = rounds if has_targets else ROUNDS_QUICK
    done = subprocess.run([path, tree, url, "--rounds", str(rounds), "--reads", str(reads), "--changes", str(changes)],
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench_store: {done.stderr.decode(errors='replace')[-500:]}")
    return json.loads(done.stdout)


def ratio(result, above, below):
    """Of neighbours, as in timing.ratio()."""
    return statistics.median(a / b for a, b in zip(result[above], result[below]))


def aimed(has_target, what, value, target, met):
    return row(what, value, target, met, must=True) if has_target else row(what, value, "", None)


def loads(name, result, has_targets):
    n = result["entities"]

    def per_second(key):
        return f"{n / statistics.median(result[key]):,.0f} entities/s"

    rows = []
    of = f"{name}, {result['files']:,} files, {n:,} entities, {result['edges']:,} edges"
    if "bare_s" in result:
        bulk = ratio(result, "bare_s", "load_s")
        whole = ratio(result, "bare_entities_s", "load_text_s")
        walked = ratio(result, "bare_entities_s", "load_s")
        rows += [row(f"{of}: bulk write against a bare loop of the same rows", f"{bulk:.2f}×", f"≥ {BULK}×",
                     bulk >= BULK, must=True),
                 aimed(has_targets, f"{name}: bulk load with edges, event log and text index against a bare loop of "
                       "the entity rows alone", f"{whole:.2f}×", f"≥ {WHOLE}×", whole >= WHOLE),
                 row(f"{name}: the same before the text index is filled, texts being found by a walk",
                     f"{walked:.2f}×", "", None),
                 row(f"{name}: bare loop of the same rows", per_second("bare_s"), "", None),
                 row(f"{name}: bare loop of the entity rows", per_second("bare_entities_s"), "", None)]
    return rows + [row(f"{name}: bulk write", per_second("load_s"), "", None),
                   row(f"{name}: bulk write, then the text index", per_second("load_text_s"), "", None)]


def reads(name, result, has_targets):
    read, alone = result["read"], result["read_alone"]
    rows = [aimed(has_targets, f"{name}, by key while the writer is saturated ({read['n']:,} reads): "
                  f"{at.replace('p50', 'median')}", f"{read[at + '_ms']:.3f} ms", f"≤ {most} ms",
                  read[at + "_ms"] <= most)
            for at, most in READ_MS.items()]
    return rows + [row(f"{name}: the same while nobody writes: median, p99, max",
                       ", ".join(f"{alone[at + '_ms']:.3f}" for at in READ_MS) + " ms", "", None),
                   row(f"{name}: the writer meanwhile", f"{result['written_per_s']:,.0f} entities/s", "", None)]


def commits(name, result, has_targets):
    commit = result["commit"]
    return [aimed(has_targets, f"{name}, one change of a file while a bulk load runs ({commit['n']} changes), to its "
                  "commit: p99", f"{commit['p99_ms']:.1f} ms", f"≤ {COMMIT_P99_MS} ms",
                  commit["p99_ms"] <= COMMIT_P99_MS),
            row(f"{name}: the same: median, max", f"{commit['p50_ms']:.1f}, {commit['max_ms']:.1f} ms", "", None)]


def measure(options):
    tree = trees.subset("redis", (".c", ".h")) if options.quick else trees.subset(trees.LINUX, (".c", ".h"), CORE)
    rows = []
    for name, (url, has_targets, option) in BACKENDS.items():
        path, bench = program(option), Bench()
        try:
            result = ask(path, tree, url.format(scratch=bench.scratch), options, has_targets) if path else None
            for part in (loads, reads, commits) if result else ():
                rows += part(name, result, has_targets)
        finally:
            bench.close()
    return rows
