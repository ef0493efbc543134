#!/usr/bin/env bash
# release.sh VERSION [OS/ARCH...]: static archives of the plugin in dist/, and the manifest
# of krew that names them with their digests.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1
shift
[ "$#" -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
url=${RELEASE_URL:?say where the archives will be downloaded from}

mkdir -p dist
manifest=dist/kudo.yaml
cat > "$manifest" << EOF
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: kudo
spec:
  version: $version
  homepage: ${HOMEPAGE:-$url}
  shortDescription: Describe software once, and operate it
  description: |
    Makes packages of frameworks for the Kudo operator, lints, tests and renders them
    without a cluster, deploys, previews and upgrades instances, steers plans, and says
    why one is stuck.
  platforms:
EOF
for platform in "$@"; do
	os=${platform%/*} arch=${platform#*/} exe=kubectl-kudo
	[ "$os" != windows ] || exe=kubectl-kudo.exe
	dir=$(mktemp -d)
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w -X main.version=$version" -o "$dir/$exe" ./cmd/kubectl-kudo
	cp LICENSE "$dir"
	archive=kubectl-kudo_${os}_$arch.tar.gz
	# The same input gives the same archive.
	tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$dir" -cf - . | gzip -n > "dist/$archive"
	rm -rf "$dir"
	cat >> "$manifest" << EOF
  - selector: {matchLabels: {os: $os, arch: $arch}}
    uri: $url/$archive
    sha256: $(sha256sum "dist/$archive" | cut -d' ' -f1)
    bin: $exe
EOF
done
echo "$manifest"
