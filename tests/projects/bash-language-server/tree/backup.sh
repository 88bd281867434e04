#!/usr/bin/env bash
# Copies folders away, by date.
set -euo pipefail
. ./lib/log.sh

TARGET=${TARGET:-/var/backups}
readonly KEEP_DAYS=14
declare -A sizes=()

# Where a folder's copy goes.
place_of() {
    local name
    name=$(basename "$1")
    echo "$TARGET/$name-$(date +%F)"
}

function copy_one {
    local from=$1 to
    to=$(place_of "$from")
    log_info "copying $from"
    cp -a "$from" "$to"
    sizes[$from]=$(du -s "$to" | cut -f1)
}

# Removes what is older than KEEP_DAYS.
forget_old() {
    find "$TARGET" -maxdepth 1 -mtime "+$KEEP_DAYS" -exec rm -r {} +
}

main() {
    for folder in "$@"; do
        copy_one "$folder"
    done
    forget_old
    log_info "done: ${#sizes[@]} folders"
}

main "$@"
