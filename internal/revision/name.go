// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package revision

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// The kinds of revisions, as in the label kudo.dev/revision and at the end of names.
const (
	KindInputs  = "inputs"
	KindApplied = "applied"
)

// maxName keeps derived names within a label value and a Job's name.
const maxName = 63

// ExecutionName derives the name of a PlanExecution. The UID in the hash makes a
// re-created Instance's executions other ones.
func ExecutionName(instance string, uid types.UID, plan, trigger string) string {
	return derive(instance+"-"+plan, string(uid), plan, trigger)
}

// JobName derives the name of the Job of one attempt of a task.
func JobName(instance string, execution types.UID, path string, attempt int32) string {
	task := path[strings.LastIndex(path, "/")+1:]
	return derive(instance+"-"+task, string(execution), path, strconv.Itoa(int(attempt)))
}

// SecretName derives the name of the Secret that is generated for a parameter. There is
// no UID in it: an Instance that is created again finds what it had.
func SecretName(instance, parameter string) string {
	readable := strings.ToLower(strings.ReplaceAll(parameter, "_", "-"))
	return derive(instance+"-"+readable, instance, parameter)
}

// SecretKey is where a generated Secret holds its value.
const SecretKey = "value"

// Name of a revision of an execution. The UID in it makes the revisions of an
// execution of the same name other ones.
func Name(execution string, uid types.UID, kind string) string {
	sum := sha256.Sum256([]byte(uid))
	return execution + "-" + hex.EncodeToString(sum[:])[:8] + "-" + kind
}

// derive cuts a readable prefix and appends a hash of everything that matters.
func derive(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	hash := hex.EncodeToString(sum[:])[:10]
	if limit := maxName - len(hash) - 1; len(prefix) > limit {
		prefix = strings.TrimRight(prefix[:limit], "-.")
	}
	return prefix + "-" + hash
}
