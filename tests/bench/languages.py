"""What ctags finds and gloss does not, language by language, on real code. Only what both call a
definition counts: functions, methods, classes and their kin; by file and name."""
import collections
import json
import pathlib
import re
import shutil
import subprocess

import trees
from index import ROOT, Bench, row

CLASSES_MAX = 4
SHARE_MAX = 0.01

# language of ctags, its kinds that count, source package (and folder in it; "installed:" takes the files that a
# package installs), suffixes or names
LANGUAGES = (
    ("C", "fsug", "redis", (".c", ".h")),
    ("C++", "fcsugn", "leveldb", (".cc", ".cpp", ".h")),
    ("ObjectiveC", "icmf", "gnustep-base", (".m",)),
    ("Go", "fsi", "golang-1.19", (".go",)),
    ("Rust", "fsgPn", "rust-ripgrep", (".rs",)),
    ("Java", "cimg", "jsoup", (".java",)),
    ("Kotlin", "cimo", "kotlin/libraries/stdlib", (".kt",)),
    ("C#", "cimsgn", "dbus-sharp", (".cs",)),
    ("PHP", "cfit", "php-twig", (".php",)),
    ("Ruby", "cmfS", "ruby3.1/lib", (".rb",)),
    ("Python", "cfm", "python3.11", (".py",)),
    ("JavaScript", "fcm", "installed:node-undici", (".js", ".mjs")),
    ("TypeScript", "fcimgn", "node-typescript/src", (".ts",)),
    ("Lua", "f", "installed:lua-penlight", (".lua",)),
    ("Sh", "f", "linux-source-6.1/tools", (".sh",)),
    ("Elixir", "mfa", "elixir-lang", (".ex", ".exs")),
    ("OCaml", "cmMf", "ocaml-dune", (".ml",)),
    ("CSS", "csi", "installed:libjs-bootstrap5", (".css",)),
    ("SQL", "fpPtTV", "installed:postgresql-15", (".sql",)),
    ("Make", "mt", "linux-source-6.1", ("Makefile", "Kbuild")),
)


# Where ctags finds what the language does not say: innermost nodes that are text, and names it makes up.
TEXT = ("string", "comment", "heredoc", "quoted_content", "charlist", "sigil", "regex", "template")
MADE_UP = re.compile(r"(__anon|Anonymous(Class|Function))[0-9a-f]*|anonymousFunction\w*|<\w+>")
# What ctags takes for one: language and kind → what a line with a real one has, what it is.
NO_DEFINITION = {
    ("JavaScript", "class"): (r"\bclass\b|\bfunction\b|=>|prototype", "an object that is no class"),
    ("Kotlin", "method"): (r"\bfun\b|\bconstructor\b", "a name before a lambda"),
    ("Lua", "function"): (r"\bfunction\s+[\w.:]+\s*\(|[\w\]]\s*=\s*function\s*\(", "the value of a call, no function"),
    ("ObjectiveC", "function"): (r"^(?!\s*[-+]).*[^;\s]\s*$", "a prototype, or a method by half of its name"),
    ("OCaml", "module"): (r"(?<!\()\bmodule\s+(rec\s+|type\s+)?[A-Z]", "a module that is used"),
    ("OCaml", "function"): (r"(let|and|external|method|val)\s+(?!open\b|_\b)(rec\s+|%\w+\s+|\w+\s+)*\(?[a-z_+*/<>=!|&@^.:$%-]",
                            "an expression without a name"),
}
PARAMETERS = ("lambda_parameters",) # a definition's own line may hold such a name, too
MAX_FILE_BYTES = str(16 << 20)


