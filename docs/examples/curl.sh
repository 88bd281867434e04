#!/bin/sh
# The engine with nothing but curl: what is open, a search, an entity.
#   curl.sh WORDS [WORKSPACE]    its id; without it the first that is open
# Needs curl and jq.
set -eu
words=$1
engine=${XDG_RUNTIME_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}}/gloss/engine.json
base=http://127.0.0.1:$(jq -r .port "$engine")
token=$(jq -r .token "$engine")

get() { # ADDRESS [OPTIONS…]
    address=$1
    shift
    # Not as an argument: those of a process are for every user of the machine to see.
    printf 'Authorization: Bearer %s\n' "$token" |
        curl --silent --show-error --fail-with-body --header @- "$@" "$base$address"
}

workspace=${2:-$(get /v1/workspaces | jq -r '.workspaces[0].id')}
here=/v1/workspaces/$workspace

echo "search:"
found=$(get "$here/search" --get --data-urlencode "q=$words" --data limit=5)
echo "$found" | jq -r '.results[] | "  \(.kind) \(.name) at \(.path):\(.range.start.line + 1)"'

key=$(echo "$found" | jq -r '.results[0].key // empty')
if [ -n "$key" ]; then
    echo "entity:"
    get "$here/entities/$(jq -rn --arg key "$key" '$key | @uri')" | jq '.entity | {key, signature, doc, hover}'
fi
