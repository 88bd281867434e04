"""./dev bench [NAMES]: measures, prints a table, and with --write puts it into docs/BENCHMARKS.md."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import enrich  # noqa: E402
import hub  # noqa: E402
import index  # noqa: E402
import languages  # noqa: E402
import latency  # noqa: E402
import names  # noqa: E402
import store  # noqa: E402

PARTS = {"index": index.measure, "search": names.measure, "latency": latency.measure, "languages": languages.measure,
         "enrich": enrich.measure, "store": store.measure, "hub": hub.measure}
MUST = "must reach"
DOC = pathlib.Path(__file__).parents[2] / "docs" / "BENCHMARKS.md"


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def machine():
    """What the figures are of."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    commit = output("git", "-C", str(DOC.parent), "describe", "--always", "--dirty")
    packages = json.loads((pathlib.Path(__file__).parent / "package.json").read_text(encoding="utf-8"))["dependencies"]
    versions = ", ".join([output("ctags", "--version").split(",")[0]] + [f"{k} {v}" for k, v in packages.items()])
    return (f"{datetime.date.today()}, gloss {commit}, {os.cpu_count()} × {model.group(1) if model else '?'}, "
            f"Linux {platform.release().split('-')[0]}; {versions}")


def table(rows):
    lines = ["| what | measured | target | met |", "|---|---|---|---|"]
    for r in rows:
        met = "" if r["met"] is None else "yes" if r["met"] else "**no**"
        what = f"**{r['what']}**" if r["must"] else r["what"]
        lines.append(f"| {what} | {r['value']} | {r['target']} | {met} |")
    return "\n".join(lines)


def block(name):
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    return re.compile(re.escape(begin) + "\n(.*?)\n?" + re.escape(end), re.S), begin, end


def put(doc, name, text):
    """The doc with the text between the part's marks, which are made at its first time."""
    pattern, begin, end = block(name)
    if begin not in doc:
        doc += f"\n## {name}\n\n`./dev bench {name}`\n\n{begin}\n{end}\n"
    return pattern.sub(lambda _m: f"{begin}\n{text}\n{end}", doc)


def must_reach(doc):
    """The rows that matter most, from the tables of all parts as the doc has them."""
    lines = ["| target | wanted | measured | met | measured on |", "|---|---|---|---|---|"]
    for name in PARTS:
        found = block(name)[0].search(doc)
        text = found.group(1) if found else ""
        where = re.match(r"(\S+), gloss ([^,]+), ([^;]*)", text)
        for what, value, target, met in re.findall(r"^\| \*\*(.*?)\*\* \| (.*?) \| (.*?) \| (.*?) \|$", text, re.M):
            lines.append(f"| {what} | {target} | {value} | {met} | {where.group(1)}, {where.group(2)} |")
    return "\n".join(lines)


def write(name, text):
    """The part's table, and the targets taken from all tables anew."""
    doc = put(DOC.read_text(encoding="utf-8"), name, text)
    DOC.write_text(put(doc, MUST, must_reach(doc)), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PARTS, []], help="all when none is named")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no whole kernel")
    parser.add_argument("--language", action="append", help="languages: only this one, by ctags' name")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="languages: print N misses of each class")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started, or stopped, is ended then, too
    for name in options.names or PARTS:
        rows = PARTS[name](options)
        if options.json:
            print(json.dumps({"part": name, "machine": machine(), "rows": rows}, ensure_ascii=False))
            continue
        note = "; orientation only: few rounds" if options.quick else ""
        text = f"{machine()}{note}\n\n{table(rows)}"
        print(f"\n{text}\n", flush=True)
        if options.write:
            write(name, text)


main()
