// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package access writes what clients and servers of a cluster need to know each other: certificates and kubeconfigs.
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kudo.dev/kudo/hack/devcluster/internal/home"
	"kudo.dev/kudo/hack/devcluster/internal/pki"
)

// Files are the paths of a cluster's certificates, keys and kubeconfigs.
type Files struct {
	CA                string
	ServerCert        string
	ServerKey         string
	ServiceAccountKey string

	// Admin is the kubeconfig for people and tests.
	Admin string
	// Devcluster is the kubeconfig of what stands in for nodes, disks and faults, so that audit logs tell it from Admin.
	Devcluster        string
	ControllerManager string
	Scheduler         string
}

const (
	masters = "system:masters"
	// renewBefore is the remaining life below which an authority is made anew.
	renewBefore = 2 * 365 * 24 * time.Hour
)

// Prepare writes the files for an API server on a port of loopback. The authority and the service account key of an
// earlier run are kept, so that tokens and kubeconfigs stay good; everything else is made anew.
func Prepare(h home.Home, port int, serviceIP net.IP) (Files, error) {
	files := Files{
		CA: h.File("ca.crt"), ServerCert: h.File("apiserver.crt"), ServerKey: h.File("apiserver.key"),
		ServiceAccountKey: h.File("service-account.key"),
		Admin:             h.File(home.Kubeconfig), Devcluster: h.File("devcluster.kubeconfig"),
		ControllerManager: h.File("kube-controller-manager.kubeconfig"), Scheduler: h.File("kube-scheduler.kubeconfig"),
	}
	authority, err := keepAuthority(files.CA, h.File("ca.key"))
	if err != nil {
		return files, err
	}
	if err := keepSigningKey(files.ServiceAccountKey); err != nil {
		return files, err
	}
	if err := writeServer(authority, files, serviceIP); err != nil {
		return files, err
	}
	server := fmt.Sprintf("https://127.0.0.1:%d", port)
	for _, c := range []struct{ file, user, group string }{
		{files.Admin, "admin", masters},
		{files.Devcluster, "devcluster", masters},
		{files.ControllerManager, "system:kube-controller-manager", ""},
		{files.Scheduler, "system:kube-scheduler", ""},
	} {
		if err := writeKubeconfig(authority, c.file, server, c.user, c.group); err != nil {
			return files, err
		}
	}
	return files, nil
}

func keepAuthority(certFile, keyFile string) (*pki.Authority, error) {
	cert, certErr := os.ReadFile(certFile)
	key, keyErr := os.ReadFile(keyFile)
	if certErr == nil && keyErr == nil {
		authority, err := pki.LoadAuthority(pki.KeyPair{Cert: cert, Key: key}, time.Now)
		if err != nil {
			return nil, err
		}
		if authority.Expires().After(time.Now().Add(renewBefore)) {
			return authority, nil
		}
	}
	authority, err := pki.NewAuthority("devcluster", time.Now)
	if err != nil {
		return nil, err
	}
	return authority, write(map[string][]byte{certFile: authority.Pair.Cert, keyFile: authority.Pair.Key})
}

func keepSigningKey(file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	return write(map[string][]byte{file: key})
}

func writeServer(authority *pki.Authority, files Files, serviceIP net.IP) error {
	names := []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	pair, err := authority.Server(names, []net.IP{net.IPv4(127, 0, 0, 1), serviceIP})
	if err != nil {
		return err
	}
	return write(map[string][]byte{files.ServerCert: pair.Cert, files.ServerKey: pair.Key})
}

func writeKubeconfig(authority *pki.Authority, file, server, user, group string) error {
	var groups []string
	if group != "" {
		groups = []string{group}
	}
	pair, err := authority.Client(user, groups...)
	if err != nil {
		return err
	}
	const name = "devcluster"
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: authority.Pair.Cert}
	cfg.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: pair.Cert, ClientKeyData: pair.Key}
	cfg.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: user}
	cfg.CurrentContext = name
	if err := clientcmd.WriteToFile(*cfg, file); err != nil {
		return fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
	}
	return nil
}

func write(files map[string][]byte) error {
	for name, data := range files {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return fmt.Errorf("writing a certificate or key: %w", err)
		}
	}
	return nil
}
