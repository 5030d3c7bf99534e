#!/bin/sh
# Runs in a mount namespace of its own: covers everything in DIR but DIR/dr and what a log needs, then becomes the
# program. "apart.sh DIR PROGRAM ARGUMENT..."
set -eu
dir="$1"
shift
for part in "$dir"/*; do
  case "$part" in
    "$dir/dr" | "$dir/run") ;;
    *) if [ -d "$part" ]; then mount -t tmpfs -o size=4k,mode=0700 nothing "$part"; fi ;;
  esac
done
exec "$@"
