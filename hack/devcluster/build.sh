#!/bin/sh
# build.sh OUT: builds devcluster to OUT and makes links to it in assets/ next to it, for
# envtest (KUBEBUILDER_ASSETS). It builds nothing if OUT is newer than all sources.
set -eu
out=${1:?usage: build.sh OUT}
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")"

if [ ! -e "$out" ] || [ -n "$(find . -type f ! -name '*_test.go' ! -name '*.md' -newer "$out" | head -n 1)" ]; then
	version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
	minor=${version#v*.}
	v=k8s.io/component-base/version
	# The flags are part of every package's cache key: change them and the next build is a cold one (8 minutes).
	CGO_ENABLED=0 nice -n 5 go build -trimpath -ldflags "-s -w \
-X $v.gitVersion=$version -X $v.gitMajor=1 -X $v.gitMinor=${minor%%.*} -X $v.gitTreeState=clean" -o "$out" .
fi

mkdir -p "$(dirname "$out")/assets"
for name in etcd kube-apiserver kubectl; do
	ln -sfn "../$(basename "$out")" "$(dirname "$out")/assets/$name"
done
