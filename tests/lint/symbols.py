"""No external name is defined by two modules.

symbols.py NM LIBRARY...     the modules' archives; prints TAP
symbols.py NM CC --self-test

A linker takes a name from the first archive that has it and does not look further: two modules that
both define `glob_matches` link without a word, and one of them calls the other's. Within one module
the archive's members all come along, so there the linker itself refuses.
"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

OWN = "TDBRVCW"  # nm's letters of what an object defines for others
MADE_BY_TOOLS = ("__asan", "__odr_asan", "__tsan", "__ubsan", "__gcov", "__llvm", "__sancov")


def defined(nm, archive):
    done = subprocess.run([nm, "--defined-only", "--extern-only", "--format=posix", archive],
                          capture_output=True, text=True, timeout=60, check=True)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) > 1 and words[1] in OWN and not words[0].startswith(MADE_BY_TOOLS):
            yield words[0]


def twice(nm, archives):
    owners = {}
    for archive in archives:
        for name in set(defined(nm, archive)):
            owners.setdefault(name, []).append(os.path.basename(archive))
    count = len(owners)
    return count, [f"{n}: {', '.join(o)}" for n, o in sorted(owners.items()) if len(o) > 1]


def self_test(nm, cc, tap):
    with tempfile.TemporaryDirectory() as folder:
        def archive(name, text):
            source = os.path.join(folder, name + ".c")
            with open(source, "w", encoding="utf-8") as f:
                f.write(text)
            subprocess.run([cc, "-c", source, "-o", source + ".o"], check=True, timeout=60)
            return source + ".o"
        one = archive("one", "int same(void);\nint same(void) { return 1; }\n")
        other = archive("other", "int other(void);\nstatic int same(void) { return 2; }\n"
                                 "int other(void) { return same(); }\n")
        again = archive("again", "int same(char *);\nint same(char *p) { return *p; }\n")
        tap.point("a static name is nobody else's", twice(nm, [one, other])[1])
        found = twice(nm, [one, other, again])[1]
        tap.point("a name of two modules is told",
                  [] if found == ["same: one.c.o, again.c.o"] else [str(found)])


def main():
    tap = Tap()
    if sys.argv[3:] == ["--self-test"]:
        self_test(sys.argv[1], sys.argv[2], tap)
    else:
        count, problems = twice(sys.argv[1], sys.argv[2:])
        if count == 0:
            problems = ["no names at all: nothing was looked at"]
        tap.point("no external name is defined by two modules", problems, [f"{count} names"])
    tap.finish()


main()
