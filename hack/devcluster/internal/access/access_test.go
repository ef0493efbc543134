// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"

	"kudo.dev/kudo/hack/devcluster/internal/home"
)

func TestPrepareKeepsWhatClientsHold(t *testing.T) {
	h, err := home.At(filepath.Join(t.TempDir(), "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Create(); err != nil {
		t.Fatal(err)
	}
	prepare := func() (Files, map[string]string) {
		files, err := Prepare(h, 1234, net.IPv4(10, 96, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		return files, map[string]string{
			"authority": read(t, files.CA), "service account key": read(t, files.ServiceAccountKey),
		}
	}
	files, first := prepare()
	serving := read(t, files.ServerCert)
	_, second := prepare()
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("changed by a restart:\n%s", diff)
	}
	if read(t, files.ServerCert) == serving {
		t.Error("the serving certificate was not renewed by a restart")
	}
}

func TestKubeconfigStandsAlone(t *testing.T) {
	h, err := home.At(filepath.Join(t.TempDir(), "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Create(); err != nil {
		t.Fatal(err)
	}
	files, err := Prepare(h, 1234, net.IPv4(10, 96, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", files.Admin)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Host != "https://127.0.0.1:1234" {
		t.Errorf("server is %s", cfg.Host)
	}
	if cfg.BearerToken != "" || cfg.CAFile != "" || len(cfg.CAData) == 0 || len(cfg.CertData) == 0 || len(cfg.KeyData) == 0 {
		t.Errorf("want certificates inside the kubeconfig and no token, got %+v", cfg.TLSClientConfig)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
