#!/bin/sh
# Builds the pages: web/ui/build.sh [OUT]   (OUT: web/ui/dist unless given)
# The archive's pages into OUT, the page of a courtroom's station into OUT-station.
# Needs esbuild (Debian) and the preact named in package-lock.json (npm ci). No Node.
set -eu
cd "$(dirname "$0")"
out="${1:-dist}"
[ -d node_modules/preact ] || { echo "build.sh: preact is not here; run: npm ci --prefix $(pwd)" >&2; exit 2; }
icon="icon-$(sha256sum src/style/icon.svg | cut -c1-8).svg"

# bundle SCRIPT PAGE OUT
bundle() {
  rm -rf "$3"
  mkdir -p "$3/ui"
  esbuild "$1" --bundle --minify --splitting --format=esm --target=es2022 --jsx=automatic \
    --jsx-import-source=preact --outdir="$3/ui" --entry-names='[name]-[hash]' --chunk-names='[name]-[hash]' \
    --asset-names='[name]-[hash]' --charset=utf8 --log-level=warning --legal-comments=none
  cp src/style/icon.svg "$3/ui/$icon"
  name="$(basename "$1" .tsx)"
  script="$(cd "$3/ui" && ls "$name"-*.js)"
  style="$(cd "$3/ui" && ls "$name"-*.css)"
  sed -e "s|@SCRIPT@|/ui/$script|" -e "s|@STYLE@|/ui/$style|" -e "s|@ICON@|/ui/$icon|" "$2" > "$3/index.html"
}
bundle src/app.tsx src/index.html "$out"
bundle station/station.tsx station/index.html "$out-station"
