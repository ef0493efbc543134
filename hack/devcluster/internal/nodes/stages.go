// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"fmt"
	"io/fs"

	"sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"

	"kudo.dev/kudo/hack/devcluster/internal/faults"
	"kudo.dev/kudo/hack/devcluster/stages"
)

// completeDelay lets the pod of a Job be seen running.
const completeDelay int64 = 300 // milliseconds

// loadStages returns KWOK's stages, made to heed faults, and our own. For no pod may two of them match at a time: KWOK
// would choose one by lot.
func loadStages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	all := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	add := func(name, text string, edit func(*internalversion.Stage)) error {
		stage, err := config.UnmarshalWithType[*internalversion.Stage]([]byte(text))
		if err != nil {
			return fmt.Errorf("reading stage %s: %w", name, err)
		}
		edit(stage)
		all[stage.Spec.ResourceRef] = append(all[stage.Spec.ResourceRef], stage)
		return nil
	}
	for name, stock := range map[string]struct {
		text string
		edit func(*internalversion.Stage)
	}{
		"node-initialize": {fast.DefaultNodeInit, asIs},
		"node-heartbeat":  {heartbeat.DefaultNodeHeartbeatWithLease, asIs},
		"pod-ready":       {podfast.DefaultPodReady, gateReady},
		"pod-complete":    {podfast.DefaultPodComplete, gateComplete},
		"pod-delete":      {podfast.DefaultPodDelete, asIs},
	} {
		if err := add(name, stock.text, stock.edit); err != nil {
			return nil, err
		}
	}
	files, err := fs.Glob(stages.Files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing stages: %w", err)
	}
	for _, name := range files {
		text, err := stages.Files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading stage %s: %w", name, err)
		}
		if err := add(name, string(text), asIs); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func asIs(*internalversion.Stage) {}

// gateReady holds a pod back until the injector has checked it, so that a fault that is on never comes too late.
func gateReady(s *internalversion.Stage) {
	require(s, faults.AnnotationChecked, internalversion.SelectorOpExists)
	require(s, faults.AnnotationFault, internalversion.SelectorOpNotIn,
		string(faults.ModeFail), string(faults.ModeUnready), string(faults.ModeSlow))
}

func gateComplete(s *internalversion.Stage) {
	require(s, faults.AnnotationFault, internalversion.SelectorOpNotIn, string(faults.ModeFail), string(faults.ModeUnready))
	delay := completeDelay
	s.Spec.Delay = &internalversion.StageDelay{
		DurationMilliseconds: &delay,
		DurationFrom: &internalversion.ExpressionFrom{
			JQ: &internalversion.ExpressionJQ{Expression: annotation(faults.AnnotationNotBefore)},
		},
	}
}

func require(s *internalversion.Stage, key string, op internalversion.SelectorOperator, values ...string) {
	s.Spec.Selector.MatchExpressions = append(s.Spec.Selector.MatchExpressions, internalversion.MatchExpression{
		JQ: &internalversion.SelectorJQ{Key: annotation(key), Operator: op, Values: values},
	})
}

func annotation(key string) string { return fmt.Sprintf(".metadata.annotations[%q]", key) }
