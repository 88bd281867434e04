#!/usr/bin/env bash
# Deploys a release to the hosts of a group. The comment of the file is nobody's doc.

set -euo pipefail

readonly VERSION="2.4.1" RELEASES=/srv/releases
declare -r MAX_TRIES=5
declare -rx LOCALE
declare -a hosts=()
declare -A ports=([web]=80 [db]=5432)
typeset -i tries
export PATH="$RELEASES/bin:$PATH"
export EDITOR

# Where the logs go.
LOG_DIR=${LOG_DIR:-/var/log/deploy} # behind, not a doc: one stands above
verbose=0 # how much to say
verbose=1
DEBUG=1 FORCE=0 # two at once
LANG=C sort /dev/null

source "$(dirname "$0")/lib/common.sh"
. ./lib/hosts.sh
[[ -f ~/.deployrc ]] && . ~/.deployrc

if [[ $OSTYPE == darwin* ]]; then
    SED=gsed
elif command -v busybox; then
    SED="busybox sed"
else
    SED=sed
fi

# Prints a message and goes.
#   $1: the message
die() {
    local message=$1 code=1
    status=failed
    echo "die() { not a function; }" >&2
    exit "$code"
}

function with_keyword { :; }

function with_both() {
    with_keyword "$@"
}

# In a subshell: its directory stays its own.
in_subshell() (
    cd /tmp
    die "no"
)

is_root() [[ $EUID -eq 0 ]]

deploy::host() {
    local host=$1
    retry() {
        local n
        for n in 1 2 3; do "$@" && return; done
    }
    retry rsync -a "$RELEASES/" "$host:/srv/" | log::line
    if is_root; then deploy::restart "$host"; fi
}

deploy::restart () { systemctl --host "$1" restart app; }

log::line()
{
    while read -r line; do
        printf '%s %s\n' "$(date +%T)" "$line"
    done >>"$LOG_DIR/deploy.log"
} 2>/dev/null

größe_von() { du -sh "$1" | cut -f1; } # ünï → 🎉
größe_von /srv; after_unicode() { :; }

cat <<EOF
heredoc_function() {
    this is text: $(called_in_heredoc)
}
EOF
cat <<-'RAW'
	raw() { neither; }
	RAW

text='
quoted() { no; }
'

case ${1:-} in
    start)
        MODE=start
        started() { echo started; }
        ;;
    *) MODE=none ;;
esac

for host in "${hosts[@]}"; do
    CURRENT=$host
    deploy::host "$host" || die "cannot deploy $host"
done

trap cleanup EXIT
trap '' INT
hosts+=(localhost)
ports[extra]=1
main() { usage; } && main "$@"

test -z "$CI" || {
    IN_GROUP=yes
}
cleanup() { rm -rf "$tmp"; }
alias ll='ls -l' la="ls -a"
alias ..='cd ..' # up
