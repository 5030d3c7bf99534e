# The demo's two archives: how they are made, started, introduced to each other and stopped.
# Sourced by packaging/quickstart, which sets dir, programs, repository, demo and die.

archive() { local which="$1"; shift; "$programs/greffe-archive" --config "$dir/$which/archive.toml" "$@"; }

# Six free ports on loopback, chosen once and remembered.
choose_ports() {
  local ports
  if [ ! -f "$dir/run/ports" ]; then
    ports="$(/usr/bin/python3 "$repository/packaging/demo/free_ports.py" 6)"
    paste -d= <(printf '%s\n' {primary,dr}_{machine,browser,metrics}) - <<< "$ports" > "$dir/run/ports"
  fi
  source "$dir/run/ports"
}

install_packages() {
  if [ "$pool" = volumes ]; then "$repository/packaging/install-deps"; else "$repository/packaging/install-deps" --ceph; fi
}

# What the first archive stands on is chosen once; a cluster of the demo lives as long as its servers.
start_cluster() {
  local known="$dir/run/pool" i
  [ -f "$known" ] || echo "$pool" > "$known"
  [ "$(cat "$known")" = "$pool" ] || die "the first archive in $dir stands on something else ($(cat "$known")); give another --dir"
  [ "$pool" != volumes ] || return 0
  if ! cluster_runs; then
    [ ! -f "$dir/primary/archive.toml" ] || die "the cluster of $dir ended with --stop, and what it held with it: remove that folder"
    rm -f "$dir/run/cluster.env"
    setsid /usr/bin/python3 "$repository/tests/ceph/cluster.py" --hold "$dir/run/cluster.env" > /dev/null 2> "$dir/run/cluster.log" < /dev/null &
    echo $! > "$dir/run/cluster.pid"
    for i in $(seq 900); do
      [ ! -f "$dir/run/cluster.env" ] || break
      kill -0 "$(cat "$dir/run/cluster.pid")" 2> /dev/null || { cat "$dir/run/cluster.log" >&2; die "the Ceph cluster does not start; what it said is above"; }
      sleep 0.1
    done
  fi
  source "$dir/run/cluster.env"
}

cluster_runs() {
  [ -f "$dir/run/cluster.pid" ] && tr '\0' ' ' 2> /dev/null < "/proc/$(cat "$dir/run/cluster.pid")/cmdline" | grep -qF -- "--hold $dir/run/cluster.env"
}

# Three volumes in three failure domains, here folders, in a court disks; or what keeps the replicas itself.
pool_words() {
  local which="$1" letter
  words=()
  if [ "$which" = dr ] || [ "$pool" = volumes ]; then
    for letter in a b c; do words+=(--volume "$dir/$which/volumes/$letter=shelf-$letter"); done
  elif [ "$pool" = rados ]; then
    words=(--pool "rados:$GREFFE_CEPH_POOL" --ceph-conf "$GREFFE_CEPH_CONF")
  else
    words=(--pool s3:court --s3-endpoint "$GREFFE_S3_ENDPOINT" --s3-credentials "$GREFFE_S3_CREDENTIALS" --s3-plain-etags)
  fi
}

make_archive() {
  local which="$1" name="$2" role="$3" machine="$4" browser="$5" metrics="$6" words
  [ ! -f "$dir/$which/archive.toml" ] || return 0
  pool_words "$which"
  head -c 18 /dev/urandom | base64 > "$dir/codes/recovery-$which"
  "$programs/greffe-archive" init --dir "$dir/$which" --name "$name" --role "$role" "${words[@]}" \
    --machine "127.0.0.1:$machine" --browser "127.0.0.1:$browser" --metrics "127.0.0.1:$metrics" \
    --ui "$repository/web/ui/dist" --recovery-code-file "$dir/codes/recovery-$which"
}

make_archives() {
  choose_ports
  make_archive primary archive.demo.example primary "$primary_machine" "$primary_browser" "$primary_metrics"
  make_archive dr dr.demo.example replica "$dr_machine" "$dr_browser" "$dr_metrics"
}

# The pid in the file is ours only while that process still runs our configuration.
running() {
  local which="$1" pid
  [ -f "$dir/run/$which.pid" ] || return 1
  pid="$(cat "$dir/run/$which.pid")"
  tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" | grep -qF -- "--config $dir/$which/archive.toml serve"
}

# How the second site is kept away from the first one's files: in a mount namespace of its own, in which everything of
# the demo but its own folder is covered by empty file systems. What it has, it got over the network.
separation() {
  if unshare --mount true 2> /dev/null; then
    echo "mount-namespace"
  elif unshare --user --map-root-user --mount true 2> /dev/null; then
    echo "user-and-mount-namespace"
  else
    echo "none"
  fi
}

