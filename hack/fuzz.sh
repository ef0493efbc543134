#!/usr/bin/env bash
# fuzz.sh TIME: runs every fuzz target of the module for TIME, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}

grep -rE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' apis controllers webhooks internal cmd test 2>/dev/null |
	sed -E 's|^(.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*)\(.*|\1 \2|' | sort -u |
	while read -r dir target; do
		echo "== $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$dir" < /dev/null
	done
