#!/usr/bin/env bash
# verify-manifests.sh KUSTOMIZE: builds every kustomization and checks what the API server
# would only say on installing.
set -euo pipefail
cd "$(dirname "$0")/.."
kustomize=$1

for dir in config/default config/samples config/overlays/*/; do
	"$kustomize" build "$dir" > /dev/null || { echo "kustomize build $dir failed"; exit 1; }
done

# Components go on top of config/default.
all=$(mktemp -d "$PWD/bin/components.XXXXXX")
trap 'rm -rf "$all"' EXIT
{
	echo 'resources: [../../config/default]'
	echo 'components:'
	for dir in config/components/*/; do echo "- ../../${dir%/}"; done
} > "$all/kustomization.yaml"
"$kustomize" build "$all" > /dev/null

# A client-side apply stores the whole object in an annotation of at most 256 KiB.
for crd in config/crd/bases/*.yaml; do
	size=$(wc -c < "$crd")
	[ "$size" -lt 200000 ] || { echo "$crd has $size bytes, the limit is 200000"; exit 1; }
done
