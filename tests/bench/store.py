"""What the store costs on top of a backend's own library, and what readers and editors feel of a bulk load."""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

import timing
import trees
from index import CORE, ROOT, Bench, row

sys.path.append(str(ROOT / "tests" / "e2e" / "lib"))
import postgres  # noqa: E402
from house import House  # noqa: E402
from team import Team  # noqa: E402

BULK, WHOLE = 0.8, 0.4
READ_MS = {"p50": 0.2, "p99": 0.5, "max": 2}
COMMIT_P99_MS = 60
ROUNDS, READS, READ_ROUNDS, CHANGES = 7, 50000, 5, 300
ROUNDS_SHORT = 15  # where a load takes less than a second, and the disk's moods are most of what differs
ROUNDS_QUICK, READS_QUICK, CHANGES_QUICK = 3, 10000, 50

ENGINES, LOCKED_PERCENT = 4, 5
FLEET_ROUNDS, SAMPLE_S = 7, 0.01
TOLD_FILES = 100  # of each of the engines: there are ENGINES² clients, in Python

# By name: the URLs of its indexes, % being their number in the scratch folder, and whether all targets are its own
# or only that of the bulk write; how often that is measured; an option that it is built with, in a build folder of
# its own. PostgreSQL is started here.
BACKENDS = {"SQLite": ("sqlite:{scratch}/%.db", True, ROUNDS, None),
            "RocksDB": ("rocksdb:{scratch}/%", False, ROUNDS_SHORT, "rocksdb")}


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


