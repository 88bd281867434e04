"""The editors start gloss for every programming language that it knows, and Neovim's help says what its defaults are.

usage: editors.py ROOT
"""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Tap  # noqa: E402

# Texts and data: a file of them starts nothing.
NOT_ALONE = {"css", "html", "json", "makefile", "markdown", "toml", "yaml"}
# Where Neovim's filetype is not the language's id.
FILETYPES = {"csharp": "cs", "cuda-cpp": "cuda", "objective-c": "objc", "objective-cpp": "objcpp",
             "ocaml.interface": "ocaml", "shellscript": "sh"}
SHELLS = {"bash", "zsh"}  # filetypes of their own, all of them shellscript


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def strings_of(text, name):
    """Of a list in Lua."""
    found = re.search(r"\b" + name + r" = \{([^{}]*)\}", text)
    return re.findall(r"'([^']*)'", found.group(1)) if found else []


def main():
    root = sys.argv[1]
    tap = Tap()
    rows = json.loads(read(root, "grammars/languages.json"))
    known = {i for row in rows for i in row["extensions"].values()} - NOT_ALONE
    events = json.loads(read(root, "vscode-ext/package.json"))["activationEvents"]
    started = {e.removeprefix("onLanguage:") for e in events}
    tap.point("VS Code starts for each language", sorted(known ^ started))
    config, doc = read(root, "nvim/lua/gloss/config.lua"), read(root, "nvim/doc/gloss.txt")
    started = set(strings_of(config, "filetypes"))
    wanted = {FILETYPES.get(i, i) for i in known} | SHELLS
    tap.point("Neovim starts for each language", sorted(wanted ^ started))
    for name in ("filetypes", "root_markers"):
        lists = strings_of(config, name), strings_of(doc, name)
        tap.point(f"Neovim's help: {name}", [] if lists[0] and lists[0] == lists[1] else lists)
    tap.finish()


main()
