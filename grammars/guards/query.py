"""The runtime's query.c without its analysis: query.py QUERY_C OUTPUT.

When a query is made, the runtime walks the grammar to learn which steps cannot fail once they are
reached; it takes ten times as long as all the rest, up to 0.2 s for a language, and saves a copy of a
few bytes now and then. Where that walk reaches its limit, every step may fail, which is always right.
Here the limit is 0, and what the walk would go by, a graph of the whole parse table, is not made: that
alone takes 35 times as long as reading the query. What else the walk finds, patterns that can never match,
is for a test to find (tests/queries), which has the runtime as it is."""
import pathlib
import sys

source, output = map(pathlib.Path, sys.argv[1:])
text = source.read_text(encoding="utf-8")


def replace(begin, end, by):
    """What stands from the words begin to just before the words end."""
    global text
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) <= text.index(begin):
        sys.exit(f"{source}: not where it was: {begin!r} … {end!r}; see {sys.argv[0]}")
    text = text[:text.index(begin)] + by + text[text.index(end):]


replace("#define MAX_ANALYSIS_ITERATION_COUNT 256\n", "\n/*\n * Stream",
        "#define MAX_ANALYSIS_ITERATION_COUNT 0\n")
replace("  // For every parent symbol in the query, initialize", "  // For each non-terminal pattern, determine", """\
  AnalysisSubgraphArray subgraphs = array_new();
  StatePredecessorMap predecessor_map = {0};
  Array(AnalysisSubgraphNode) next_nodes = array_new();

""")
replace("    // Find the subgraph that corresponds to this pattern's root symbol.",
        "    // If this pattern could not be fully analyzed", "    analysis.did_abort = true;\n\n")
output.write_text(text, encoding="utf-8")
