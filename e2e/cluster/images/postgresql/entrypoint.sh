#!/bin/bash
# Makes the database on the first start, then becomes the server.
set -euo pipefail

[[ ${1:-} == -* ]] && set -- postgres "$@"
if [[ ${1:-} != postgres ]]; then exec "$@"; fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE"); fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  if [[ -z ${POSTGRES_PASSWORD:-} ]]; then
    echo 'POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set for the first start.' >&2
    exit 1
  fi
  # Made aside and moved, so that a pod killed half-way starts over instead of on half a database.
  fresh=$PGDATA.new
  rm -rf "$fresh"
  initdb --pgdata="$fresh" --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256
  echo 'host all all all scram-sha-256' >> "$fresh/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$fresh/postgresql.conf"
  if [[ $database != postgres ]]; then
    printf 'CREATE DATABASE "%s";\n' "${database//\"/\"\"}" |
      postgres --single -j -D "$fresh" postgres > /dev/null
  fi
  # A volume may bring an empty folder of its own where the data should be.
  if [[ -d $PGDATA ]]; then rmdir "$PGDATA"; fi
  mv "$fresh" "$PGDATA"
fi
unset POSTGRES_PASSWORD
exec "$@"
