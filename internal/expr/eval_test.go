// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	cases := map[string]struct {
		source string
		want   any
	}{
		"parameter":                    {`params.replicas + 1`, int64(4)},
		"number is a double":           {`params.ratio * 1.5`, 3.0},
		"numbers compare across types": {`params.ratio > 1 && params.replicas < 3.5`, true},
		"optional parameter":           {`params.zone == null`, true},
		"nested":                       {`params.backup.cron`, "0 * * * *"},
		"nested, optional":             {`params.backup.?keep.orValue(8)`, int64(8)},
		"has":                          {`has(params.backup.keep)`, false},
		"list":                         {`params.hosts.map(h, h + '.' + instance.name)`, []any{"a.zk", "b.zk"}},
		"map":                          {`params.labels['a.b/c']`, "d"},
		"int or string":                {`string(params.port)`, "80"},
		"old":                          {`old != null && params.replicas < old.params.replicas`, true},
		"old of a removed parameter":   {`dyn(old.params)['legacy']`, "x"},
		"old version":                  {`semver(version.app).minor() - semver(old.version.app).minor()`, int64(1)},
		"changed":                      {`[changed.replicas, changed.storage]`, []any{true, false}},
		"run":                          {`run.trigger`, "spec/1/abc"},
		"quantity":                     {`quantity(params.storage).isLessThan(quantity('10Gi'))`, true},
		"quantity equals":              {`quantity(params.storage) == quantity(old.params.storage)`, true},
		"quantity arithmetic":          {`quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')`, true},
		"quantity as text":             {`quantity('512Mi').add(quantity('512Mi'))`, "1Gi"},
		"quantity scalars":             {`[quantity('50k').isInteger(), quantity('0.5').isInteger(), quantity('50k').asInteger() == 50000, quantity('-1').sign() == -1, isQuantity('1GB')]`, []any{true, false, true, true, false}},
		"quantity as float":            {`quantity('500m').asApproximateFloat()`, 0.5},
		"quantity compareTo":           {`quantity('200M').compareTo(quantity('0.2G'))`, int64(0)},
		"semver":                       {`[semver('3.10.0').isGreaterThan(semver('3.9.9')), semver('1.0.0-rc.1').isLessThan(semver('1.0.0')), semver('v01.2', true) == semver('1.2.0'), isSemver('v1.0'), isSemver('v1.0', true)]`, []any{true, true, true, false, true}},
		"semver parts":                 {`[semver('3.8.4').major(), semver('3.8.4').patch()]`, []any{int64(3), int64(4)}},
		"url":                          {`[url('https://u@example.com:80/a b?k=1&k=2').getHost(), url('https://[::1]:80/').getHostname(), url('https://x/').getPort(), url('https://x/a%20b').getEscapedPath()]`, []any{"example.com:80", "::1", "", "/a%20b"}},
		"url query":                    {`url('https://x/?k=1&k=2').getQuery()`, map[string]any{"k": []any{"1", "2"}}},
		"isURL":                        {`[isURL('../x'), isURL('/x')]`, []any{false, true}},
		"find":                         {`['abc 123'.find('[0-9]+'), 'abc'.find('x')]`, []any{"123", ""}},
		"findAll":                      {`['1 2 3'.findAll('[0-9]'), '1 2 3'.findAll('[0-9]', 2), 'a'.findAll('x')]`, []any{[]any{"1", "2", "3"}, []any{"1", "2"}, []any{}}},
		"ready":                        {`objects.pods.filter(p, p.ready()).size()`, int64(2)},
		"ready of nothing":             {`objects.gone.ready()`, false},
		"ordinal":                      {`objects.pods.map(p, p.ordinal())`, []any{int64(0), int64(1), int64(2)}},
		"outdated":                     {`objects.pods.filter(p, p.outdated(objects.sts)).map(p, p.metadata.name)`, []any{"zk-1", "zk-2"}},
		"restarts":                     {`objects.pods.map(p, p.restarts())`, []any{int64(1), int64(3), int64(1)}},
		"condition":                    {`objects.pods[2].condition('Ready').status`, "False"},
		"no condition":                 {`objects.pods[2].condition('Nope') == null`, true},
		"condition of nothing":         {`objects.gone.condition('Ready')`, nil},
		"first, an optional":           {`objects.pods.filter(p, p.ready()).first()`, pod("zk-0", "True", "zk-2", 0)},
		"absent object":                {`objects.gone == null`, true},
		"sets, math, lists":            {`[sets.contains([1, 2], [1]), math.greatest(1, 3) == 3, lists.range(3).reverse() == [2, 1, 0], [3, 1].sort() == [1, 3]]`, []any{true, true, true, true}},
		"sortBy":                       {`objects.pods.sortBy(p, -p.ordinal()).map(p, p.metadata.name)`, []any{"zk-2", "zk-1", "zk-0"}},
		"bind":                         {`cel.bind(n, params.replicas, n * n)`, int64(9)},
		"two variables":                {`{'a': 1}.transformList(k, v, k + string(v))`, []any{"a1"}},
		"mixed list":                   {`[1, 'a', null]`, []any{int64(1), "a", nil}},
		"timestamp":                    {`timestamp('2026-01-01T00:00:00Z') + duration('1h')`, "2026-01-01T01:00:00Z"},
		"duration":                     {`duration('90s')`, "1m30s"},
		"uint":                         {`18446744073709551615u`, uint64(18446744073709551615)},
		"escaped field":                {"objects.sts.metadata.`name`", "zk"},
		"hyphen":                       {`objects.pods[0].metadata.labels['controller-revision-hash']`, "zk-2"},
		"replace, join, format":        {`'a-b'.replace('-', '.') + ['x', 'y'].join(',') + '%d'.format([3])`, "a.bx,y3"},
		"equality":                     {`[objects.pods == objects.pods, {'a': [1]} != {'a': [1]}, 1 in [2, 1], 'a' in {'a': 1}]`, []any{true, false, true, true}},
		"flatten, distinct":            {`[[1], [1, 2]].flatten().distinct()`, []any{int64(1), int64(2)}},
	}
	e, v := env(t), vars()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := e.Compile(Value, tc.source)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Eval(v)
			if diff := cmp.Diff(Result{Value: tc.want}, got); diff != "" {
				t.Error(diff, got.Err)
			}
		})
	}
	if diff := cmp.Diff(vars(), v); diff != "" {
		t.Errorf("an evaluation changed what it saw: %s", diff)
	}
}

