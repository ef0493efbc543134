// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package diagnose

import (
	"fmt"
	"regexp"
	"strings"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// The API server's own words, as Kudo repeats them in its messages.
var (
	webhookWords    = regexp.MustCompile(`failed calling webhook "([^"]+)"`)
	serviceWords    = regexp.MustCompile(`https://([a-z0-9-]+)\.([a-z0-9-]+)\.svc`)
	quotaWords      = regexp.MustCompile(`exceeded quota: ([^,]+), requested: (\S+), used: (\S+), limited: (\S+)`)
	forbiddenWords  = regexp.MustCompile(`User "([^"]+)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"( at the cluster scope)?`)
	escalationWords = regexp.MustCompile(`attempting to grant RBAC permissions not currently held`)
	pendingWords    = regexp.MustCompile(`waiting until (Secret|ConfigMap) (\S+) is there`)
	objectWords     = regexp.MustCompile(`\b([A-Z][A-Za-z]+) (?:[a-z0-9.-]+/)?([a-z0-9][a-z0-9.-]*)`)
)

// words finds the cause in what the API server or Kudo said. Its summary is the message until
// a rule says it better.
func (d *diagnosis) words(f *finding) *finding {
	text := f.summary
	rules := []func(*finding, string) bool{
		d.webhookWords, d.quotaWords, d.securityWords, d.forbiddenWords, d.immutableWords, d.contentWords, d.kudoWords,
	}
	f.cause = Unknown
	for _, rule := range rules {
		if rule(f, text) {
			return f
		}
	}
	return f
}

func (d *diagnosis) webhookWords(f *finding, text string) bool {
	m := webhookWords.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	f.cause = WebhookDown
	f.summary = fmt.Sprintf("the admission webhook %s does not answer, so the API server refuses every write that it asks about", m[1])
	_, detail, _ := strings.Cut(text, `failed calling webhook "`+m[1]+`": `)
	if detail != "" {
		f.chain = append(f.chain, Link{Object: "webhook " + m[1], State: "Down", Message: oneLine(detail)})
	}
	if s := serviceWords.FindStringSubmatch(text); s != nil {
		f.next = append(f.next, anywhere("does a ready pod stand behind its service?",
			"-n %s get endpointslices -l kubernetes.io/service-name=%s", s[2], s[1]))
	}
	f.next = append(f.next, anywhere("which configuration is it, and whose?",
		"get validatingwebhookconfigurations,mutatingwebhookconfigurations -o custom-columns=KIND:.kind,NAME:.metadata.name,WEBHOOKS:.webhooks[*].name | grep %s", m[1]))
	return true
}

func (d *diagnosis) quotaWords(f *finding, text string) bool {
	if !strings.Contains(text, "exceeded quota") {
		return false
	}
	f.cause = QuotaExceeded
	name := ""
	if m := quotaWords.FindStringSubmatch(text); m != nil {
		name = m[1]
		f.summary = fmt.Sprintf("the ResourceQuota %s allows no more: requested %s, used %s, limited to %s",
			m[1], m[2], valueOf(m[3]), valueOf(strings.TrimRight(m[4], ".;,")))
	}
	f.next = []Command{
		d.kubectl("what is used?", "describe resourcequota %s", name),
		d.edit("lower what the parameters ask for, or have the quota raised"),
	}
	f.next[0].Run = strings.TrimSpace(f.next[0].Run)
	return true
}

// valueOf is what stands behind the name in requests.cpu=2.
func valueOf(pair string) string {
	if _, v, found := strings.Cut(pair, "="); found && !strings.Contains(v, "=") {
		return v
	}
	return pair
}

func (d *diagnosis) securityWords(f *finding, text string) bool {
	if !strings.Contains(text, "violates PodSecurity") {
		return false
	}
	f.cause = PodSecurity
	f.next = []Command{
		anywhere("which level does the namespace enforce?", "get namespace %s --show-labels", d.Instance.Namespace),
		d.edit("set the parameters that make its pods comply, or ask for another namespace"),
	}
	return true
}

func (d *diagnosis) forbiddenWords(f *finding, text string) bool {
	if !strings.Contains(text, "is forbidden") && !strings.Contains(text, " may not ") {
		return false
	}
	if strings.Contains(text, "impersonate") {
		f.cause = ImpersonationForbidden
		spec := d.Instance.Spec
		f.next = []Command{{
			Why: "let Kudo act as this account, with what the version needs (an admin's job)",
			Run: fmt.Sprintf("kubectl kudo -n %s deploy %s %s --version %s --service-account %s --grant-only",
				d.Instance.Namespace, spec.Framework, d.Instance.Name, spec.Version, spec.ServiceAccountName),
		}}
		return true
	}
	m := forbiddenWords.FindStringSubmatch(text)
	if m == nil {
		if escalationWords.MatchString(text) {
			f.cause = Forbidden
			f.next = []Command{d.kubectl("what may the account do?", "auth can-i --list --as=%s", d.user())}
			return true
		}
		return false
	}
	verb, what := m[2], m[3]
	if m[4] != "" {
		what += "." + m[4]
	}
	f.cause = Forbidden
	account := m[1][strings.LastIndex(m[1], ":")+1:]
	f.summary = fmt.Sprintf("the account %s may not %s %s", account, verb, what)
	role, binding, scope := "role", "rolebinding", "-n "+d.Instance.Namespace+" "
	if m[5] != "" {
		role, binding, scope = "clusterrole", "clusterrolebinding", ""
	}
	name := account + "-kudo"
	f.next = []Command{
		anywhere("what does the version need? (bind all of it, or the one right below)",
			"get frameworkversion %s-%s -o jsonpath={.status.rules}", d.Instance.Spec.Framework, d.Instance.Spec.Version),
		anywhere("grant the right (an admin's job)", "%screate %s %s --verb=get,list,watch,create,patch,delete --resource=%s", scope, role, name, what),
		anywhere("and bind it", "%screate %s %s --%s=%s --serviceaccount=%s:%s", scope, binding, name, role, name, d.Instance.Namespace, account),
	}
	return true
}

// user is how the API server names the Instance's account.
func (d *diagnosis) user() string {
	return "system:serviceaccount:" + d.Instance.Namespace + ":" + d.Instance.Spec.ServiceAccountName
}

func (d *diagnosis) immutableWords(f *finding, text string) bool {
	if !strings.Contains(text, "immutable") && !strings.Contains(text, "updates to statefulset spec for fields other than") {
		return false
	}
	f.cause = ImmutableField
	if m := objectWords.FindStringSubmatch(text); m != nil {
		if field := fieldOf(text, m[2]); field != "" {
			f.summary = fmt.Sprintf("%s %s: the field %s can not be changed in place", m[1], m[2], field)
		}
		f.next = []Command{
			d.edit("undo the change that leads to it"),
			d.kubectl("or have the object made anew; its pods stay", "delete %s --cascade=orphan", resource(m[1], m[2])),
		}
		return true
	}
	f.next = []Command{d.edit("undo the change that leads to it")}
	return true
}

// fieldOf is the field that stands before the API server's complaint about an object.
func fieldOf(text, name string) string {
	_, rest, found := strings.Cut(text, `"`+name+`" is invalid: `)
	if !found {
		return ""
	}
	field, _, found := strings.Cut(strings.TrimPrefix(rest, "["), ": ")
	if !found || strings.ContainsAny(field, " \"") {
		return ""
	}
	return field
}

func (d *diagnosis) contentWords(f *finding, text string) bool {
	m := pendingWords.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	name := m[2][strings.LastIndex(m[2], "/")+1:]
	f.cause = ConfigMissing
	f.summary = fmt.Sprintf("the %s %s does not exist, and pods of the step name it", m[1], name)
	f.next = []Command{
		d.kubectl("is there one of another name?", "get %ss", strings.ToLower(m[1])),
		d.kubectl("make it, with the keys that the pods name", "create %s %s --from-literal=KEY=VALUE", creatable(m[1]), name),
	}
	return true
}

func creatable(kind string) string {
	if kind == "Secret" {
		return "secret generic"
	}
	return strings.ToLower(kind)
}

// kudoWords goes by Kudo's own words, which do not depend on the API server's version.
func (d *diagnosis) kudoWords(f *finding, text string) bool {
	for _, rule := range []struct {
		words string
		cause Cause
		next  Command
	}{
		{"does not belong to this Instance", NotOwned, d.edit("set spec.adopt: true to take the object over, or rename or remove it")},
		{"exists and does not belong", NotOwned, d.edit("set spec.adopt: true to take the object over, or rename or remove it")},
		{"other managers own fields", FieldConflict, d.edit("leave the field to the other with spec.ignoreFields, or remove its claim")},
		{"can not be taken back", Refused, d.kudo("skip", "PATH --reason \"...\"", "take the job back by hand, then skip its part")},
		{"was removed before its result was known", OutcomeUnknown, d.kudo("logs", "", "did it do its work?")},
	} {
		if strings.Contains(text, rule.words) {
			f.cause, f.next = rule.cause, []Command{rule.next}
			return true
		}
	}
	return false
}

// reason finds the cause by the words of a run or task, or else by its reason: an author's
// words may be any.
func (d *diagnosis) reason(message, reason string) *finding {
	f := d.words(&finding{summary: message})
	if f.cause != Unknown {
		return f
	}
	fwv := d.Instance.Spec.Framework + "-" + d.Instance.Spec.Version
	switch reason {
	case v1alpha1.ReasonInvalidTemplate, v1alpha1.ReasonExpression:
		f.cause = TemplateFails
		f.next = []Command{
			d.edit("are the parameters what the version's author expects?"),
			anywhere("the template or expression that fails", "get frameworkversion %s -o yaml", fwv),
		}
	case v1alpha1.ReasonRequirement:
		f.cause = RequirementNotMet
		f.next = []Command{d.kudo("tree", "", "see what the requirement looks at")}
	case v1alpha1.ReasonOutcomeUnknown:
		f.cause = OutcomeUnknown
		f.next = []Command{d.kudo("logs", "", "did it do its work?")}
	case v1alpha1.ReasonRefused, v1alpha1.ReasonInputsLost, v1alpha1.ReasonNothingToRestore, v1alpha1.ReasonPlanMissing:
		f.cause = Refused
		f.next = []Command{d.edit("change what the API server refuses")}
	case v1alpha1.ReasonNoUndo:
		f.cause = Refused
		f.next = []Command{d.kudo("skip", "PATH --reason \"...\"", "take the job back by hand, then skip its part")}
	case v1alpha1.ReasonJobFailed:
		f.cause = JobFailed
	}
	return f
}
