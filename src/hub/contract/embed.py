#!/usr/bin/env python3
"""Puts the documents of the contract into the program that serves them.

embed.py OUTPUT FOLDER FILE…    writes contract_documents.c: each file, without its white space, under its
                                path in the folder, sorted
"""
import json
import os
import sys

LINE = 100


def unique(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a member twice: {sorted(n for n in names if names.count(n) > 1)[0]}")
    return dict(pairs)


def literals(text):
    """Of C; cut into lines, so that a person can look at it."""
    data = text.encode("ascii")
    for at in range(0, len(data), LINE):
        line = data[at:at + LINE].decode("ascii")
        yield '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '"'


def main():
    output, folder, *files = sys.argv[1:]
    rows = []
    for path in files:
        with open(path, encoding="utf-8") as f:
            try:
                document = json.load(f, object_pairs_hook=unique)
            except ValueError as why:
                sys.exit(f"{path}: {why}")
        rows.append((os.path.relpath(path, folder), json.dumps(document, separators=(",", ":"))))
    lines = ['#include "hub/contract.h"', "", "const struct contract_document contract_documents[] = {"]
    for name, text in sorted(rows):
        lines.append(f'    {{"{name}",')
        lines += ["     " + line for line in literals(text)]
        lines[-1] += f",\n     {len(text)}}},"
    lines += ["    {NULL, NULL, 0},", "};"]
    with open(output, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
