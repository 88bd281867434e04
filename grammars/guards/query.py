"""The runtime's query.c with a limit of its own: query.py QUERY_C OUTPUT.

When a query is made, the runtime walks the grammar to learn which steps cannot fail once they are
reached; it takes ten times as long as all the rest, up to 0.2 s for a language, and saves a copy of a
few bytes now and then. Where that walk reaches its limit, every step may fail, which is always right.
Here the limit is 0. What else the walk finds, patterns that can never match, is for a test to find
(tests/queries), which has the runtime as it is."""
import pathlib
import sys

LIMIT = "#define MAX_ANALYSIS_ITERATION_COUNT 256\n"

source, output = map(pathlib.Path, sys.argv[1:])
text = source.read_text(encoding="utf-8")
if text.count(LIMIT) != 1:
    sys.exit(f"{source}: the limit is not where it was; see {sys.argv[0]}")
output.write_text(text.replace(LIMIT, "#define MAX_ANALYSIS_ITERATION_COUNT 0\n"), encoding="utf-8")
