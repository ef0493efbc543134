// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
)

// serve starts a registry on a loopback address and returns its host and what it was asked.
func serve(t *testing.T, change func(http.Handler) http.Handler) string {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if change != nil {
		handler = change(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func parse(t *testing.T, text string) Reference {
	t.Helper()
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var anonymous = Options{Anonymous: true}

func TestWhatIsPushedIsPulled(t *testing.T) {
	host := serve(t, nil)
	archive := []byte("an archive")
	labels := map[string]string{"org.opencontainers.image.title": "redis"}
	computed, err := Pack(t.Context(), archive, labels)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := Push(t.Context(), parse(t, "oci://"+host+"/team/redis:7.2.0"), archive, labels, anonymous)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(computed, pushed); diff != "" {
		t.Errorf("computed and pushed manifests (-want +got):\n%s", diff)
	}
	again, err := Push(t.Context(), parse(t, host+"/team/redis:latest"), archive, labels, anonymous)
	if err != nil || again != pushed {
		t.Errorf("the second push: %v, %v", again, err)
	}
	for _, ref := range []string{":7.2.0", "@" + pushed.Digest, ":latest@" + pushed.Digest} {
		raw, m, err := Pull(t.Context(), parse(t, host+"/team/redis"+ref), anonymous)
		if err != nil || !bytes.Equal(raw, archive) || m != pushed {
			t.Errorf("%s: %q, %v, %v", ref, raw, m, err)
		}
	}
}

// A registry, or whoever stands between, can not slip in other content.
func TestContentThatIsNotWhatTheDigestSays(t *testing.T) {
	archive := []byte("an archive")
	forged := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("an Archive"))
		})
	})
	m, err := Push(t.Context(), parse(t, forged+"/redis:1"), archive, nil, anonymous)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"/redis:1", "/redis@" + m.Digest} {
		if raw, _, err := Pull(t.Context(), parse(t, forged+ref), anonymous); err == nil {
			t.Errorf("%s gave %q", ref, raw)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	host := serve(t, nil)
	closed := serve(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	})
	m, err := Push(t.Context(), parse(t, host+"/redis:1"), []byte("x"), nil, anonymous)
	if err != nil {
		t.Fatal(err)
	}
	other := "sha256:" + strings.Repeat("0", 64)
	tests := map[string]struct {
		do    func() error
		words []string
	}{
		"no such tag": {func() error { _, _, err := Pull(t.Context(), parse(t, host+"/redis:2"), anonymous); return err },
			[]string{"pulling " + host + "/redis:2", "kubectl kudo package push"}},
		"no such digest": {func() error {
			_, _, err := Pull(t.Context(), parse(t, host+"/redis:1@"+other), anonymous)
			return err
		}, []string{"pulling", "package push"}},
		"another digest": {func() error {
			_, err := Push(t.Context(), parse(t, host+"/redis:1@"+other), []byte("x"), nil, anonymous)
			return err
		}, []string{"the package has the digest " + m.Digest}},
		"not logged in": {func() error { _, _, err := Pull(t.Context(), parse(t, closed+"/redis:1"), anonymous); return err },
			[]string{"docker login " + closed}},
		"no reference":     {func() error { _, err := Parse("Redis"); return err }, []string{`"Redis" is not host/repository[:tag][@sha256:digest]`}},
		"a broken digest":  {func() error { _, err := Parse("h/r@sha256:1"); return err }, []string{"is not host/repository"}},
		"two things in it": {func() error { _, err := layerOf([]byte(`{"artifactType": "` + ArtifactType + `"}`)); return err }, []string{"exactly one layer"}},
		"an image": {func() error {
			_, err := layerOf([]byte(`{"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}}`))
			return err
		}, []string{"it is no package of Kudo", "image.config"}},
		"too large": {func() error {
			_, err := layerOf([]byte(`{"artifactType": "` + ArtifactType + `", "layers": [{"mediaType": "` + LayerType + `", "size": 99999999999}]}`))
			return err
		}, []string{"99999999999 bytes"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.do()
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tt.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}
