#!/bin/sh
# Starts three nodes of Grantor over one PostgreSQL, and nginx before them, in the foreground. Control-C ends all of it.
#
#   GRANTOR_DATABASE=postgres://grantor@localhost/grantor ./up.sh
#
# Needs `grantor` and `nginx` in PATH, or their paths in GRANTOR_BINARY and NGINX_BINARY (NGINX is what nginx itself reads).
# Everything that is made lies in ./state.
set -eu
cd "$(dirname "$0")"
: "${GRANTOR_DATABASE:?is the URL of a PostgreSQL database, such as postgres://grantor@localhost/grantor}"
export GRANTOR_DATABASE
grantor=${GRANTOR_BINARY:-grantor}
nginx=${NGINX_BINARY:-nginx}
umask 077
mkdir -p state/tmp

# One master key for all; made once.
if [ ! -s state/master.key ]; then
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' > state/master.key
fi

pids=
stop() {
    trap - INT TERM EXIT
    # Nodes end as they do in production: drained, one request after another answered.
    [ -z "$pids" ] || kill -TERM $pids 2>/dev/null || true
    wait
}
trap stop INT TERM EXIT

ready() {
    # $1 is the configuration, $2 the process. Asked at the listener for figures, with no tool but the binary.
    i=0
    until "$grantor" health --config "$1" >/dev/null 2>&1; do
        kill -0 "$2" 2>/dev/null || { echo "$1 ended" >&2; exit 1; }
        i=$((i + 1))
        [ "$i" -lt 100 ] || { echo "$1 does not become ready" >&2; exit 1; }
        sleep 0.1
    done
}

# The first node brings the schema up to date and makes the keys; the others find them.
for node in node1 node2 node3; do
    "$grantor" serve --config "$node.toml" &
    pids="$pids $!"
    ready "$node.toml" $!
done

"$nginx" -p "$PWD/state" -c "$PWD/nginx.conf" -g 'daemon off;' &
pids="$pids $!"
echo "Grantor is at http://localhost:8080, on three nodes. Figures: http://127.0.0.1:9461/metrics to 9463."
echo "Roll it: kill -TERM one node, start it again, then the next; no request fails meanwhile."
wait
