"""docs/CLI.md is what the commands' own help says.

usage: cli_docs.py GLOSS ROOT [--write]
"""
import subprocess
import sys


def help_of(gloss, *args):
    return subprocess.run([gloss, *args], capture_output=True, text=True, check=True).stdout.rstrip()


def page(gloss):
    top = help_of(gloss, "--help")
    names = [line.split()[0] for line in top.splitlines() if line.startswith("  ")]
    parts = ["# Commands", "", "Made from the commands' own help by `tests/lint/cli_docs.py --write`.", "",
             "```", top, "```"]
    for name in names:
        parts += ["", f"## gloss {name}", "", "```", help_of(gloss, name, "--help"), "```"]
    return "\n".join(parts) + "\n"


def main():
    gloss, root = sys.argv[1:3]
    path = root + "/docs/CLI.md"
    text = page(gloss)
    if "--write" in sys.argv:
        open(path, "w", encoding="utf-8").write(text)
        return
    same = open(path, encoding="utf-8").read() == text
    print("1..1")
    print(("ok" if same else "not ok") + " 1 - docs/CLI.md is what the help says")
    sys.exit(not same)


main()
