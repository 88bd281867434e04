"""What ctags finds and gloss does not, language by language, on real code. Only what both call a
definition counts: functions, methods, classes and their kin; by file and name."""
import json
import pathlib
import shutil
import subprocess

import trees
from index import Bench, row

# language of ctags, its kinds that count, source package (and folder in it), suffixes
LANGUAGES = (
    ("C", "fsug", "redis", (".c", ".h")),
    ("C++", "fcsugn", "leveldb", (".cc", ".cpp", ".h")),
    ("ObjectiveC", "icmf", "gnustep-base", (".m",)),
    ("Go", "fsi", "golang-1.19", (".go",)),
    ("Rust", "fsgPn", "rust-ripgrep", (".rs",)),
    ("Java", "cimg", "libgoogle-gson-java", (".java",)),
    ("Kotlin", "cimo", "kotlin", (".kt",)),
    ("C#", "cimsgn", "newtonsoft-json", (".cs",)),
    ("PHP", "cfit", "php-twig", (".php",)),
    ("Ruby", "cmfS", "ruby3.1", (".rb",)),
    ("Python", "cfm", "python3.11", (".py",)),
    ("JavaScript", "fcm", "node-undici", (".js", ".mjs")),
    ("TypeScript", "fcimgn", "node-typescript/src", (".ts",)),
    ("Lua", "f", "lua-penlight", (".lua",)),
    ("Sh", "f", "bash-completion", (".sh", ".bash")),
    ("Elixir", "mfa", "elixir-lang", (".ex", ".exs")),
    ("OCaml", "cmMf", "ocaml-dune", (".ml",)),
)


def of_ctags(name, kinds, folder):
    done = subprocess.run(["ctags", "-R", f"--languages={name}", f"--kinds-{name}={kinds}", "--output-format=json",
                           "-f", "-", "."], cwd=folder, capture_output=True, check=True)
    found = set()
    for line in done.stdout.splitlines():
        tag = json.loads(line.decode("utf-8", "replace"))
        if not tag["name"].startswith("__anon"):
            found.add((tag["path"].removeprefix("./"), tag["name"]))
    return found


def of_gloss(bench, folder):
    bench.gloss(folder)
    done = subprocess.run([bench.gloss_bin, "export", "--db", bench.db, folder], capture_output=True, check=True,
                          env=bench.env)
    found = set()
    for line in done.stdout.splitlines():
        entity = json.loads(line)
        found.add((entity["path"], entity["name"]))
        found.add((entity["path"], entity["qualified_name"].rpartition(".")[2]))
    return found


def only(source, suffixes, target):
    """The files of a language in a folder of their own, without what hides them from either."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.suffix in suffixes and path.is_file() and not any(p.startswith(".") for p in relative.parts):
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / relative)


def compare(bench, name, kinds, package, suffixes, show):
    folder = bench.scratch / "language"
    shutil.rmtree(folder, ignore_errors=True)
    package, _slash, part = package.partition("/")
    only(trees.package(package) / part, suffixes, folder)
    theirs, ours = of_ctags(name, kinds, folder), of_gloss(bench, folder)
    missed = sorted(theirs - ours)
    for path, what in missed[:show]:
        print(f"  {name}: {path}: {what}")
    share = len(missed) / max(1, len(theirs))
    return row(f"{name} ({package}): of {len(theirs)} that ctags finds, missed", f"{len(missed)} = {share:.2%}",
               "≤ 1 %", share <= 0.01)


def measure(options):
    bench = Bench()
    try:
        wanted = [language for language in LANGUAGES if not options.language or language[0] in options.language]
        return [compare(bench, *language, options.show) for language in wanted]
    finally:
        bench.close()