def ask(path, tree, url, options, has_targets, rounds):
    reads, changes = (READS_QUICK, CHANGES_QUICK) if options.quick else (READS, CHANGES)
    rounds = ROUNDS_QUICK if options.quick else rounds
    text_rounds = rounds if has_targets else ROUNDS_QUICK
    read_rounds = READ_ROUNDS if has_targets and not options.quick else 1
    done = subprocess.run([path, tree, url, "--rounds", str(rounds), "--text-rounds", str(text_rounds), "--reads",
                           str(reads), "--read-rounds", str(read_rounds), "--changes", str(changes)],
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench_store: {done.stderr.decode(errors='replace')[-500:]}")
    return json.loads(done.stdout)


def ratio(result, above, below):
    """Of neighbours, as in timing.ratio()."""
    return statistics.median(a / b for a, b in zip(result[above], result[below]))


def aimed(has_target, what, value, target, met):
    return row(what, value, target, met, must=True) if has_target else row(what, value, "", None)


def bare_name(name):
    return "psql's COPY" if name == "PostgreSQL" else "bare loop"


def article(bare):
    return f"a {bare}" if bare.startswith("bare") else bare


def loads(name, result, has_targets):
    n = result["entities"]
    bare = bare_name(name)

    def per_second(key):
        return f"{n / statistics.median(result[key]):,.0f} entities/s"

    rows = []
    of = f"{name}, {result['files']:,} files, {n:,} entities, {result['edges']:,} edges"
    if "bare_s" in result:
        bulk = ratio(result, "bare_s", "load_s")
        whole = ratio(result, "bare_entities_s", "load_text_s")
        walked = ratio(result, "bare_entities_s", "load_s")
        rows += [row(f"{of}: bulk write against {article(bare)} of the same rows", f"{bulk:.2f}×", f"≥ {BULK}×",
                     bulk >= BULK, must=True),
                 aimed(has_targets, f"{name}: bulk load with edges, event log and text index against {article(bare)} "
                       "of the entity rows alone", f"{whole:.2f}×", f"≥ {WHOLE}×", whole >= WHOLE),
                 row(f"{name}: the same before the text index is filled, texts being found by a walk",
                     f"{walked:.2f}×", "", None),
                 row(f"{name}: {bare} of the same rows", per_second("bare_s"), "", None),
                 row(f"{name}: {bare} of the entity rows", per_second("bare_entities_s"), "", None)]
    return rows + [row(f"{name}: bulk write", per_second("load_s"), "", None),
                   row(f"{name}: bulk write, then the text index", per_second("load_text_s"), "", None)]


def reads(name, result, has_targets):
    read, clock = result["read"], result["clock"]
    each = f"{read['n']:,} reads" + (f" in each of {read['rounds']} rounds, their median" if read["rounds"] > 1 else "")

    def three(key):
        return ", ".join(f"{result[key][at + '_ms']:.3f}" for at in READ_MS) + " ms"

    def span(of):
        return f"{of['max_least_ms']:.2f} to {of['max_most_ms']:.2f} ms"

    rows = [aimed(has_targets, f"{name}, by key while the writer is saturated ({each}): "
                  f"{at.replace('p50', 'median')}", f"{read[at + '_ms']:.3f} ms", f"≤ {most} ms",
                  read[at + "_ms"] <= most)
            for at, most in READ_MS.items()]
    return rows + [row(f"{name}: the longest without what the machine took from the thread (of a read that waited for "
                       "nothing, the time on a processor)", f"{read['own_ms']:.2f} ms", "", None),
                   row(f"{name}: the same while nobody writes: median, p99, max", three("read_alone"), "", None),
                   row(f"{name}: the same while a thread only keeps a processor busy", three("read_beside"), "", None),
                   row(f"{name}: what only looks at the clock, as long as a median read each time, beside the same writer",
                       three("clock"), "", None),
                   row(f"{name}: the slowest of each round: of the reads; of what only looks at the clock",
                       f"{span(read)}; {span(clock)}", "", None),
                   row(f"{name}: the writer meanwhile", f"{result['written_per_s']:,.0f} entities/s", "", None)]


def commits(name, result, has_targets):
    commit = result["commit"]
    return [aimed(has_targets, f"{name}, one change of a file while a bulk load runs ({commit['n']} changes), to its "
                  "commit: p99", f"{commit['p99_ms']:.1f} ms", f"≤ {COMMIT_P99_MS} ms",
                  commit["p99_ms"] <= COMMIT_P99_MS),
            row(f"{name}: the same: median, max", f"{commit['p50_ms']:.1f}, {commit['max_ms']:.1f} ms", "", None)]


class Sampler:
    """Looks, again and again, at what the backends of engines wait for."""
    QUERY = ("SELECT count(*) FILTER (WHERE wait_event_type='Lock'), count(*) FILTER (WHERE wait_event_type='LWLock'), "
             "count(*) FILTER (WHERE state='active') FROM pg_stat_activity WHERE application_name='gloss' AND "
             "pg_stat_clear_snapshot() IS NOT NULL")

    def __init__(self, server):
        self.process = subprocess.Popen(server.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(f"{self.QUERY} \\watch {SAMPLE_S}\n")
        self.process.stdin.flush()

    def end(self):
        """Shares of the time of ENGINES in which one waits for a lock, and for a short one within the server, in %."""
        self.process.terminate()
        out, _ = self.process.communicate()
        samples = [tuple(map(int, m)) for m in re.findall(r"^(\d+)\|(\d+)\|(\d+)$", out, re.M)]
        if not samples:
            raise SystemExit("psql did not sample")
        return [100 * sum(s[i] for s in samples) / (ENGINES * len(samples)) for i in (0, 1)]


def index_at_once(bench, server, tree, n):
    """Seconds until the last of n new workspaces has its index, each by an engine of its own. There is a schema."""
    empty = bench.scratch / "empty"
    empty.mkdir(exist_ok=True)
    server.psql("DROP SCHEMA IF EXISTS gloss CASCADE")
    subprocess.run([bench.gloss_bin, "index", "--db", server.url("none"), empty], env=bench.env, check=True,
                   stdout=subprocess.DEVNULL)
    began = time.monotonic()
    engines = [subprocess.Popen([bench.gloss_bin, "index", "--db", server.url(f"{i}"), tree], env=bench.env,
                                stdout=subprocess.DEVNULL) for i in range(n)]
    if any(engine.wait() != 0 for engine in engines):
        raise SystemExit("gloss index failed")
    return {"seconds": time.monotonic() - began}


def fleet(bench, server, tree, rounds):
    def looked_at():
        sampler = Sampler(server)
        index_at_once(bench, server, tree, ENGINES)
        return sampler.end()

    runs = timing.take_turns({"one": lambda: index_at_once(bench, server, tree, 1),
                              "all": lambda: index_at_once(bench, server, tree, ENGINES)}, rounds)
    ratio = ENGINES * timing.ratio(runs, "one", "all")
    # not while it is timed: who looks 100 times a second takes of the processors
    locked, short = (sorted(shares) for shares in zip(*(looked_at() for _ in range(rounds))))
    share = statistics.median(locked)
    what = f"{ENGINES} engines on one PostgreSQL, {ENGINES} workspaces indexed at once"
    return [row(f"{what}: their throughput together against one engine's", f"{ratio:.2f}×", "≥ 1×", ratio >= 1,
                must=True),
            row(f"{what}: share of the time that one waits for a lock, median of {rounds} times", f"{share:.1f} %",
                f"≤ {LOCKED_PERCENT} %", share <= LOCKED_PERCENT, must=True),
            row(f"{what}: the least and the most of them", f"{locked[0]:.1f}, {locked[-1]:.1f} %", "", None),
            row(f"{what}: of the server's own short locks", f"{statistics.median(short):.1f} %", "", None),
            row(f"{what}: one engine alone, all",
                f"{timing.median(runs, 'one'):.2f}, {timing.median(runs, 'all'):.2f} s", "", None)]


def hubs(tree):
    """Each engine holds all workspaces and writes one; at each hub there is a client for each."""
    os.environ["GLOSS_BIN"] = str(ROOT / "build" / "gloss")
    house = House()
    team = Team(house)
    files = sorted(p for p in pathlib.Path(tree).rglob("*.c") if p.stat().st_size < 100000)[:TOLD_FILES]
    n_told, is_once = 0, True
    try:
        team.begin(ENGINES)
        for root in team.roots:
            for i, path in enumerate(files):
                folder = pathlib.Path(root) / f"load{i % 9}"
                folder.mkdir(exist_ok=True)
                shutil.copyfile(path, folder / f"{i}_{path.name}")
        team.check("last")
    except AssertionError as why:
        print(f"hubs: {why}", file=sys.stderr)
        is_once = False
    finally:
        n_told = sum(len(s.events) for s in team.subscribers.values())
        team.close()
        house.close()
    what = f"{ENGINES} engines on one PostgreSQL, {ENGINES} workspaces indexed at once"
    return [row(f"{what}: every engine's hub sends all events of all of them once, in order",
                f"{n_told:,} messages at {ENGINES ** 2} clients", "all", is_once, must=True)]


def measure_postgres(options, tree):
    if not postgres.programs():
        return []
    server, bench = postgres.Postgres(is_durable=True), Bench()
    try:
        result = ask(program(None), tree, server.url(database="d%"), options, False, ROUNDS_QUICK)
        rows = [r for part in (loads, reads, commits) for r in part("PostgreSQL", result, False)]
        return rows + fleet(bench, server, tree, ROUNDS_QUICK if options.quick else FLEET_ROUNDS) + hubs(tree)
    finally:
        bench.close()
        server.close()


def measure(options):
    tree = trees.subset("redis", (".c", ".h")) if options.quick else trees.subset(trees.LINUX, (".c", ".h"), CORE)
    rows = []
    for name, (url, has_targets, rounds, option) in BACKENDS.items():
        path, bench = program(option), Bench()
        try:
            result = ask(path, tree, url.format(scratch=bench.scratch), options, has_targets,
                         rounds) if path else None
            for part in (loads, reads, commits) if result else ():
                rows += part(name, result, has_targets)
        finally:
            bench.close()
    return rows + measure_postgres(options, tree)
