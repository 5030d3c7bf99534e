#!/bin/sh
# Builds the pages: web/ui/build.sh [OUT]   (OUT: web/ui/dist unless given)
# Needs esbuild (Debian) and the preact named in package-lock.json (npm ci). No Node.
set -eu
cd "$(dirname "$0")"
out="${1:-dist}"
[ -d node_modules/preact ] || { echo "build.sh: preact is not here; run: npm ci --prefix $(pwd)" >&2; exit 2; }
rm -rf "$out"
mkdir -p "$out/ui"
esbuild src/app.tsx --bundle --minify --splitting --format=esm --target=es2022 --jsx=automatic \
  --jsx-import-source=preact --outdir="$out/ui" --entry-names='[name]-[hash]' --chunk-names='[name]-[hash]' \
  --asset-names='[name]-[hash]' --charset=utf8 --log-level=warning --legal-comments=none
icon="icon-$(sha256sum src/style/icon.svg | cut -c1-8).svg"
cp src/style/icon.svg "$out/ui/$icon"
script="$(cd "$out/ui" && ls app-*.js)"
style="$(cd "$out/ui" && ls app-*.css)"
sed -e "s|@SCRIPT@|/ui/$script|" -e "s|@STYLE@|/ui/$style|" -e "s|@ICON@|/ui/$icon|" src/index.html > "$out/index.html"
