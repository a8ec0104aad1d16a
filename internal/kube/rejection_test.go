package kube

import (
	"strings"
	"testing"
)

func TestAServersMessageIsShortenedToItsFirstCause(t *testing.T) {
	const fields = `Pod "web-6d4c9f-x7x2k" is invalid: [spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always, spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers, spec.containers[1].name: Duplicate value: "istio-proxy"]`
	for _, c := range []struct{ message, want string }{
		{`pods "big-6d4c9-x7x2k" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0`,
			"the pod is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0"},
		{`(combined from similar events): Error creating: pods "a-wwl99" is forbidden: no`, "the pod is forbidden: no"},
		{`Create Pod sure-0 in StatefulSet sure failed error: pods "sure-0" is forbidden: exceeded quota: small`, "the pod is forbidden: exceeded quota: small"},
		{`Error creating: pods "a-" is forbidden: maximum cpu usage per Container is 1, but limit is 2`, "the pod is forbidden: maximum cpu usage per Container is 1, but limit is 2"},
		{`Error creating: Pod "a-x" is invalid: spec.containers[0].image: Required value`, "the pod is invalid: spec.containers[0].image: Required value"},
		{fields, `Pod "web-6d4c9f-x7x2k" is invalid: spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always (and 2 more)`},
		{`pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set it), unrestricted capabilities (container "a" must drop them), seccompProfile (pod or container "a" must set it)`,
			`the pod is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set it) (and 2 more)`},
		{"admission webhook \"deny.example.org\" denied the request:\n  no latest tag", `admission webhook "deny.example.org" denied the request: no latest tag`},
		{"it is starting", "it is starting"},
	} {
		if got := Cause(c.message); got != strings.Replace(c.want, `Pod "web-6d4c9f-x7x2k" is`, "the pod is", 1) {
			t.Errorf("of %s\n got %s\nwant %s", c.message, got, c.want)
		}
	}
}

func TestAShortenedMessageKeepsItsBeginningAndEnd(t *testing.T) {
	got := Cause(`Pod "a" is invalid: spec: Invalid value: "` + strings.Repeat("é", 2000) + `": field is immutable`)
	if n := len([]rune(got)); n > longestCause || !strings.HasPrefix(got, "the pod is invalid: spec: ") || !strings.HasSuffix(got, "field is immutable") {
		t.Errorf("%d runes: %s", n, got)
	}
}

func TestOnlyRejectionsThatStayAreForGood(t *testing.T) {
	for message, want := range map[string]bool{
		`pods "a" is forbidden: exceeded quota: small`:                                                      true,
		`pods "a" is forbidden: failed quota: q: must specify limits.cpu for: a`:                            true,
		`pods "a" is forbidden: violates PodSecurity "restricted:latest": x (y)`:                            true,
		`pods "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`:          true,
		`Pod "a" is invalid: spec.containers[0].image: Required value`:                                      true,
		`admission webhook "a.example.org" denied the request: no`:                                          true,
		`pods "a" is forbidden: error looking up service account x/a: serviceaccount "a" not found`:         false,
		`pods "a" is forbidden: no PriorityClass with name high was found`:                                  false,
		`pods "a" is forbidden: status unknown for quota: small, resources: pods`:                           false,
		`pods "a" is forbidden: unable to create new content in namespace x because it is being terminated`: false,
		`Internal error occurred: failed calling webhook "a.example.org": connection refused`:               false,
		`0/3 nodes are available: 3 Insufficient cpu.`:                                                      false,
	} {
		if got := RejectsForGood(message); got != want {
			t.Errorf("%s: %v, want %v", message, got, want)
		}
	}
}
