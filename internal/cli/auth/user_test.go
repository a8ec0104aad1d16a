package auth

import (
	"reflect"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

func TestUsersAreReadFromACSVFile(t *testing.T) {
	got, err := parseUsers("\ufeffEmail, Profile, contributor-of, role, quota\n# people\nann@example.com,ann,,,\"cpu=8, memory=32Gi\"\nben@example.com,,ann team,view,\n")
	want := []signin.Grant{
		{User: "ann@example.com", Profile: "ann", Quota: map[string]string{"cpu": "8", "memory": "32Gi"}, ContributorOf: []string{}},
		{User: "ben@example.com", ContributorOf: []string{"ann", "team"}, Role: "view", Quota: map[string]string{}},
	}
	for i := range got {
		if len(got[i].ContributorOf) == 0 {
			got[i].ContributorOf = []string{}
		}
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	rows := func(n int) string { return "email,profile\n" + strings.Repeat("ann@example.com,ann\n", n) }
	if got, err := parseUsers(rows(mostUsers)); err != nil || len(got) != mostUsers {
		t.Errorf("at the limit: %d, %v", len(got), err)
	}
	for says, content := range map[string]string{
		"more than 5000 users":          rows(mostUsers + 1),
		"no line with the names":        "",
		`there is no column "mail"`:     "mail\nann@example.com\n",
		"neither a Profile nor a share": "email\nann@example.com\n",
		"line 2":                        "email,profile\nann,ann\n",
		"wrong number of fields":        "email,profile\nann@example.com\n",
		`"cpu" is not RESOURCE=AMOUNT`:  "email,profile,quota\nann@example.com,ann,cpu\n",
	} {
		if _, err := parseUsers(content); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", content, err, says)
		}
	}
}

// FuzzUsers reads any file: what is accepted is within the rules for users and Profiles.
func FuzzUsers(f *testing.F) {
	f.Add("email,profile\nann@example.com,ann\n")
	f.Add("\ufeffEmail, contributor-of, role, quota\nben@example.com,\"ann team\",view,\"cpu=8\"\n")
	f.Add("email,profile\n\"a\nb@example.com\",x\n")
	f.Add("email;profile")
	f.Fuzz(func(t *testing.T, content string) {
		grants, err := parseUsers(content)
		if err != nil {
			return
		}
		for _, g := range grants {
			if err := g.Check(); err != nil {
				t.Errorf("%+v is accepted: %v", g, err)
			}
			if strings.ContainsAny(g.User, "\n\x1b\x00") {
				t.Errorf("%q is accepted as a user", g.User)
			}
		}
	})
}
