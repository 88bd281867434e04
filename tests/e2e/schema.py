"""docs/SCHEMA.md against a real index: every example runs and gives rows, and every column that is
named is there."""
import os
import re
import shlex
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import trees  # noqa: E402
from tap import case, equal, main  # noqa: E402

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "SCHEMA.md")
BOOT_C = """\
#include <stdio.h>

int
start(void)
{
    puts("a");
    return main() + puts("b");
}
"""
# What the words of a heading promise beyond rows: checked against the tree below.
PROMISES = {
    "the largest functions": lambda rows: [r[2] for r in rows] == sorted((r[2] for r in rows), reverse=True),
    "who calls it": lambda rows: rows == [("c:fn:boot.c#start", 6)],
    "what is called most and defined nowhere in this tree": lambda rows: rows[0] == ("puts", 2),
    "what was added, by event": lambda rows: ("c:fn:boot.c#start" in [r[1] for r in rows] and
                                              [r[0] for r in rows] == sorted(r[0] for r in rows)),
}


def read_doc():
    with open(DOC, encoding="utf-8") as f:
        return f.read()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", read_doc(), re.S | re.M)


def open_index(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.execute("PRAGMA query_only=1")
    return db


def make_index(house):
    trees.write_mixed(house)
    house.write("boot.c", BOOT_C)
    path = os.path.join(house.dir, "index.db")
    house.index("--db", path)
    with sqlite3.connect(path) as db:  # nothing runs that holds it
        db.execute("INSERT INTO dead_letter VALUES(1,'put_file','lost.c','No space left on device',1,'{}')")
    db.close()
    return path


def examples():
    """(heading, statement) of each."""
    found = []
    for block in blocks("sql"):
        for part in re.split(r"^-- ", block, flags=re.M)[1:]:
            heading, _, statement = part.partition("\n")
            found.append((heading.strip(), statement.strip()))
    return found


@case("every example of docs/SCHEMA.md runs and gives what it says")
def _(house):
    path = make_index(house)
    db = open_index(path)
    done = set()
    for heading, statement in examples():
        assert sqlite3.complete_statement(statement), f"{heading}: one statement, please: {statement}"
        rows = db.execute(statement).fetchall()
        assert rows, f"{heading}: no rows"
        if heading in PROMISES:
            assert PROMISES[heading](rows), f"{heading}: {rows}"
            done.add(heading)
    assert len(examples()) >= 7, "examples were lost"
    equal(done, set(PROMISES), "headings")
    db.close()


@case("the command line of docs/SCHEMA.md works as it stands")
def _(house):
    path = make_index(house)
    (line,) = [l for block in blocks("sh") for l in block.splitlines() if l.startswith("sqlite3 ")]
    args = shlex.split(line)
    done = subprocess.run(args, cwd=os.path.dirname(path), capture_output=True, text=True, check=False)
    equal((done.returncode, done.stderr), (0, ""))
    assert "c:fn:src/main.c#main|" in done.stdout, done.stdout


@case("the views have the columns that are named, and the file says what it is")
def _(house):
    db = open_index(make_index(house))
    text = read_doc()
    told = re.findall(r"^\*\*(v_\w+)\*\*: (.*)$", text, re.M)
    views = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='view'")}
    equal({name for name, _ in told}, {v for v in views if v.startswith("v_")}, "views")
    for name, line in told:
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({name})")]
        equal(re.findall(r"`(\w+)`", line.split(". ")[0]), columns, name)
    version = int(re.search(r"`PRAGMA user_version` \| (\d+)", text).group(1))
    equal(db.execute("PRAGMA user_version").fetchone(), (version,), "user_version")
    number = int(re.search(r"`PRAGMA application_id` \| (0x[0-9a-f]+)", text).group(1), 16)
    equal(db.execute("PRAGMA application_id").fetchone(), (number,), "application_id")
    tables = {name for (name,) in db.execute(
        "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'")}
    listed = set(re.findall(r"^\| `(\w+)` \|", text.split("## Tables")[1], re.M)) | {"meta"}
    equal(tables, listed, "tables")
    db.close()


main()
