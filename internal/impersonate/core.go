// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package impersonate

import (
	"fmt"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// CoreFor returns a client of the core group that acts as the account, for what the
// other clients have no word for: logs. It shares their connections and is made anew at
// each call, for it is cheap and seldom needed.
func (p *Pool) CoreFor(a Account) (corev1client.CoreV1Interface, error) {
	m, err := p.memberFor(a)
	if err != nil {
		return nil, err
	}
	c, err := corev1client.NewForConfigAndClient(p.base, m.http)
	if err != nil {
		return nil, fmt.Errorf("building the client of account %s: %w", a, err)
	}
	return c, nil
}
