"""From one saved file to its event on a WebSocket: files of 1 to 100 KB, saved in the ways editors save, one after
another under a quiet engine. Prints one JSON object; times are from before the file is opened for writing until
the message `file:completed`, which comes after the commit, was read.

GLOSS_BIN=build/gloss tests/bench/bench_latency.py [--saves N] [--pause-ms MS]"""
import argparse
import ast
import json
import os
import random
import statistics
import sys
import sysconfig
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
from house import House, read_bytes  # noqa: E402
from ws import WebSocket  # noqa: E402

QUIET = {"GLOSS_ENRICH_ENABLED": "false"}
KIB = 1024
SIZES = (1, 4, 10, 25, 50, 75, 97)  # KiB; what an edit adds stays below 100,000 bytes
OUTCOME = "file:completed"


def real_code(extension):
    """Code that people wrote, as one text: this repository's C, Python's own library."""
    if extension == "c":
        top, want = os.path.join(HERE, "..", "..", "src"), ".c"
    else:
        top, want = sysconfig.get_paths()["stdlib"], ".py"
    texts = []
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(f for f in folders if f not in ("site-packages", "dist-packages", "test", "__pycache__"))
        texts += [read_bytes(os.path.join(folder, n)) for n in sorted(names) if n.endswith(want)]
        if sum(len(t) for t in texts) > 1500 * KIB:
            break
    return [t.decode(errors="replace") for t in texts]


def is_whole(extension, text):
    if extension == "c":
        return True
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def make_text(extension, parts, size, rng):
    """Whole files, then as much of the last one as fits, ended at a line without indentation that is no part of
    a string: what is added behind it has to be a definition."""
    while True:
        text = ""
        while len(text.encode()) < size:
            text += rng.choice(parts) + "\n"
        text = text.encode()[:size].decode(errors="ignore")
        at = max(text.rfind(mark) for mark in ("\n}\n", "\ndef ", "\nclass "))
        text = text[:at + 1] + ("}\n" if text[at:].startswith("\n}") else "") if at > 0 else text
        if is_whole(extension, text):
            return text


def edit(extension, text, n, rng):
    """A new function at the top (everything moves), or at the end."""
    if extension == "c":
        probe = f"static int probe_{n}(int x)\n{{\n    return x * {n};\n}}\n"
    else:
        probe = f"def probe_{n}(x):\n    return x * {n}\n\n\n"
    return (probe + "\n" * (n % 5) + text if rng.random() < 0.5 else text + "\n" + probe).encode()


def save_in_place(path, data):
    with open(path, "wb") as f:
        f.write(data)


def save_by_rename(path, data):
    with open(path + ".tmp~", "wb") as f:
        f.write(data)
    os.rename(path + ".tmp~", path)


def save_with_backup(path, data):
    """Vim's way: the old file steps aside, a new one is made, the old one goes."""
    os.rename(path, path + "~")
    with open(path, "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.unlink(path + "~")


WAYS = {"in_place": save_in_place, "rename": save_by_rename, "backup": save_with_backup}


def quantiles(times):
    times = sorted(times)
    at = lambda q: round(times[min(len(times) - 1, int(q * len(times)))], 2)  # noqa: E731
    return {"n": len(times), "p50": round(statistics.median(times), 2), "p90": at(0.9), "p99": at(0.99),
            "max": round(times[-1], 2)}


def measure(house, n_saves, pause_ms, seed):
    rng = random.Random(seed)
    files = {}
    for extension in ("c", "py"):
        parts = real_code(extension)
        for size in SIZES:
            name = f"{extension}/f{size}.{extension}"
            files[name] = (extension, size, make_text(extension, parts, size * KIB, rng))
            house.write(name, files[name][2])
    house.write(".gitignore", "*~\n")
    _, engine = house.serve(house.tree, env=QUIET)
    workspace = house.wait_ready()
    ws = WebSocket(engine)
    reply = ws.request("subscribe", {"workspace": workspace["id"], "events": ["entity.*", "file:*"],
                                     "snapshot": "never"})
    assert reply["success"], reply
    rows = []
    for n in range(n_saves):
        name = rng.choice(list(files))
        extension, size, text = files[name]
        way = rng.choice(list(WAYS))
        data = edit(extension, text, n, rng)
        time.sleep(pause_ms / 1000 * (0.5 + rng.random()))  # a person's pace, not the engine's
        begin = time.monotonic()
        WAYS[way](house.path(name), data)
        saved = time.monotonic()
        made = ws.events_until(lambda e, n=n: e["event_type"] == "entity.added" and
                               e["data"]["name"] == f"probe_{n}")[-1]
        ws.events_until(lambda e, seq=made["seq"]: e["event_type"] == OUTCOME and e["seq"] == seq)
        end = time.monotonic()
        rows.append((extension, size, way, (end - begin) * 1000, (end - saved) * 1000))
    ws.close()
    return rows


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--saves", type=int, default=600)
    options.add_argument("--pause-ms", type=float, default=30)
    options.add_argument("--seed", type=int, default=1)
    arguments = options.parse_args()
    os.environ["GLOSS_BIN"] = os.path.abspath(os.environ["GLOSS_BIN"])
    house = House()
    try:
        rows = measure(house, arguments.saves, arguments.pause_ms, arguments.seed)
    finally:
        house.close()
    out = {"bench": "latency", "unit": "ms", "all": quantiles([r[3] for r in rows]),
           "after_save": quantiles([r[4] for r in rows])}
    for key, column in (("by_language", 0), ("by_kib", 1), ("by_way", 2)):
        out[key] = {str(v): quantiles([r[3] for r in rows if r[column] == v])
                    for v in sorted({r[column] for r in rows})}
    print(json.dumps(out))


main()
