// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tokenLifetime is longer than any test and than a day of work with a demo that was kept.
const tokenLifetime = 24 * time.Hour

// ManagerConfig returns a configuration that acts as the manager's own ServiceAccount:
// with a token of that account, and without anything of the admin's.
func ManagerConfig(ctx context.Context, admin *rest.Config) (*rest.Config, error) {
	return AccountConfig(ctx, admin, Namespace, ServiceAccount)
}

// AccountConfig returns a configuration that acts as a ServiceAccount.
func AccountConfig(ctx context.Context, admin *rest.Config, namespace, name string) (*rest.Config, error) {
	c, err := NewClient(admin)
	if err != nil {
		return nil, err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	seconds := int64(tokenLifetime.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	if err := c.SubResource("token").Create(ctx, account, request); err != nil {
		return nil, fmt.Errorf("requesting a token for ServiceAccount %s/%s: %w", namespace, name, err)
	}
	config := rest.AnonymousClientConfig(admin)
	config.BearerToken = request.Status.Token
	return config, nil
}

// Kubeconfig encodes a configuration as a kubeconfig for other processes.
func Kubeconfig(config *rest.Config) ([]byte, error) {
	full := rest.CopyConfig(config)
	if err := rest.LoadTLSFiles(full); err != nil {
		return nil, fmt.Errorf("reading the certificates of the configuration: %w", err)
	}
	const name = "kudo"
	out := clientcmdapi.NewConfig()
	out.Clusters[name] = &clientcmdapi.Cluster{
		Server: full.Host, CertificateAuthorityData: full.CAData, InsecureSkipTLSVerify: full.Insecure, TLSServerName: full.ServerName,
	}
	out.AuthInfos[name] = &clientcmdapi.AuthInfo{
		Token: full.BearerToken, ClientCertificateData: full.CertData, ClientKeyData: full.KeyData,
	}
	out.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	out.CurrentContext = name
	raw, err := clientcmd.Write(*out)
	if err != nil {
		return nil, fmt.Errorf("encoding a kubeconfig: %w", err)
	}
	return raw, nil
}
