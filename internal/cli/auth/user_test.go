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
	for says, content := range map[string]string{
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
