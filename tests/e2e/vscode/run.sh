#!/bin/bash
# The extension in a real VS Code: its server, its extension host, its workbench in Chromium.
# Prints TAP.
#   GLOSS_BIN    the program (needed)
#   GLOSS_CACHE  where VS Code lies (see get_vscode.sh)
# The workspace names a program of its own; with trust it is the one that runs, without
# trust it must not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
extension=$(cd "$here/../../../vscode-ext" && pwd -P)
# shellcheck source=../editors.sh
. "$here/../editors.sh"

chromium=$(command -v chromium) || bail "chromium is missing"
read -r node server < <("$here/../get_vscode.sh") || bail "no VS Code"

# Installed once; the lock file of the package decides whether that still holds.
install() { # FOLDER
    (
        cd "$1"
        exec 9> "${TMPDIR:-/tmp}/gloss-npm-$(id -u)-$(pwd -P | cksum | tr -dc 0-9).lock"
        flock 9
        if ! cmp -s package-lock.json node_modules/.gloss-lock; then
            npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
            cp package-lock.json node_modules/.gloss-lock
        fi
    ) || bail "npm ci fails in $1"
}
install "$here"
install "$extension"
# One at a time, and not while what was built is still good: another run may be using it.
(
    cd "$extension"
    exec 9> "${TMPDIR:-/tmp}/gloss-build-$(id -u)-$(pwd -P | cksum | tr -dc 0-9).lock"
    flock 9
    npm run --silent check >&2
    if [ ! -e dist/extension.js ] || [ -n "$(find src esbuild.mjs package-lock.json \
        -newer dist/extension.js)" ]; then
        npm run --silent build >&2
    fi
) || bail "the extension does not compile"
point ok "the extension compiles"

project=$work/project
make_project "$project"
mkdir -p "$project/.vscode" "$project/tools" "$work/bin"
echo '{"gloss.path": "tools/gloss"}' > "$project/.vscode/settings.json"
wrapper() { # FILE MARK PROGRAM: a program that leaves a mark
    cat > "$1" << END
#!/bin/sh
: > "\$$2"
exec "$3" "\$@"
END
    chmod +x "$1"
}
wrapper "$project/tools/gloss" GLOSS_E2E_WORKSPACE_RAN "$gloss"
wrapper "$work/bin/clangd" GLOSS_E2E_CLANGD_RAN "$(command -v clangd)"
ln -s "$gloss" "$work/bin/gloss"

session() { # NAME [SERVER_FLAG…]
    local name=$1 status=0 data=$work/$1/vscode state=$work/$1/state
    shift
    mkdir -p "$data/data/User"
    cat > "$data/data/User/settings.json" << 'END'
{
    "workbench.startupEditor": "none",
    "extensions.autoCheckUpdates": false,
    "extensions.ignoreRecommendations": true,
    "telemetry.telemetryLevel": "off",
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
    "gloss.features.hover": "on",
    "gloss.features.definition": "on",
    "gloss.features.documentSymbol": "on"
}
END
    : > "$work/$name.tap"
    sandbox "$name" PATH="$work/bin:$PATH" \
        GLOSS_E2E_CHROMIUM="$chromium" GLOSS_E2E_POINTS="$work/$name.tap" \
        GLOSS_E2E_WANTED="$work/$name.wanted" \
        GLOSS_E2E_WORKSPACE_RAN="$work/$name.workspace-ran" \
        GLOSS_E2E_CLANGD_RAN="$work/$name.clangd-ran" \
        timeout -k 5 150 "$node" "$here/drive.mjs" "$server" "$data" "$extension" \
        "$here/host/$name.js" "$project" "$@" > "$work/$name.log" 2>&1 || status=$?
    if relay "$name" "$work/$name.tap" && [ "$status" -le 1 ]; then
        point ok "$name: the session ran to its end"
    else
        point "not ok" "$name: the session ran to its end"
        echo "# it ended with $status"
        tail -n 40 "$work/$name.log" | sed 's/^/# /'
        find "$data" -name '*gloss.log' -exec tail -n 20 {} + | sed 's/^/# /'
    fi
    nothing_left "$name"
}

session trusted --disable-workspace-trust
session untrusted

echo "1..$count"
exit $((failed > 0))
