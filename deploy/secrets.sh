#!/bin/sh
# Writes the passwords docker-compose.yml asks for into .env: random, for the owner only.
# A value that is there is never touched: run it again after an upgrade and only what is new is added.
# Usage: deploy/secrets.sh [FILE]
set -eu
umask 077
here="$(cd "$(dirname "$0")" && pwd)"
file="${1:-$here/../.env}"

# One password per user of the NATS configuration, then what the other servers want.
names="$(grep -o 'TAIZHANG_NATS_PASSWORD_[A-Z][A-Z]*' "$here/nats.conf" | sort -u)
MONGO_ROOT_PASSWORD MONGO_PASSWORD MONGO_CLUSTER_KEY GRAFANA_PASSWORD"

touch "$file"
chmod 600 "$file"
if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then
  echo >>"$file"
fi
for name in $names; do
  if ! grep -q "^$name=" "$file"; then
    # It begins with a letter: the NATS configuration would read a mere number as a number.
    printf '%s=k%s\n' "$name" "$(od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n')" >>"$file"
  fi
done
