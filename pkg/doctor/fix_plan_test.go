package doctor

import (
	"slices"
	"testing"
)

func titles(list []Proposal) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.Fix.Title)
	}
	return out
}

func TestARoundPrescribesWhatIsAllowedOncePerObject(t *testing.T) {
	r := diagnose(
		check("a/first", []Finding{{Severity: Error, About: about("one"), Fix: fixOf("first of one", Safe, "one")}}, nil),
		check("a/second", []Finding{
			{Severity: Error, About: about("one"), Fix: fixOf("second of one", Safe, "one")},
			{Severity: Error, About: about("two"), Fix: fixOf("restarts two", RestartsPods, "two")},
			{Severity: Error, About: about("three"), Fix: fixOf("loses three", LosesData, "three")},
			{Severity: Error, About: about("four"), Fix: fixOf("explained four", Safe, "four"), ExplainedBy: "a/first"},
			{Severity: Error, About: about("five")},
		}, nil),
	)
	for _, c := range []struct {
		name          string
		allow         []Impact
		apply, refuse []string
	}{
		{"what is safe", nil, []string{"first of one"}, []string{"restarts two", "loses three"}},
		{"what restarts pods when that is allowed", []Impact{RestartsPods}, []string{"first of one", "restarts two"}, []string{"loses three"}},
		{"what loses data only when that is allowed", []Impact{RestartsPods, LosesData}, []string{"first of one", "restarts two", "loses three"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := PlanFixes(r, c.allow)
			if !slices.Equal(titles(p.Apply), c.apply) || !slices.Equal(titles(p.Refuse), c.refuse) {
				t.Errorf("applies %v and refuses %v, want %v and %v", titles(p.Apply), titles(p.Refuse), c.apply, c.refuse)
			}
			for _, refused := range p.Refuse {
				if refused.Why == "" {
					t.Errorf("%s is refused without a word", refused.Fix.Title)
				}
			}
		})
	}
}

func TestTwoFixesMayRestartTheSameWorkload(t *testing.T) {
	one, two := fixOf("one", Safe, "one"), fixOf("two", Safe, "two")
	restart := RestartOf(configMap("shared"))
	one.Changes, two.Changes = append(one.Changes, restart), append(two.Changes, restart)
	r := diagnose(check("a/b", []Finding{{Severity: Error, Fix: one}, {Severity: Error, Fix: two}}, nil))
	if got := titles(PlanFixes(r, nil).Apply); len(got) != 2 {
		t.Errorf("the round has %v", got)
	}
}

func TestAFixIsJudgedByTheNextLook(t *testing.T) {
	bad := Finding{Severity: Error, About: about("one")}
	other := Finding{Severity: Error, About: about("two")}
	for _, c := range []struct {
		name  string
		after []Finding
		want  Outcome
	}{
		{"gone is fixed", nil, Fixed},
		{"gone beside another is fixed", []Finding{other}, Fixed},
		{"still there remains", []Finding{bad}, Remains},
		{"more than before is worse", []Finding{bad, other}, Worse},
		{"less bad remains", []Finding{{Severity: Warning, About: about("one")}}, Remains},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := &FixResult{Check: "a/b", About: bad.About, Before: Weight(&CheckReport{Findings: []Finding{bad}})}
			result.Judge(diagnose(check("a/b", c.after, nil)))
			if result.Outcome != c.want {
				t.Errorf("the outcome is %s, want %s", result.Outcome, c.want)
			}
		})
	}
}
