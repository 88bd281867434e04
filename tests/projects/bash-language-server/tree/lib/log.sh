# Lines with a time before them.
LOG_LEVEL=${LOG_LEVEL:-info}

log_line() {
    printf '%s %s %s\n' "$(date +%T)" "$1" "$2" >&2
}

log_info() { log_line info "$1"; }

log_debug() {
    [ "$LOG_LEVEL" = debug ] || return 0
    log_line debug "$1"
}

# As always, but it tells where it goes.
cd() {
    builtin cd "$@" || return
    log_debug "in $PWD"
}

# Not without a word about it.
exit() {
    log_line end "${1:-0}"
    builtin exit "$@"
}