func TestMissing(t *testing.T) {
	cases := map[string]struct {
		kind   Kind
		source string
		note   string
	}{
		"field":             {Until, `objects.sts.status.readyReplicas == 3`, `objects.sts.status.readyReplicas is not set`},
		"object":            {Until, `objects.gone.status.ready`, `objects.gone.status.ready is not set`},
		"self":              {ReadyWhen, `self.status.leader == 'x'`, `self.status.leader is not set`},
		"within a macro":    {Until, `objects.pods.all(p, p.status.podIP != '')`, `p.status.podIP is not set`},
		"index":             {Until, `objects.pods[7].ready()`, `objects.pods[7] is past the end of the list`},
		"optional":          {Until, `objects.pods.filter(p, p.ordinal() == 9).first().value().ready()`, `objects.pods.filter(p, p.ordinal() == 9).first() has no value`},
		"optional result":   {Value, `objects.pods.filter(p, p.ordinal() == 9).first()`, `objects.pods.filter(p, p.ordinal() == 9).first() has no value`},
		"null operand":      {Until, `params.limit > 3`, `params.limit is null`},
		"null list":         {Until, `objects.gone.filter(p, true).size() > 0`, `a list that the expression walks over is null`},
		"null result":       {Until, `objects.gone`, `objects.gone is null`},
		"unset parameter":   {Until, `params.backup.keep > 3`, `params.backup.keep is not set`},
		"instance":          {When, `instance.uid == ''`, `instance.uid is not set`},
		"outdated, no sts":  {Until, `objects.pods.exists(p, p.outdated(objects.gone))`, `the StatefulSet given to outdated() is missing`},
		"condition":         {Until, `objects.sts.condition('Ready').status == 'True'`, `objects.sts.condition("Ready").status is not set`},
		"old before deploy": {Rule, `old.params.replicas > 3`, `old.params.replicas is not set`},
	}
	e := env(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := vars()
			if tc.kind == Rule {
				v.OldParams = nil
			}
			p, err := e.Compile(tc.kind, tc.source)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Eval(v)
			if diff := cmp.Diff(Result{Outcome: Missing, Note: tc.note}, got); diff != "" {
				t.Error(diff, got.Err)
			}
			if got.True() || got.Problem() == nil {
				t.Error("missing is not true and is a problem")
			}
		})
	}
}

