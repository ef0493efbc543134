#!/usr/bin/env bash
# undeploy.sh: what comes before the manager is removed. Refuses while Instances exist, then
# removes what only a manager that still runs lets go of: without it their CRDs would never go.
set -euo pipefail
read -ra kubectl <<< "${KUBECTL:-kubectl}"
patience=${PATIENCE:-2m}

# No answer is no reason to go on.
crds=$("${kubectl[@]}" get customresourcedefinitions -o name)
defined() { grep -qx "customresourcedefinition.apiextensions.k8s.io/$1" <<< "$crds"; }

if defined instances.kudo.dev; then
	left=$("${kubectl[@]}" get instances.kudo.dev --all-namespaces --no-headers \
		-o custom-columns=:metadata.namespace,:metadata.name)
	if [ -n "$left" ]; then
		echo 'Instances exist: delete them first, while the manager can still clean up' >&2
		head -n 20 <<< "$left" >&2
		exit 1
	fi
fi
for kind in frameworkversions.kudo.dev frameworks.kudo.dev; do
	if defined "$kind" && ! "${kubectl[@]}" delete "$kind" --all --timeout="$patience"; then
		echo "some of $kind did not go within $patience: the manager must run, and no object of a generated kind may be left." >&2
		echo "See kubectl -n kudo-system get pods, and kubectl describe $kind" >&2
		exit 1
	fi
done
