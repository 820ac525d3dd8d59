#!/usr/bin/env bash
# Installs the real parts that the tests start themselves: PostgreSQL, MariaDB, Chromium, Prometheus' promtool, systemd,
# and Kafka with Java and Maven (Debian or Ubuntu). `parts.sh cluster` installs what `make run-cluster` needs instead,
# `parts.sh check` what `make check` needs, `parts.sh image` what `make image-test` needs. Quick when they are there.
# Without root it says what to install; the tests then skip, or fail where CI is set.
set -euo pipefail

missing=()
kafka=${XDG_CACHE_HOME:-$HOME/.cache}/simpul/kafka-4.3.1/jars
fetch_kafka() { # Apache Kafka's own jars (44 MB) by Maven, all of them or none
  [ ! -d "$kafka" ] && command -v mvn >/dev/null || return 0
  echo "fetching Apache Kafka 4.3.1 into $kafka (once)" >&2
  mkdir -p "$(dirname "$kafka")"
  local aside
  aside=$(mktemp -d "$kafka.XXXXXX")
  if mvn -q -B -Dstyle.color=never -f "$(dirname "$0")/../tests/parts/kafka/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$aside" >&2; then
    chmod 755 "$aside"
    mv -T "$aside" "$kafka" 2>/dev/null || rm -rf "$aside" # another run was quicker
  else
    rm -rf "$aside"
    echo "Apache Kafka could not be fetched; what needs it is skipped." >&2
    [ -z "${CI:-}" ]
  fi
}
cluster() { # PostgreSQL, and Kafka with what fetches it
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
  command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
  [ -d "$kafka" ] || command -v mvn >/dev/null || missing+=(maven)
}
checkers() { # of deployment files
  command -v promtool >/dev/null || missing+=(prometheus)
  command -v systemd-analyze >/dev/null || missing+=(systemd)
}
case ${1:-tests} in
tests)
  checkers
  cluster
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
  command -v chromium >/dev/null || missing+=(chromium)
  ;;
cluster)
  cluster
  ;;
check)
  checkers
  ;;
image)
  [ -d "$kafka" ] || command -v mvn >/dev/null || missing+=(maven)
  if ! docker info >/dev/null 2>&1; then # no engine answers: one is started for as long as the test runs
    [ -x /usr/sbin/dockerd ] || missing+=(docker.io)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
  fi
  ;;
*)
  echo "usage: $0 [tests|cluster|check|image]" >&2
  exit 2
  ;;
esac
if [ ${#missing[@]} -eq 0 ]; then
  [ "${1:-tests}" = check ] || fetch_kafka
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Not installed: ${missing[*]}. What needs them is skipped or refused; install them with your package manager." >&2
  [ -z "${CI:-}" ] || exit 1
  [ "${1:-tests}" = check ] || fetch_kafka
  exit 0
fi

echo "installing ${missing[*]} (a few minutes, once)" >&2
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
[ "${1:-tests}" = check ] || fetch_kafka
