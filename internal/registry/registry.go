// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package registry keeps archives of packages in OCI registries, as artefacts of their own
// type (OCI image specification 1.1, guidance for artifacts).
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/errdef"
	ociregistry "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

const (
	// ArtifactType is that of a package's manifest.
	ArtifactType = "application/vnd.kudo.package.v1"
	// LayerType is that of the archive, a tar.
	LayerType = "application/vnd.kudo.package.v1.tar"
	// Scheme may stand before a reference.
	Scheme = "oci://"

	maxManifest = 64 << 10
	maxLayer    = 8 << 20
	// epoch makes the manifest say nothing of when it was made: the same archive has the
	// same digest.
	epoch = "1970-01-01T00:00:00Z"
)

// Options of the access to a registry.
type Options struct {
	// PlainHTTP talks without TLS. A registry on a loopback address always is.
	PlainHTTP bool
	// Anonymous reads no credentials; else those of `docker login` are used.
	Anonymous bool
}

// Reference is a package in a registry: [oci://]host/repository[:tag][@sha256:digest].
type Reference struct {
	repository, tag, digest string
	host                    string
}

// Parse reads a reference. A digest beside a tag is what counts.
func Parse(text string) (Reference, error) {
	bare := strings.TrimPrefix(text, Scheme)
	named, digest, pinned := strings.Cut(bare, "@")
	parsed, err := ociregistry.ParseReference(named)
	if err == nil && pinned {
		_, err = ociregistry.ParseReference(parsed.Registry + "/" + parsed.Repository + "@" + digest)
	}
	if err != nil {
		return Reference{}, fmt.Errorf("the reference %q is not host/repository[:tag][@sha256:digest]: %w", text, err)
	}
	return Reference{repository: parsed.Registry + "/" + parsed.Repository, tag: parsed.Reference, digest: digest, host: parsed.Registry}, nil
}

// Pinned says whether the reference names a digest.
func (r Reference) Pinned() bool { return r.digest != "" }

// Tagged says whether the reference names a tag.
func (r Reference) Tagged() bool { return r.tag != "" }

// WithTag names a tag where the reference has none.
func (r Reference) WithTag(tag string) Reference {
	if r.tag == "" {
		r.tag = tag
	}
	return r
}

// WithDigest pins the reference.
func (r Reference) WithDigest(digest string) Reference {
	r.digest = digest
	return r
}

// String is the reference as Parse reads it.
func (r Reference) String() string {
	out := r.repository
	if r.tag != "" {
		out += ":" + r.tag
	}
	if r.digest != "" {
		out += "@" + r.digest
	}
	return out
}

// wanted is what the registry is asked for.
func (r Reference) wanted() string {
	if r.digest != "" {
		return r.digest
	}
	return r.tag
}

func (o Options) open(r Reference) (*remote.Repository, error) {
	repo, err := remote.NewRepository(r.repository)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", r.repository, err)
	}
	repo.PlainHTTP = o.PlainHTTP || loopback(r.host)
	client := &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache()}
	client.SetUserAgent("kubectl-kudo")
	if !o.Anonymous {
		store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("reading the credentials of docker: %w", err)
		}
		client.Credential = credentials.Credential(store)
	}
	repo.Client = client
	return repo, nil
}

func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// Manifest is what stands in the registry for an archive.
type Manifest struct {
	// Digest of the manifest: it pins the package.
	Digest string
	// Layer is the digest of the archive.
	Layer string
}

// Pack computes the manifest of an archive, without a registry. The annotations are part of it.
func Pack(ctx context.Context, archive []byte, annotations map[string]string) (Manifest, error) {
	_, m, err := pack(ctx, archive, annotations)
	return m, err
}

func pack(ctx context.Context, archive []byte, annotations map[string]string) (*memory.Store, Manifest, error) {
	if len(archive) > maxLayer {
		return nil, Manifest{}, fmt.Errorf("the archive has %d bytes, more than %d", len(archive), maxLayer)
	}
	store := memory.New()
	layer, err := oras.PushBytes(ctx, store, LayerType, archive)
	if err != nil {
		return nil, Manifest{}, fmt.Errorf("packing the archive: %w", err)
	}
	all := map[string]string{ocispec.AnnotationCreated: epoch}
	for k, v := range annotations {
		all[k] = v
	}
	manifest, err := oras.PackManifest(ctx, store, oras.PackManifestVersion1_1, ArtifactType, oras.PackManifestOptions{
		Layers: []ocispec.Descriptor{layer}, ManifestAnnotations: all,
	})
	if err != nil {
		return nil, Manifest{}, fmt.Errorf("packing the manifest: %w", err)
	}
	m := Manifest{Digest: manifest.Digest.String(), Layer: layer.Digest.String()}
	if err := store.Tag(ctx, manifest, m.Digest); err != nil {
		return nil, Manifest{}, fmt.Errorf("packing the manifest: %w", err)
	}
	return store, m, nil
}

// Push stores an archive under the tag of a reference and returns its manifest.
func Push(ctx context.Context, r Reference, archive []byte, annotations map[string]string, o Options) (Manifest, error) {
	store, m, err := pack(ctx, archive, annotations)
	if err != nil {
		return Manifest{}, err
	}
	if r.Pinned() && r.digest != m.Digest {
		return Manifest{}, fmt.Errorf("pushing %s: the package has the digest %s", r, m.Digest)
	}
	repo, err := o.open(r)
	if err != nil {
		return Manifest{}, err
	}
	name := r.tag
	if name == "" {
		name = m.Digest
	}
	if _, err := oras.Copy(ctx, store, m.Digest, repo, name, oras.DefaultCopyOptions); err != nil {
		return Manifest{}, fmt.Errorf("pushing %s: %w%s", r, err, o.advice(r, err))
	}
	return m, nil
}

// Pull returns the archive that a reference names, and its manifest's digest. Everything is
// checked against the digests that lead to it.
func Pull(ctx context.Context, r Reference, o Options) ([]byte, Manifest, error) {
	repo, err := o.open(r)
	if err != nil {
		return nil, Manifest{}, err
	}
	raw, m, err := pull(ctx, repo, r)
	if err != nil {
		return nil, Manifest{}, fmt.Errorf("pulling %s: %w%s", r, err, o.advice(r, err))
	}
	return raw, m, nil
}

func pull(ctx context.Context, repo oras.ReadOnlyTarget, r Reference) ([]byte, Manifest, error) {
	described, raw, err := oras.FetchBytes(ctx, repo, r.wanted(), oras.FetchBytesOptions{MaxBytes: maxManifest})
	if err != nil {
		return nil, Manifest{}, err //nolint:wrapcheck // Pull says what was done
	}
	layer, err := layerOf(raw)
	if err != nil {
		return nil, Manifest{}, err
	}
	blob, err := content.FetchAll(ctx, repo, layer)
	if err != nil {
		return nil, Manifest{}, fmt.Errorf("reading the archive: %w", err)
	}
	return blob, Manifest{Digest: described.Digest.String(), Layer: layer.Digest.String()}, nil
}

// advice says what to do about an error of a registry.
func (o Options) advice(r Reference, err error) string {
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return "; check the name, or push it first with: kubectl kudo package push"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "; use --plain-http if the registry has no TLS"
	case strings.Contains(err.Error(), "response status code 401"), strings.Contains(err.Error(), "response status code 403"):
		return "; log in with: docker login " + r.host
	}
	return ""
}
