#!/usr/bin/env bash
# What `./dev run` shows: a real tree indexed with the real language servers, a search, a hover, the
# dashboard's address. show.sh BINARY DIR
set -euo pipefail
gloss=$1
dir=$(realpath "$2")

bold=$(printf '\033[1m') plain=$(printf '\033[0m')
[ -t 1 ] || bold='' plain=''
head_line() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
quote() { sed 's/^/    /'; }

was_running=no
"$gloss" status --json | grep -q '"engine":null' || was_running=yes
finish() { [ "$was_running" = yes ] || "$gloss" stop; }
trap finish EXIT

head_line "gloss index --enrich $dir"
"$gloss" index --enrich "$dir" | quote
has_compile_commands() { # in the folder, its build folder, or one above, as clangd looks
    local d=$1
    [ -f "$d/build/compile_commands.json" ] && return
    while [ ! -f "$d/compile_commands.json" ]; do
        [ "$d" != / ] || return 1
        d=$(dirname "$d")
    done
}
if ! has_compile_commands "$dir"; then
    echo "(no compile_commands.json there: clangd guesses how its C is compiled)" | quote
fi

head_line "the same again: nothing changed"
"$gloss" index --enrich "$dir" | quote

# The best of what every tree has: a function whose hover is known.
example=$("$gloss" export --format ndjson "$dir" | python3 -c '
import json, sys
best = None
for line in sys.stdin:
    e = json.loads(line)
    if e["kind"] in ("function", "method", "class") and e["hover"]["state"] == "known":
        rank = (bool(e["doc"]), e["kind"] == "function", len(e["hover"]["markdown"]) < 900, -len(e["name"]))
        if best is None or rank > best[0]:
            best = (rank, e)
if best:
    print(best[1]["name"], best[1]["key"])
')
if [ -n "$example" ]; then
    name=${example%% *} key=${example#* }
    head_line "gloss search $name"
    "$gloss" search "$name" --dir "$dir" --limit 5 | quote
    head_line "gloss show '$key'"
    "$gloss" show "$key" --dir "$dir" | quote
else
    head_line "no hover is known here: \`gloss doctor\` says which language servers are missing"
    "$gloss" doctor | grep '^miss' | quote || true
fi

head_line "gloss dashboard $dir"
"$gloss" dashboard --print "$dir" | quote
"$gloss" index "$dir" >/dev/null # the engine has it now: until it has looked at everything
"$gloss" status | quote
