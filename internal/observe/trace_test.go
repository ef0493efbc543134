// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"kudo.dev/kudo/internal/graph"
)

func object(name, uid, version string, changes ...func(*metav1.PartialObjectMetadata)) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(uid), ResourceVersion: version}}
	for _, c := range changes {
		c(o)
	}
	return o
}

func ownedBy(uid string) func(*metav1.PartialObjectMetadata) {
	return func(o *metav1.PartialObjectMetadata) {
		o.OwnerReferences = []metav1.OwnerReference{{UID: types.UID(uid), Controller: ptr.To(true)}}
	}
}

func labelled(o *metav1.PartialObjectMetadata) { o.Labels = map[string]string{"app": "a"} }

// A trace changes with what is asked for, and with nothing else: others' pods in a busy
// namespace cause no reads.
func TestATraceIsOfWhatIsAskedFor(t *testing.T) {
	type objects = []*metav1.PartialObjectMetadata
	trace := func(set objects, pods objects) string {
		out := &Trace{}
		out.Add(graph.Query{Name: "set", ObjectName: "zk"}, set)
		out.Add(graph.Query{Name: "owned", OwnedBy: "set"}, pods)
		out.Add(graph.Query{Name: "claims", ClaimsOf: "set"}, pods)
		out.Add(graph.Query{Name: "labelled", Selector: map[string]string{"app": "a"}}, pods)
		return out.String()
	}
	set := objects{object("zk", "s", "1")}
	before := trace(set, objects{object("p-0", "p", "1", ownedBy("s")), object("other", "o", "1")})
	for name, tc := range map[string]struct {
		now  string
		same bool
	}{
		"in another order":            {trace(set, objects{object("other", "o", "1"), object("p-0", "p", "1", ownedBy("s"))}), true},
		"someone else's changed":      {trace(set, objects{object("p-0", "p", "1", ownedBy("s")), object("other", "o", "2")}), true},
		"someone else's is gone":      {trace(set, objects{object("p-0", "p", "1", ownedBy("s"))}), true},
		"another owner's is there":    {trace(set, objects{object("p-0", "p", "1", ownedBy("s")), object("q", "q", "1", ownedBy("t"))}), true},
		"an owned one changed":        {trace(set, objects{object("p-0", "p", "2", ownedBy("s"))}), false},
		"an owned one is gone":        {trace(set, nil), false},
		"it was made anew":            {trace(set, objects{object("p-0", "r", "1", ownedBy("s"))}), false},
		"the owner changed":           {trace(objects{object("zk", "s", "2")}, objects{object("p-0", "p", "1", ownedBy("s"))}), false},
		"the owner is gone":           {trace(nil, objects{object("p-0", "p", "1", ownedBy("s"))}), false},
		"a claim is there":            {trace(set, objects{object("p-0", "p", "1", ownedBy("s")), object("data-zk-0", "c", "1")}), false},
		"one with the label is there": {trace(set, objects{object("p-0", "p", "1", ownedBy("s")), object("l", "l", "1", labelled)}), false},
	} {
		if (tc.now == before) != tc.same {
			t.Errorf("%s: %q was %q", name, tc.now, before)
		}
	}
}