def of_ctags(name, kinds, folder):
    """(path, name) → (line, kind)"""
    done = subprocess.run(["ctags", "-R", f"--languages={name}", f"--kinds-{name}={kinds}", "--output-format=json",
                           "--fields=+nK", "-f", "-", "."], cwd=folder, capture_output=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        tag = json.loads(line.decode("utf-8", "replace"))
        if not MADE_UP.match(tag["name"]):
            found.setdefault((tag["path"].removeprefix("./"), tag["name"]), (tag["line"], tag["kind"]))
    return found


def of_gloss(bench, folder):
    bench.env["GLOSS_INDEX_MAX_FILE_BYTES"] = MAX_FILE_BYTES
    bench.gloss(folder)
    done = subprocess.run([bench.gloss_bin, "export", "--db", bench.db, folder], capture_output=True, check=True,
                          env=bench.env)
    found = set()
    for line in done.stdout.splitlines():
        entity = json.loads(line)
        if "name" not in entity: # an edge
            continue
        found.add((entity["path"], entity["name"]))
        found.add((entity["path"], entity["qualified_name"].rpartition(".")[2]))
        found.add((entity["path"], entity["qualified_name"]))
    return found


def has(ours, path, name):
    """Lua's a.b, a:b and a["b"], Ruby's A::B and self.b: ctags gives the whole, gloss the parts."""
    last = [part.strip() for part in re.split(r"""[.:\[\]"']+""", name) if part][-1:]
    return (path, name) in ours or (path, *last) in ours


def around(folder, missed):
    """The nodes around each, the innermost first."""
    lines = "".join(f"{folder / path}\t{line}\t{name}\n" for (path, name), (line, _kind) in missed)
    done = subprocess.run([ROOT / "build" / "tests" / "bench" / "bench_where"], input=lines.encode(),
                          capture_output=True, check=True)
    return [line.split() for line in done.stdout.decode().split("\n")[:len(missed)]]


def line_of(path, number):
    with open(path, encoding="utf-8", errors="replace") as f:
        return next((text for i, text in enumerate(f, 1) if i == number), "")


def class_of(name, tag, nodes, line):
    """What the miss is; and whether it is none of gloss'."""
    (path, what), (number, kind) = tag
    if kind == "module" and number == 1 and pathlib.Path(path).stem.lower() == what.lower():
        return "the file itself", True
    if any(word in node for node in nodes for word in TEXT):
        return "in text", True
    has, what = NO_DEFINITION.get((name, kind), ("", ""))
    if has and (not re.search(has, line) or any(node in PARAMETERS for node in nodes[:3])):
        return what, True
    if name == "ObjectiveC" and kind == "function" and "method_definition" in nodes[1:3]:
        return NO_DEFINITION[name, kind][1], True # a part of its selector, on a line of its own
    if "ERROR" in nodes:
        return f"{kind} in code that does not parse", False
    return f"{kind} at {' < '.join(nodes[:3])}", False


def only(source, suffixes, target):
    """The files of a language in a folder of their own, without what hides them from either."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if (path.suffix in suffixes or path.name in suffixes) and path.is_file() and not any(p.startswith(".") for p in relative.parts):
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / relative)


def compare(bench, name, kinds, package, suffixes, show):
    folder = bench.scratch / "language"
    shutil.rmtree(folder, ignore_errors=True)
    package, _slash, part = package.partition("/")
    is_binary = package.startswith("installed:")
    package = package.removeprefix("installed:")
    only(trees.package(package, is_binary) / part, suffixes, folder)
    theirs, ours = of_ctags(name, kinds, folder), of_gloss(bench, folder)
    missed = sorted(item for item in theirs.items() if not has(ours, *item[0]))
    classes, others = collections.Counter(), collections.Counter()
    for tag, nodes in zip(missed, around(folder, missed)):
        (path, what), (line, _kind) = tag
        which, is_none = class_of(name, tag, nodes, line_of(folder / path, line))
        (others if is_none else classes)[which] += 1
        if (others if is_none else classes)[which] <= show:
            print(f"  {name}: {path}:{line}: {what}: {which}")
    n_theirs, n_missed = len(theirs) - others.total(), classes.total()
    share = n_missed / max(1, n_theirs)
    why = "; ".join(f"{n} {which}" for which, n in classes.most_common(CLASSES_MAX))
    none = "; ".join(f"{n} {which}" for which, n in others.most_common())
    return row(f"{name} ({package}): of {n_theirs:,} that ctags finds, missed",
               f"{n_missed} = {share:.2%}" + (f" ({why})" if why else "") + (f". Not counted: {none}" if none else ""),
               "≤ 1 %", share <= SHARE_MAX), name, share


def measure(options):
    bench = Bench()
    try:
        wanted = [language for language in LANGUAGES if not options.language or language[0] in options.language]
        results = [compare(bench, *language, options.show) for language in wanted]
        above = [f"{name} {share:.2%}" for _row, name, share in results if share > SHARE_MAX]
        value = f"{len(results) - len(above)} of {len(results)} languages" + (f"; not {', '.join(above)}" if above else "")
        total = row("of what ctags finds, at most 1 % missed", value, "all", not above, must=not options.language)
        return [total, *(found for found, _name, _share in results)]
    finally:
        bench.close()
