"""docs/CLI.md is what the commands' own help says, the table of docs/CONFIG.md what `gloss doctor --settings` does.

usage: cli_docs.py GLOSS ROOT [--write]
"""
import json
import os
import subprocess
import sys

BEGIN, END = "<!-- made by tests/lint/cli_docs.py --write -->\n", "<!-- end -->\n"


def said(gloss, *args):
    """By a program that nobody has set anything for."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GLOSS_")}
    env["XDG_CONFIG_HOME"] = os.devnull
    return subprocess.run([gloss, *args], capture_output=True, text=True, check=True, env=env).stdout.rstrip()


def commands_page(gloss, _text):
    top = said(gloss, "--help")
    names = [line.split()[0] for line in top.splitlines() if line.startswith("  ")]
    parts = ["# Commands", "", "Made from the commands' own help by `tests/lint/cli_docs.py --write`.", "",
             "```", top, "```"]
    for name in names:
        parts += ["", f"## gloss {name}", "", "```", said(gloss, name, "--help"), "```"]
    return "\n".join(parts) + "\n"


def setting_row(s):
    limits = s["limits"]
    if limits.startswith("docs/"):
        page = limits.removeprefix("docs/")
        limits = f"[{page}]({page})"
    names = ", ".join(f"`{n}`" for n in (s["option"], s["variable"]) if n)
    return (f"| `{s['name']}`{' *' if s['of_a_workspace'] else ''} | {s['default'] or ''} | {limits} | {names} | "
            f"{s['what']} |\n")


def settings_page(gloss, text):
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    rows = json.loads(said(gloss, "doctor", "--settings", "--json"))["settings"]
    table = "| setting | default | may be | option, variable | what |\n|---|---|---|---|---|\n"
    return before + BEGIN + table + "".join(map(setting_row, rows)) + END + after


def main():
    gloss, root = sys.argv[1:3]
    pages = (("CLI.md", commands_page, "the help"), ("CONFIG.md", settings_page, "gloss doctor --settings"))
    print(f"1..{len(pages)}")
    failed = False
    for number, (name, page, source) in enumerate(pages, 1):
        path = os.path.join(root, "docs", name)
        with open(path, encoding="utf-8") as f:
            there = f.read()
        text = page(gloss, there)
        if "--write" in sys.argv:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            there = text
        failed |= there != text
        print(("ok" if there == text else "not ok") + f" {number} - docs/{name} is what {source} says")
    sys.exit(failed)


main()
