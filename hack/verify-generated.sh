#!/usr/bin/env bash
# Generates everything again in a copy of the tree and compares: works on a dirty tree
# too, and changes nothing in it.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --null -T - -cf - | tar -xf - -C "$copy"
mkdir -p "$copy/bin"
for tool in controller-gen crd-ref-docs; do
	ln -sfn "$root/bin/$tool" "$copy/bin/$tool"
done

# What is generated from nothing any more must go: start without the generated files.
find "$copy" \( -name 'zz_generated.*.go' -o -path '*/config/crd/bases/*.yaml' -o -path '*/docs/api/*.md' -o -name '*.gen.yaml' \) -delete
make -s -C "$copy" generate manifests api-docs

stale=0
for path in apis config/crd docs/api internal/crdgen internal/lint; do
	if [ -e "$root/$path" ] || [ -e "$copy/$path" ]; then
		diff -ruN "$root/$path" "$copy/$path" || stale=1
	fi
done
[ "$stale" = 0 ] || { echo 'generated files are stale, run: make generate manifests api-docs'; exit 1; }
