"""The tree lint: what lies in the repository, and what its text must not hold.

tree.py ROOT            prints TAP, one point per rule
tree.py --self-test     plants one breach per rule in a tiny tree and shows that each is caught
"""
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

TOP = {
    ".ci", ".clang-format", ".editorconfig", ".gitignore", "LICENSE", "README.md", "dev", "docs",
    "grammars", "lsp", "meson.build", "meson_options.txt", "nvim", "src", "tests", "vscode-ext",
}
SIZE_MAX = 300_000
LOCK = "package-lock.json"
# Put together from parts, so that this file passes its own lint.
REGISTRIES = [r"registry\.(?:npm" r"js|yarn" r"pkg|npm" r"mirror)\.\w+", r"npm" r"mirror\.com",
              r"(?:files\.python" r"hosted|py" r"pi)\.org", r"(?:index\.|static\.)?crates" r"\.io",
              r"proxy\.golang" r"\.org", r"(?:deb|security|snapshot)\.debian" r"\.org",
              r"(?:archive|security|ports)\.ubuntu" r"\.com", r"rubygems" r"\.org"]
REGISTRY = re.compile("|".join(REGISTRIES), re.I)
# Homes of nobody in particular are for examples.
MACHINE = re.compile(r"(?<![\w.$}/])/(?:wor" r"k|roo" r"t)/\w|(?<![\w.$}])/(?:hom" r"e|User" r"s)/"
                     r"(?!(?:you|user|me|ada|u|a|x)\b)\w+/|\b[A-Z]:\\\\?User" r"s\\")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
TRAILING = re.compile(r"[ \t\r]+$")

RULES = ("top", "registry", "machine", "unfinished", "blank", "end", "size")
TITLES = {
    "top": "the top level is exactly what the architecture names",
    "registry": "no host of a package registry",
    "machine": "no absolute path of a machine",
    "unfinished": "no note of unfinished work",
    "blank": "no trailing white space",
    "end": "text ends with one newline",
    "size": f"no file over {SIZE_MAX // 1000} kB but {LOCK}",
}


def list_files(root):
    """What is or could be committed: git's answer, or all but build folders without git."""
    if os.path.exists(os.path.join(root, ".git")):
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], capture_output=True, check=False)
        if done.returncode == 0:
            return sorted(set(os.fsdecode(done.stdout).split("\0")) - {""})
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", "node_modules", "__pycache__")
                      and not (folder == root and f.startswith("build"))]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


def lint(root):
    problems = {rule: [] for rule in RULES}
    files = [f for f in list_files(root) if os.path.isfile(os.path.join(root, f))]
    top = {f.split(os.sep)[0] for f in files}
    problems["top"] = [f"{f}: not in the list" for f in sorted(top - TOP)]
    problems["top"] += [f"{f}: missing" for f in sorted(TOP - top)]
    for path in files:
        full = os.path.join(root, path)
        is_lock = os.path.basename(path) == LOCK
        is_input = path.startswith(("tests/golden/", "tests/fuzz/corpus/"))  # its line ends are the case
        if not is_lock and os.path.getsize(full) > SIZE_MAX:
            problems["size"].append(f"{path}: {os.path.getsize(full)} bytes")
            continue
        with open(full, "rb") as f:
            data = f.read()
        if b"\0" in data:
            continue
        text = data.decode("utf-8", errors="replace")
        for n, line in enumerate(text.split("\n"), 1):
            where = f"{path}:{n}: "
            for rule, regex in (("registry", REGISTRY), ("machine", MACHINE), ("unfinished", UNFINISHED)):
                match = regex.search(line)
                if match and not (is_lock and rule == "unfinished"):
                    problems[rule].append(where + match.group(0))
            if TRAILING.search(line) and not is_input:
                problems["blank"].append(where + "trailing white space")
        if text and not is_input and (not text.endswith("\n") or text.endswith("\n\n")):
            problems["end"].append(path)
    return problems


def self_test():
    tap = Tap()
    good = {t: "fine\n" for t in TOP if t not in ("src", "docs", "tests")}
    good.update({"src/a.c": "int a; /* /usr/bin, ~/x, https://gloss.example */\n", "docs/A.md": "A\n",
                 "tests/golden/c/crlf.c": "int a;\r\nint b; ", "tests/fuzz/corpus/wire/a": "a: 1\r\n\r\n{}"})
    planted = [
        ("a foreign folder", "extra/a.txt", "x\n", "top"),
        ("a registry's host", "docs/B.md", "see https://registry.npm" "js.org/x\n", "registry"),
        ("a machine's path", "src/b.c", "// /hom" "e/somebody/src\n", "machine"),
        ("a note to self", "src/b.c", "// TO" "DO: more\n", "unfinished"),
        ("trailing blanks", "src/b.c", "int b; \n", "blank"),
        ("a carriage return", "src/b.c", "int b;\r\n", "blank"),
        ("no newline at the end", "src/b.c", "int b;", "end"),
        ("blanks beside the golden files", "tests/goldens.c", "int b; \n", "blank"),
        ("a big file", "src/b.c", "x" * SIZE_MAX + "y\n", "size"),
    ]

    def run(extra, without=None):
        with tempfile.TemporaryDirectory(prefix="tree-") as root:
            for path, text in {**good, **extra}.items():
                if path == without:
                    continue
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8", newline="") as f:
                    f.write(text)
            return lint(root)

    tap.point("the clean tree passes", [p for ps in run({}).values() for p in ps])
    for what, path, text, rule in planted:
        found = run({path: text})
        problems = [] if any(path.split("/")[0] in p for p in found[rule]) else [f"not caught: {found}"]
        problems += [f"also caught by {r}: {ps}" for r, ps in found.items() if ps and r != rule]
        tap.point(f"caught by {rule}: {what}", problems)
    tap.point("caught by top: a missing file", [] if run({}, "LICENSE")["top"] else ["not caught"])
    tap.finish()


def main(args):
    if args == ["--self-test"]:
        self_test()
    if len(args) != 1:
        sys.exit(__doc__)
    problems = lint(args[0])
    tap = Tap()
    for rule in RULES:
        tap.point(TITLES[rule], problems[rule])
    tap.finish()


main(sys.argv[1:])
