"""From a saved file to its event on a WebSocket."""
import json
import os
import subprocess
import sys

from index import HERE, ROOT, row

SAVES, SAVES_QUICK = 600, 150
MEDIAN_MS, P99_MS = 10, 25


def measure(options):
    done = subprocess.run([sys.executable, HERE / "bench_latency.py", "--saves",
                           str(SAVES_QUICK if options.quick else SAVES)], capture_output=True, check=True,
                          env={**os.environ, "GLOSS_BIN": str(ROOT / "build" / "gloss")})
    result = json.loads(done.stdout.splitlines()[-1])
    every = result["all"]
    rows = [row(f"one saved file (1–97 KB, {every['n']} saves) to its event on a WebSocket: median",
                f"{every['p50']:.1f} ms", f"≤ {MEDIAN_MS} ms", every["p50"] <= MEDIAN_MS, must=True),
            row("the same: p99", f"{every['p99']:.1f} ms", f"≤ {P99_MS} ms", every["p99"] <= P99_MS, must=True),
            row("the same: slowest", f"{every['max']:.1f} ms", "", None)]
    for what in ("by_language", "by_kib", "by_way"):
        for name, times in sorted(result[what].items(), key=lambda item: (len(item[0]), item[0])):
            rows.append(row(f"{what.replace('_', ' ').replace('kib', 'size in KB')}: {name}",
                            f"median {times['p50']:.1f} ms, p99 {times['p99']:.1f} ms", "", None))
    return rows