func TestStaleStatefulSet(t *testing.T) {
	v := vars()
	v.Objects["sts"].(map[string]any)["metadata"].(map[string]any)["generation"] = int64(3)
	p, err := env(t).Compile(Until, `!objects.pods.exists(p, p.outdated(objects.sts))`)
	if err != nil {
		t.Fatal(err)
	}
	want := Result{Outcome: Missing, Note: "a status of the StatefulSet's newest generation is missing"}
	if diff := cmp.Diff(want, p.Eval(v)); diff != "" {
		t.Error(diff)
	}
}

func TestTerminatingIsNotReady(t *testing.T) {
	v := vars()
	v.Objects["pods"].([]any)[0].(map[string]any)["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
	p, err := env(t).Compile(Until, `objects.pods[0].ready()`)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Eval(v); got.True() {
		t.Errorf("got %v", got)
	}
}

func TestFailures(t *testing.T) {
	const laughs = `[[1, 1]].map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a]).map(a, [a, a])`
	cases := map[string]struct {
		kind   Kind
		source string
		want   string
	}{
		"division":           {Value, `1 / (params.replicas - 3)`, `1:3: division by zero`},
		"not a bool":         {When, `params.port`, `the expression must yield true or false, not a number`},
		"not a list":         {Objects, `objects.sts`, `the expression must yield a list of objects, not an object`},
		"types":              {Value, `objects.sts.spec.replicas + 'a'`, `1:27: + does not work with values of these types`},
		"quantity":           {Value, `quantity(params.hosts[0])`, `1:9: the argument of quantity() is not a quantity such as 512Mi`},
		"semver":             {Value, `semver(params.hosts[0])`, `1:7: the argument of semver() is not a semantic version such as 3.8.4; semver(x, true) reads v3.8 too`},
		"ordinal":            {Value, `objects.sts.ordinal()`, `1:20: ordinal() needs an object whose name ends in a number, such as zk-0`},
		"no value in errors": {Value, `int(params.labels['a.b/c'])`, `1:4: type conversion error from … to …`},
		"cost":               {Value, `lists.range(1000).map(a, lists.range(1000).map(b, a * b)).size()`, `the expression costs too much: it walks over too many values`},
		"range":              {Value, `lists.range(100000000).size()`, `1:12: lists.range: size 100000000 exceeds maximum allowed (10000)`},
		"replace bomb":       {Value, `lists.range(5000).map(i, 'aaaaaaaaaa').join('').replace('a', lists.range(5000).map(i, 'bbbb').join('')).size()`, `1:56: the values are too big for replace()`},
		"join bomb":          {Value, `cel.bind(s, lists.range(5000).map(i, 'aaaaaaaaaa').join(''), lists.range(5000).map(i, s).join('').size())`, `1:94: the values are too big for join()`},
		"flatten bomb":       {Value, `cel.bind(s, lists.range(1000), lists.range(1000).map(i, s).flatten().size())`, `1:67: the values are too big for flatten()`},
		"distinct bomb":      {Value, `lists.range(10000).distinct().size()`, `the expression costs too much: it walks over too many values`},
		"equality bomb":      {Value, laughs + " == " + laughs, `1:295: the values are too big for ==`},
		"result bomb":        {Value, laughs, `the result is too big`},
		"not a number":       {Value, `0.0 / 0.0`, `the result is not a finite number`},
	}
	e, v := env(t), vars()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := e.Compile(tc.kind, tc.source)
			if err != nil {
				t.Fatal(err)
			}
			got := p.Eval(v)
			if got.Outcome != Failed {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff(tc.want, got.Err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkEval(b *testing.B) {
	p, err := env(b).Compile(Until, `objects.pods.filter(p, p.ready()).size() == params.replicas && !objects.pods.exists(p, p.outdated(objects.sts))`)
	if err != nil {
		b.Fatal(err)
	}
	v := vars()
	b.ReportAllocs()
	for b.Loop() {
		p.Eval(v)
	}
}

func BenchmarkNewEnv(b *testing.B) {
	s := schema(b)
	for b.Loop() {
		if _, err := NewEnv(Options{Parameters: s}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	e := env(b)
	for b.Loop() {
		if _, err := e.Compile(When, `objects.pods.filter(p, p.ready()).size() == params.replicas`); err != nil {
			b.Fatal(err)
		}
	}
}
