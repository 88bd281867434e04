#!/bin/bash
# The plugin in real Neovims: 0.12 (Debian sid) and 0.10 (Debian trixie), and one that is too
# old (bookworm). Prints TAP.
#   GLOSS_BIN       the program (needed)
#   GLOSS_E2E_TREE  a real tree with src/server.c and a compile database, for example Redis;
#                   without it a small project is made. Nothing is written into the tree.
#   GLOSS_CACHE     where the Neovims lie (see get_nvim.sh)
# The index is made once with clangd; the editors then run without it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
plugin=$(cd "$here/../../../nvim" && pwd -P)
# shellcheck source=../editors.sh
. "$here/../editors.sh"

if [ -n "${GLOSS_E2E_TREE:-}" ]; then
    project=$(realpath -e "$GLOSS_E2E_TREE") || bail "GLOSS_E2E_TREE is missing"
    [ -e "$project/src/server.c" ] || bail "$project/src/server.c is missing"
    type=${GLOSS_E2E_TYPE:-'→ `int`'}
    export GLOSS_E2E_ROOT_DIR=$project
else
    project=$work/project
    make_project "$project"
    type='→ `reply_t`'
fi

get() { # SUITE VERSION: sets $nvim
    nvim=$("$here/../get_nvim.sh" "$1") || bail "no Neovim of Debian $1"
    local version
    version=$("$nvim" --version | head -n 1)
    echo "# $version"
    case $version in
    "NVIM v$2."*) ;;
    *) bail "Debian $1 has $version, $2 is wanted" ;;
    esac
}

if sandbox index timeout 600 "$gloss" index --enrich --json "$project" \
    > "$work/index.json" 2> "$work/index.err"; then
    point ok "the project is indexed with clangd"
else
    point "not ok" "the project is indexed with clangd"
    sed 's/^/# /' "$work/index.err"
fi
nothing_left index

timeout=$(command -v timeout)
mkdir "$work/bin"
ln -s "$gloss" "$work/bin/gloss"
for suite in sid:0.12 trixie:0.10; do
    get "${suite%:*}" "${suite#*:}"
    name=nvim-${suite#*:}
    status=0
    sandbox "$name" PATH="$work/bin" \
        GLOSS_E2E_PLUGIN="$plugin" GLOSS_E2E_ROOT="$project" GLOSS_E2E_TYPE="$type" \
        GLOSS_E2E_PIDS="$work/$name.pids" \
        "$timeout" -k 5 120 "$nvim" --clean --headless -l "$here/session.lua" \
        > "$work/$name.out" 2> "$work/$name.err" || status=$?
    if relay "$name" "$work/$name.out" && [ "$status" -le 1 ]; then
        point ok "$name: the session ran to its end"
    else
        point "not ok" "$name: the session ran to its end"
        echo "# it ended with $status"
        tail -n 30 "$work/$name.err" | sed 's/^/# /'
        tail -n 10 "$work/state/nvim/lsp.log" 2> /dev/null | sed 's/^/# /' || true
    fi
    pids=()
    [ ! -e "$work/$name.pids" ] || mapfile -t pids < "$work/$name.pids"
    nothing_left "$name" "${pids[@]}"
done

get bookworm 0.7
sandbox nvim-0.7 "$timeout" 20 "$nvim" --clean --headless \
    -c "set runtimepath^=$plugin" -c 'runtime plugin/gloss.lua' -c "edit $project/src/server.c" \
    -c 'qall!' > "$work/old.out" 2>&1 && old_status=0 || old_status=$?
if [ "$old_status" = 0 ] && [ "$(tr -d '\r\n' < "$work/old.out")" = \
    "gloss needs Neovim 0.10 or newer" ]; then
    point ok "nvim-0.7: one clear message and nothing else"
else
    point "not ok" "nvim-0.7: one clear message and nothing else"
    sed 's/^/# /' "$work/old.out"
fi

echo "1..$count"
exit $((failed > 0))
