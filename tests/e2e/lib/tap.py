"""Test cases that print TAP. A case is a function that gets a House of its own (house.py); it fails
when it raises, and also when it leaves a process behind."""
import os
import sys
import traceback

from house import House

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from traffic import TRAFFIC  # noqa: E402

cases = []


class Skip(Exception):
    """The machine lacks what the case needs; the message says what."""


def case(name):
    """Registers a function under the name that is printed."""
    def register(function):
        cases.append((name, function))
        return function
    return register


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def run_case(function):
    """Problems as lines; a Skip passes through."""
    problems = []
    house = House()
    try:
        function(house)
    except Skip:
        house.close()
        raise
    except Exception:  # noqa: BLE001: whatever it was, it is this case's failure
        problems = traceback.format_exc().rstrip().split("\n")
        problems += house.story()
    problems += [f"at the end: {line}" for line in house.close()]
    return problems


def main():
    """Runs all cases, or those whose name holds the argument."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [(n, f) for n, f in cases if wanted in n]
    failed = 0
    if "GLOSS_BIN" not in os.environ:
        sys.exit("GLOSS_BIN names the program to test")
    for number, (name, function) in enumerate(chosen, 1):
        try:
            problems = run_case(function)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
            continue
        failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for line in problems:
            for part in line.split("\n"):
                print(f"# {part}")
        sys.stdout.flush()
    count = len(chosen)
    if TRAFFIC.is_kept and TRAFFIC.has_any:
        count += 1
        failed += TRAFFIC.point(count)
    print(f"1..{count}", flush=True)
    sys.exit(1 if failed else 0)
