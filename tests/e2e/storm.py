"""Checkout storms: whole folders go and come back quickly while an engine watches; what it holds in the end is
what a fresh index of the same tree holds."""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from house import wait  # noqa: E402
from tap import case, equal, main  # noqa: E402

N_FOLDERS, N_FILES, N_SWITCHES = 30, 20, 8
QUIET = {"GLOSS_ENRICH_ENABLED": "false"}


def git(house, *args):
    subprocess.run(["git", "-C", house.tree, "-c", "user.name=t", "-c", "user.email=t@t", *args], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=house.env)


def fill(house, branch, folders):
    for d in folders:
        for i in range(N_FILES):
            house.write(f"{d}/f{i}.c", f"int {d}_{i}_{branch}(int x)\n{{\n    return x + {i};\n}}\n")
    git(house, "add", "-A")
    git(house, "commit", "-q", "-m", branch)


def two_branches(house):
    """Some folders are in one branch only, the others differ in their text."""
    git(house, "init", "-q", "-b", "one")
    both = [f"both{i}" for i in range(N_FOLDERS)]
    fill(house, "one", both + [f"one{i}" for i in range(N_FOLDERS)])
    git(house, "checkout", "-q", "-b", "two")
    git(house, "rm", "-q", "-r", *[f"one{i}" for i in range(N_FOLDERS)])
    fill(house, "two", both + [f"two{i}" for i in range(N_FOLDERS)])


def rows(house, *args):
    found = house.gloss("export", *args, house.tree).lines()
    return {e["key"]: (e["signature"], json.dumps(e["range"])) for e in found}


@case("ten checkouts in a row under an engine end in a true index")
def _(house):
    two_branches(house)
    house.serve(house.tree, env=QUIET)
    house.wait_ready()
    for round_number in range(3):
        for i in range(N_SWITCHES):
            git(house, "checkout", "-q", ("one", "two")[i % 2])
        house.gloss("index", house.tree, "--db", os.path.join(house.dir, f"fresh{round_number}.db")).ok()
        fresh = rows(house, "--db", os.path.join(house.dir, f"fresh{round_number}.db"))
        equal(len(fresh), 2 * N_FOLDERS * N_FILES)
        wait("the engine's index is the fresh one", lambda f=fresh: rows(house) == f)


@case("a folder that is removed and comes back at once is in the index")
def _(house):
    two_branches(house)
    house.serve(house.tree, env=QUIET)
    house.wait_ready()
    before = rows(house)
    away = os.path.join(house.dir, "away")
    for i in range(10):
        folder = os.path.join(house.tree, f"two{i}")
        os.rename(folder, away)
        os.rename(away, folder)
    house.write("last.c", "int the_last_one;\n")
    wait("the last change is in", lambda: any("the_last_one" in key for key in rows(house)))
    wait("all is there", lambda: {k: v for k, v in rows(house).items() if "the_last_one" not in k} == before)


main()