start_server() {
  local which="$1" log="$dir/run/$1.log" words=()
  running "$which" && return 0
  : > "$log"
  local serve=("$programs/greffe-archive" --config "$dir/$which/archive.toml" serve)
  if [ "$which" = dr ]; then
    separation > "$dir/run/separation"
    case "$(cat "$dir/run/separation")" in
      mount-namespace) words=(unshare --mount) ;;
      user-and-mount-namespace) words=(unshare --user --map-root-user --mount) ;;
      none) ;;
    esac
  fi
  if [ ${#words[@]} -gt 0 ]; then
    setsid "${words[@]}" "$demo/apart.sh" "$dir" "${serve[@]}" > /dev/null 2> "$log" < /dev/null &
  else
    setsid "${serve[@]}" > /dev/null 2> "$log" < /dev/null &
  fi
  echo $! > "$dir/run/$which.pid"
  disown  # nobody is told when it ends
  local i
  for i in $(seq 300); do
    grep -q 'ready: ' "$log" && return 0
    kill -0 "$(cat "$dir/run/$which.pid")" 2> /dev/null || break
    sleep 0.1
  done
  cat "$log" >&2
  die "the archive in $dir/$which does not start; what it said is above"
}

start_servers() { start_server primary; start_server dr; }

stop_server() {
  local which="$1" pid i
  if running "$which"; then
    pid="$(cat "$dir/run/$which.pid")"
    kill -TERM "$pid"
    for i in $(seq 100); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2> /dev/null || true
  fi
  rm -f "$dir/run/$which.pid"
}

stop_servers() {
  local i
  stop_server primary
  stop_server dr
  if cluster_runs; then
    kill -TERM "$(cat "$dir/run/cluster.pid")"
    for i in $(seq 100); do cluster_runs || break; sleep 0.1; done
  fi
  rm -f "$dir/run/cluster.pid"
}

# Runs a step once; its name is kept in DIR/run/done.
once() {
  local step="$1"; shift
  grep -qxF -- "$step" "$dir/run/done" 2> /dev/null && return 0
  "$@"
  echo "$step" >> "$dir/run/done"
}

# The courtroom of the hearing that is recorded live has cameras and microphones: recordings that are played in real time.
write_station_config() {
  local home="$1" name="$2"
  {
    printf 'directory = "%s/spool"\n' "$home"
    jq -r --arg name "$name" --arg media "$dir/media" '.hearings[] | select(.station == $name and has("rest")) | .streams | to_entries[]
      | "\n[[stream]]\nname = \(.key | @json)\nmedium = \(if .key | startswith("cam") then "video" else "audio" end | @json)\naddress = \("file:\($media)/\(.value)" | @json)"' "$dir/plan.json"
  } > "$home/station.toml"
}

write_replicate_config() {
  cat > "$dir/replicate/replicate.toml" <<TOML
state_directory = "state"
archive = "archive.demo.example"

[source]
$(grep -E '^(volumes|replicas|write_quorum|pool|ceph_[a-z]+|s3_[a-z_]+) = ' "$dir/primary/archive.toml")
TOML
}

enrol_station() {
  local name="$1" court="$2" room="$3" home="$dir/stations/$1"
  mkdir -p "$home/spool"
  rm -f "$dir/codes/station-$name"
  archive primary station add --name "$name" --court "$court" --room "$room" --code-file "$dir/codes/station-$name"
  write_station_config "$home" "$name"
  "$programs/greffe-ingest" --config "$home/station.toml" enrol --code-file "$dir/codes/station-$name"
}

add_user() {
  local name="$1" display="$2" roles="$3" court="$4" language="$5" words=() role
  for role in $roles; do words+=(--role "$role"); done
  if [ "$court" = - ]; then words+=(--all-courts); else words+=(--court "$court"); fi
  head -c 15 /dev/urandom | base64 | tr '+/' 'xy' > "$dir/logins/$name"
  archive primary user add --name "$name" --display "$display" "${words[@]}" --language "$language" --password-file "$dir/logins/$name"
}

set_place() {
  local court="$1" room="$2" en="$3" fr="$4" zh="$5" zone="$6" words=(--court "$1")
  [ "$room" = - ] || words+=(--room "$room")
  [ "$zone" = - ] || words+=(--zone "$zone")
  archive primary place set "${words[@]}" --en "$en" --fr "$fr" --zh "$zh"
}

# The replicator may read here and bring signatures back, and may write there; each side gave it a code for that.
join_sites() {
  mkdir -p "$dir/replicate"
  archive primary keys --json > "$dir/run/primary-keys.json"
  archive dr keys --json > "$dir/run/dr-keys.json"
  archive dr origin add --name archive.demo.example --log-vkey "$(jq -r .log_vkey "$dir/run/primary-keys.json")" \
    --code-file "$dir/codes/target"
  archive primary cosigner add --vkey "$(jq -r .holder_vkey "$dir/run/dr-keys.json")" --code-file "$dir/codes/source"
  write_replicate_config
  "$programs/greffe-replicate" --config "$dir/replicate/replicate.toml" enrol-source --code-file "$dir/codes/source"
  "$programs/greffe-replicate" --config "$dir/replicate/replicate.toml" enrol-target --code-file "$dir/codes/target"
}

# Two officers, each with a key of his own: together they may promote the second site when the first one is lost.
name_officers() {
  local name
  mkdir -p "$dir/officers"
  for name in officer-1 officer-2; do
    archive primary officer add --name "$name" --key "$(archive primary officer key --out "$dir/officers/$name" | grep -oE '[0-9a-f]{64}')"
  done
}

# What no volume here has any more is fetched from the second site, which gives this archive its own recordings and nothing else.
read_from_second_site() {
  archive dr origin reader-code --name archive.demo.example --code-file "$dir/codes/reader"
  archive primary site add --code-file "$dir/codes/reader"
}

enrol_all() {
  local plan="$dir/plan.json" line
  while IFS=$'\t' read -r court room en fr zh zone; do
    once "place $court/$room" set_place "$court" "$room" "$en" "$fr" "$zh" "$zone"
  done < <(jq -r '.places[] | [.court, .room // "-", .en, .fr, .zh, .zone // "-"] | @tsv' "$plan")
  while IFS=$'\t' read -r name court room; do
    once "station $name" enrol_station "$name" "$court" "$room"
  done < <(jq -r '.stations[] | [.name, .court, .room] | @tsv' "$plan")
  while IFS=$'\t' read -r name display roles court language; do
    once "user $name" add_user "$name" "$display" "$roles" "$court" "$language"
  done < <(jq -r '.users[] | [.name, .display, (.roles | join(" ")), .court // "-", .language] | @tsv' "$plan")
  once "sites" join_sites
  once "reading" read_from_second_site
}

# One's own files are one hearing: nothing fails there.
file_hearings() {
  local failing= words=("$dir")
  [ "$pool" = volumes ] || words+=("$GREFFE_CEPH_CONF")
  if [ ${#media[@]} -eq 0 ]; then /usr/bin/python3 "$demo/fail_storage.py" "${words[@]}" & failing=$!; fi
  if ! /usr/bin/python3 "$demo/file_hearings.py" "$dir" "$programs"; then
    [ -z "$failing" ] || kill "$failing" 2> /dev/null || true
    return 1
  fi
  [ -z "$failing" ] || wait "$failing"
}

verify_both() {
  archive primary policy > "$dir/policy.txt"
  # What stands in Ceph or S3 is re-derived where it is; an auditor gets exports of it, and the second site's volumes.
  if [ "$pool" = volumes ]; then "$programs/greffe-verify" --policy "$dir/policy.txt" "$dir"/primary/volumes/*; else archive primary check; fi
  "$programs/greffe-verify" --policy "$dir/policy.txt" "$dir"/dr/volumes/*
}

farewell() {
  local name
  say "Ready: https://127.0.0.1:$primary_browser/"
  echo "   The browser will say that it does not know the certificate: it was made a minute ago, for this machine only."
  echo "   Log in as:"
  while IFS=$'\t' read -r name display roles; do
    printf '     %-10s password %-22s (%s, %s)\n' "$name" "$(cat "$dir/logins/$name")" "$display" "$roles"
  done < <(jq -r '.users[] | [.name, .display, (.roles | join(", "))] | @tsv' "$dir/plan.json")
  cat <<WORDS
   Try:
     as claire: find "lefevre", open "Lefèvre c. Société Bâtimont", play it, jump to a mark, correct the case number
     as meiling: find 王伟, then 1234号 - the neighbours differ by one character
     as operator: the status page; as auditor: the log
     a player:   the "play elsewhere" address of a hearing opens in VLC
     by hand:    ls $dir/dr/volumes/a; sha256sum of any file there is its name
     an auditor: build/greffe-verify --policy $dir/policy.txt $dir/dr/volumes/*
   Stop it:      packaging/quickstart --dir $dir --stop
WORDS
}

disaster_farewell() {
  say "What was the second site is the archive now: https://127.0.0.1:$dr_browser/"
  cat <<WORDS
   The browser will say that it does not know the certificate: it was made a minute ago, for this machine only.
   Log in as claire, password $(cat "$dir/logins/claire"): find "lefevre", and play across the moment of the disaster.
   Stop it:      packaging/quickstart --dir $dir --stop
WORDS
}
