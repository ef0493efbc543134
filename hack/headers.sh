#!/usr/bin/env bash
# Checks that every Go file that is not generated starts with hack/boilerplate.go.txt;
# with --fix, puts it there. A build tag may stand below it, never above.
set -euo pipefail
cd "$(dirname "$0")/.."

header=$(cat hack/boilerplate.go.txt)
lines=$(wc -l < hack/boilerplate.go.txt)
missing=0
while IFS= read -r -d '' file; do
	[ -f "$file" ] || continue
	[ "$(head -n "$lines" "$file")" = "$header" ] && continue
	if [ "${1:-}" = --fix ]; then
		printf '%s\n\n%s\n' "$header" "$(cat "$file")" > "$file.tmp"
		cat "$file.tmp" > "$file" && rm "$file.tmp"
	else
		echo "no license header: $file"
		missing=1
	fi
done < <(git ls-files -z --cached --others --exclude-standard '*.go' ':!:*zz_generated*')
[ "$missing" = 0 ] || { echo 'run: make headers'; exit 1; }
