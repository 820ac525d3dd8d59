#!/usr/bin/env bash
# Installs the real parts that the tests start themselves: PostgreSQL, MariaDB, Chromium (Debian or Ubuntu).
# Quick when they are there. Without root it says what to install; the tests then skip, or fail where CI is set.
set -euo pipefail

missing=()
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
command -v chromium >/dev/null || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Not installed: ${missing[*]}. Their tests are skipped; install them with your package manager." >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi

echo "installing ${missing[*]} for the tests (a few minutes, once)" >&2
export DEBIAN_FRONTEND=noninteractive
# The tests start servers of their own, on loopback and for as long as they run: none is to start by itself.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
