// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import "kudo.dev/kudo/hack/devcluster/internal/home"

const (
	auditPolicyFile = "audit-policy.yaml"
	auditPolicy     = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`
)

// auditArgs turns on an audit log of every request, one JSON line each, written at once and not in batches.
func auditArgs(h home.Home, file string) ([]string, error) {
	if err := h.WriteFile(auditPolicyFile, []byte(auditPolicy)); err != nil {
		return nil, err
	}
	return []string{
		"--audit-policy-file=" + h.File(auditPolicyFile),
		"--audit-log-path=" + file,
		"--audit-log-mode=blocking",
		"--audit-log-maxsize=10000", // MB: readers should not have to follow a rotation
	}, nil
}
