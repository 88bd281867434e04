#!/bin/sh
# get_nvim.sh SUITE [DEST]: unpack the Neovim of a Debian suite (sid, trixie, …) beside the
# system and print the path of its nvim. Nothing of the system changes: apt works on a state
# of its own, and the binary is pointed at the libc that came with it. A finished DEST is
# reused; an unfinished one is made again.
set -eu

suite=${1:?usage: get_nvim.sh SUITE [DEST]}
dest=${2:-${GLOSS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/gloss-dev/nvim-$suite}

fail() {
    echo "get_nvim: $*" >&2
    exit 1
}

mkdir -p "$dest"
dest=$(cd "$dest" && pwd -P)
exec 9> "$dest.lock"
flock 9
if [ -e "$dest/.complete" ]; then
    echo "$dest/usr/bin/nvim"
    exit 0
fi

for tool in apt-get dpkg-deb patchelf; do
    command -v "$tool" > /dev/null || fail "$tool is missing; install it with apt-get"
done

# The mirror this machine already uses; its first Debian archive that is not the security one.
mirror=${GLOSS_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
    'Origin: Debian' | grep -v security | head -n 1)}
[ -n "$mirror" ] || fail "no Debian archive known (apt-get update, or GLOSS_DEBIAN_MIRROR)"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "$keyring is missing; install debian-archive-keyring"

rm -rf "$dest"
state=$dest/.apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/etc" \
    "$state/debs/partial"
: > "$state/status"
echo "deb [signed-by=$keyring] $mirror $suite main" > "$state/etc/sources.list"

private_apt() {
    apt-get -qq \
        -o Dir::Etc::sourcelist="$state/etc/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" \
        -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
        -o Dir::Cache::archives="$state/debs" \
        -o Acquire::Languages=none -o APT::Sandbox::User= \
        -o APT::Install-Recommends=false -o Acquire::Retries=3 "$@" >&2
}

private_apt update
# The status file is empty, so that apt fetches the whole closure down to libc.
private_apt -y --download-only install neovim libc6 libgcc-s1
for deb in "$state"/debs/*.deb; do
    dpkg-deb -x "$deb" "$dest"
done

# Not `ld.so nvim`: with the interpreter in the file v:progpath stays nvim and children
# inherit no LD_LIBRARY_PATH.
# Older suites have libc under /lib, the rest under /usr/lib.
libc=$(find "$dest/usr/lib" "$dest/lib" -name libc.so.6 2> /dev/null | head -n 1)
[ -n "$libc" ] || fail "no libc among the packages of $suite"
libs=$(dirname "$libc"):$dest/usr/lib/$(basename "$(dirname "$libc")")
loader=$(find "$dest/usr/lib64" "${libc%/*}" -name 'ld-linux-*.so.*' 2> /dev/null | head -n 1)
[ -n "$loader" ] || fail "no dynamic loader among the packages of $suite"
patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libs" "$dest/usr/bin/nvim"
rm -rf "$state"
"$dest/usr/bin/nvim" --version >&2 9>&- || fail "the nvim of $suite does not start here"
touch "$dest/.complete"
echo "$dest/usr/bin/nvim"
