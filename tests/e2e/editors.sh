# What the tests in real editors have in common; sourced by nvim/run.sh and vscode/run.sh.
# Gives $gloss, $work (removed at the end), and the functions below.
# shellcheck shell=bash

count=0
failed=0

bail() {
    echo "Bail out! $*"
    exit 1
}

point() { # ok|"not ok" NAME
    count=$((count + 1))
    [ "$1" = ok ] || failed=$((failed + 1))
    echo "$1 $count - $2"
}

# The test points of another program, numbered anew. Fails when its plan is not kept.
relay() { # PREFIX FILE
    local planned=none seen=0 line
    while IFS= read -r line; do
        case $line in
        "ok "* | "not ok "*)
            seen=$((seen + 1))
            point "${line%% [0-9]*}" "$1: ${line#* - }"
            ;;
        1..*) planned=${line#1..} ;;
        "#"*) echo "$line" ;;
        esac
    done < "$2"
    [ "$planned" = "$seen" ]
}

# Pids of all processes that were started with this test's folders in their environment.
ours() {
    local environ
    for environ in /proc/[0-9]*/environ; do
        if grep -qsaF "XDG_RUNTIME_DIR=$work/" "$environ"; then
            environ=${environ#/proc/}
            echo "${environ%/environ}"
        fi
    done
}

nothing_left() { # NAME PIDS…
    local name=$1 pid left="" end=$((SECONDS + 10))
    shift
    for pid in "$@" $(ours); do
        timeout $((end > SECONDS ? end - SECONDS : 1)) \
            tail --pid="$pid" -s 0.05 -f /dev/null || true
    done
    for pid in "$@" $(ours); do
        if [ -d "/proc/$pid" ]; then
            left+=" $pid ($(tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" || true))"
        fi
    done
    if [ -z "$left" ]; then
        point ok "$name: no process is left"
    else
        point "not ok" "$name: no process is left"
        echo "# left:$left"
    fi
}

# Run with everything that gloss and the editor keep inside $work/NAME. The index is shared
# by all names unless $state says otherwise.
sandbox() { # NAME COMMAND…
    local name=$1
    shift
    mkdir -p "$work/$name/run" "$work/$name/home"
    chmod 700 "$work/$name/run"
    env -u GLOSS_CACHE -u GLOSS_BIN \
        HOME="$work/$name/home" XDG_RUNTIME_DIR="$work/$name/run" \
        XDG_STATE_HOME="${state:-$work/state}" XDG_CONFIG_HOME="$work/$name/config" \
        XDG_CACHE_HOME="$work/$name/cache" XDG_DATA_HOME="$work/$name/data" \
        GLOSS_ENGINE_IDLE_EXIT_S=1 "$@"
}

cleanup() {
    local pid
    for pid in $(ours); do
        kill -9 "$pid" 2> /dev/null || true
    done
    rm -rf "$work"
}

make_project() {
    mkdir -p "$1/src"
    cat > "$1/src/server.h" << 'END'
#ifndef SERVER_H
#define SERVER_H

typedef int reply_t;

struct client {
    int argc;
    char **argv;
};

struct command {
    const char *name;
    int arity;
};

struct command *lookupCommand(struct client *c);
reply_t processCommand(struct client *c);

#endif
END
    cat > "$1/src/server.c" << 'END'
#include "server.h"

static struct command table[] = {
    {"get", 2},
    {"set", 3},
};

/* Finds the command that the client names. */
struct command *
lookupCommand(struct client *c)
{
    return c->argc > 0 ? &table[0] : 0;
}

/* Runs the command that the client sent. */
reply_t processCommand(struct client *c)
{
    struct command *cmd = lookupCommand(c);

    return cmd && cmd->arity == c->argc ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct client c = {argc, argv};

    return processCommand(&c);
}
END
    cat > "$1/compile_commands.json" << END
[{"directory": "$1/src", "file": "server.c", "arguments": ["cc", "-c", "server.c"]}]
END
}

[ -n "${GLOSS_BIN:-}" ] || bail "GLOSS_BIN names no program"
gloss=$(realpath -e "$GLOSS_BIN") || bail "GLOSS_BIN: $GLOSS_BIN is missing"
command -v clangd > /dev/null || bail "clangd is missing"
# Short, because the path of a socket has its limit.
work=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/gloss-ed.XXXXXX")")
trap cleanup EXIT
