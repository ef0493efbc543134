// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package argocd

import (
	"fmt"
	"strings"

	"kudo.dev/kudo/internal/generate"
	"kudo.dev/kudo/internal/generate/kustomize"
)

// repository stands for the one that a person fills in.
const repository = "https://git.example.com/platform.git"

func applicationOf(name, wave string, source map[string]any, namespace string, policy map[string]any) map[string]any {
	destination := map[string]any{"server": "https://kubernetes.default.svc"}
	if namespace != "" {
		destination["namespace"] = namespace
	}
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": map[string]any{
			"name": name, "namespace": "argocd",
			"annotations": map[string]any{"argocd.argoproj.io/sync-wave": wave},
		},
		"spec": map[string]any{"project": "default", "source": source, "destination": destination, "syncPolicy": policy},
	}
}

func from(s *generate.Source, dir string) map[string]any {
	return map[string]any{"repoURL": repository, "targetRevision": "main", "path": s.Framework.Name + "/" + dir}
}

// frameworkApplication applies server-side, because a version may be too large for the
// annotation of a client-side apply, and prunes nothing, because objects may run it.
func frameworkApplication(s *generate.Source) map[string]any {
	return applicationOf(s.Framework.Name+"-framework", "0", from(s, kustomize.FrameworkDir), "", map[string]any{
		"automated":   map[string]any{"prune": false, "selfHeal": true},
		"syncOptions": []any{"ServerSideApply=true"},
	})
}

// application retries until the kind exists, and keeps the rights when the object goes: Kudo
// cleans up with them.
func application(s *generate.Source, namespace string) map[string]any {
	source := from(s, kustomize.OverlayDir)
	source["kustomize"] = map[string]any{"patches": []any{map[string]any{
		"target": map[string]any{"kind": "(ServiceAccount|Role|RoleBinding|ClusterRole|ClusterRoleBinding)"},
		"patch":  "- op: add\n  path: /metadata/annotations\n  value: {argocd.argoproj.io/sync-options: 'Prune=false,Delete=false'}\n",
	}}}
	return applicationOf(s.Framework.Name, "1", source, namespace, map[string]any{
		"automated":   map[string]any{"prune": true, "selfHeal": true},
		"syncOptions": []any{"CreateNamespace=true", "ServerSideApply=true", "SkipDryRunOnMissingResource=true"},
		"retry":       map[string]any{"limit": 10, "backoff": map[string]any{"duration": "5s", "factor": 2, "maxDuration": "3m"}},
	})
}

func readme(s *generate.Source) string {
	plans := make([]string, 0, len(byHand(s)))
	for _, p := range byHand(s) {
		plans = append(plans, generate.Code("run-"+p))
	}
	return fmt.Sprintf(`<!-- %s -->

# %s %s with Argo CD

| file | what it is |
|---|---|
| `+"`argocd-cm.yaml`"+` | a patch of Argo CD's ConfigMap: health and actions of Kudo's kinds and of %s |
| `+"`application-framework.yaml`"+` | an Application that publishes the framework |
| `+"`application.yaml`"+` | an Application that delivers an object |

`+"```"+`
kubectl -n argocd patch configmap argocd-cm --patch-file argocd-cm.yaml
`+"```"+`

## Health

| health | when |
|---|---|
| Healthy | Ready, or the run succeeded |
| Progressing | a plan runs, or Kudo has not seen the newest spec |
| Suspended | suspended, paused, or waiting for an approval |
| Degraded | a plan is stalled, failed or was cancelled; the message says why |

## Actions

- On a PlanExecution: `+"`pause`, `resume`, `retry`, `approve`, `cancel`, `cancel-undo`"+`. Each appends a request that Kudo carries out once; it is made in the name of Argo CD's account. What concerns one step alone, such as skip, takes `+"`kubectl kudo`"+`.
- On an Instance and on a %s: `+"`suspend`, `unsuspend`"+`.
- On a %s, a run of a plan: %s.

## Good to know

- Use the tracking method `+"`annotation`"+`: labels of an object go along to what Kudo makes for it, and so would the label by which Argo CD knows its own.
- The Application retries until the kind exists. Its account and roles are not pruned: Kudo cleans up with them. Remove them once the object is gone.
- A change in Git while a plan runs is no failure: the plan gives way at its next safe point.
`, s.Header(Artefact), generate.Prose(s.Title()), s.Version.Spec.Version, s.Kind.Kind, s.Kind.Kind, s.Kind.Kind, strings.Join(plans, ", "))
}
