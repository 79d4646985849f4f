#!/usr/bin/env bash
# First figures of the whole engine: the real file through orderctl and the server, and the recovery of what came of it.
#   load/import-figures.sh [rounds] [file]     5 rounds of ../shared/data/online-retail.csv.gz, on a quiet machine
# Each round begins with an empty data directory, imports with ample stock, kills the server with -9 and starts it again.
# Prints minimum, median and maximum; it judges nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${1:-5}
file=${2:-../shared/data/online-retail.csv.gz}
address=http://127.0.0.1:${PORT:-5180}
work=$(mktemp -d)
server_pid=

stop() {
  [ -z "$server_pid" ] || kill -9 "$server_pid" 2>/dev/null || true
  [ -z "$server_pid" ] || wait "$server_pid" 2>/dev/null || true
  server_pid=
}
trap 'stop; rm -rf "$work"' EXIT

for project in OrderEngine.Server OrderEngine.Cli; do
  dotnet build -c Release --nologo "src/$project" >"$work/log" || { cat "$work/log"; exit 1; }
done
orderctl() { src/OrderEngine.Cli/bin/Release/net10.0/orderctl "$@"; }

start() {
  OrderEngine__DataDirectory="$work/data" OrderEngine__MetricsPort=0 \
    src/OrderEngine.Server/bin/Release/net10.0/OrderEngine.Server --urls "$address" >"$work/log" 2>&1 &
  server_pid=$!
  until orderctl status --address "$address" >/dev/null 2>&1; do
    kill -0 "$server_pid" || { cat "$work/log"; exit 1; }
  done
}

# The number behind a name in a line of JSON.
number() { sed -nE "s/.*\"$1\":([0-9.]+).*/\1/p"; }
note() { echo "$2" >>"$work/$1"; }

for ((round = 1; round <= rounds; round++)); do
  rm -rf "$work/data"
  start
  report=$(orderctl import "$file" --format online-retail --open-stock 1 --credit-notes reject --rejects "$work/rejects" --json --address "$address" 2>"$work/log-import") || { cat "$work/log-import"; exit 1; }
  orders=$(number accepted <<<"$report")
  status=$(orderctl status --json --address "$address")
  events=$(number sequence <<<"$status")
  note 'import, orders a second' "$(awk "BEGIN { print $orders / $(number orderSeconds <<<"$report") }")"
  note 'import with reading, catalog and stock, seconds' "$(number seconds <<<"$report")"
  note 'journal bytes an event' "$(awk "BEGIN { print $(number journalBytes <<<"$status") / $events }")"
  note 'process after the import, MiB' "$(awk "BEGIN { print $(number processBytes <<<"$status") / 1048576 }")"
  stop
  start
  note 'recovery, seconds' "$(orderctl status --json --address "$address" | number recoverySeconds)"
  stop
done

printf '%s orders, %s events, %s rounds, load before: %s\n' "$orders" "$events" "$rounds" "$(cut -d' ' -f1 /proc/loadavg)"
printf '%-50s %10s %10s %10s\n' '' min median max
for figure in "$work"/*[a-zA-Z]*; do
  name=$(basename "$figure")
  case $name in data | log* | rejects) continue ;; esac
  sort -g "$figure" | awk -v name="$name" '{ v[NR] = $1 } END { printf "%-50s %10.2f %10.2f %10.2f\n", name, v[1], v[int((NR + 1) / 2)], v[NR] }'
done
