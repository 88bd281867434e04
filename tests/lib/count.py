"""Counts a meson testlog.json: "PASSED FAILED" in test cases where a test speaks TAP, else in tests."""
import json
import re
import sys

passed = failed = 0
try:
    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
except FileNotFoundError:
    lines = []
for line in lines:
    test = json.loads(line)
    out = test.get("stdout") or ""
    good = len(re.findall(r"^ok \d+", out, re.M))
    bad = len(re.findall(r"^not ok \d+", out, re.M))
    if test["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
        passed += max(good, 1)
        failed += bad
    else:
        passed += good
        failed += max(bad, 1)
if not lines:
    failed = 1
print(passed, failed)
