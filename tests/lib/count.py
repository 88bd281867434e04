"""Counts a meson testlog.json: "PASSED FAILED" in test cases where a test speaks TAP, else in tests."""
import json
import re
import sys



def explain(out):
    """The failed points with their diagnostics; the last lines where the test ended early."""
    lines = out.splitlines()
    told = []
    for i, line in enumerate(lines):
        if line.startswith(("not ok", "Bail out!")):
            before = [l for l in lines[max(0, i - 12) : i] if l.startswith("#")]
            after = lines[i + 1 : i + 40]
            told += before + [line] + [l for l in after[: next((n for n, l in enumerate(after) if not l.startswith("#")), len(after))]]
    return "\n".join(told or lines[-30:])


passed = failed = 0
try:
    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
except FileNotFoundError:
    lines = []
for line in lines:
    test = json.loads(line)
    out = test.get("stdout") or ""
    out = re.sub(r"^(not )?ok \d+ # SKIP.*$", "", out, flags=re.M)  # cmocka's way to skip
    good = len(re.findall(r"^ok \d+(?!.*# SKIP)", out, re.M))
    bad = len(re.findall(r"^not ok \d+", out, re.M))
    if test["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
        passed += max(good, 1)
        failed += bad
    else:
        passed += good
        failed += max(bad, 1)
        # What a TAP test says of its failures is on its stdout, which meson's summary leaves out.
        print(f"== {test['name']} ({test['result']})\n{explain(out)}", file=sys.stderr)
if not lines:
    failed = 1
print(passed, failed)
