package entra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What is registered.
const (
	Tenant      = "11111111-1111-4111-8111-111111111111"
	OtherTenant = "22222222-2222-4222-8222-222222222222"
	Client      = "33333333-3333-4333-8333-333333333333"
	Secret      = "secret-of-the-application"
	Password    = "correct-horse" // of every user
	AzToken     = "token-of-an-administrator"
)

// mostGroups is how many groups a token holds; with more it names Graph instead.
const mostGroups = 200

// A user of a tenant.
type user struct {
	tenant, name, upn, email string
	groups                   int
}

// users are the users by what they type.
var users = map[string]user{
	"alice@contoso.example":    {Tenant, "Alice", "alice@contoso.example", "alice@contoso.example", 2},
	"bob@contoso.example":      {Tenant, "Bob", "bob@contoso.example", "", 1},                                   // no mail attribute
	"carol@contoso.example":    {Tenant, "Carol", "carol@contoso.example", "carol@contoso.example", mostGroups}, // a large token
	"dave@contoso.example":     {Tenant, "Dave", "dave@contoso.example", "dave@contoso.example", 250},
	"mallory@fabrikam.example": {OtherTenant, "Mallory", "mallory@fabrikam.example", "mallory@fabrikam.example", 0},
}

// Users are those who can sign in.
func Users() []string { return slices.Sorted(maps.Keys(users)) }

// id returns the object ID of a user.
func (u user) id() string { return fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012x", []byte(u.upn)[:6]) }

// groupIDs are the object IDs of the user's groups.
func (u user) groupIDs() []string {
	var all []string
	for i := range u.groups {
		all = append(all, fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", i+1))
	}
	return all
}

// claims are those of an ID token for the scopes.
func (u user) claims(scopes []string) map[string]any {
	claims := map[string]any{"sub": "sub-" + u.id(), "oid": u.id(), "tid": u.tenant, "ver": "2.0"}
	for _, scope := range scopes {
		switch {
		case scope == "profile":
			claims["name"], claims["preferred_username"] = u.name, u.upn
		case scope == "email" && u.email != "":
			claims["email"] = u.email
		}
	}
	if u.groups > mostGroups {
		claims["_claim_names"] = map[string]string{"groups": "src1"}
		claims["_claim_sources"] = map[string]any{"src1": map[string]string{"endpoint": "https://graph.microsoft.com/v1.0/users/" + u.id() + "/getMemberObjects"}}
	} else if u.groups > 0 {
		claims["groups"] = u.groupIDs()
	}
	return claims
}

// registered reports whether the application has a redirect URI.
func registered(uri string) bool {
	return strings.HasSuffix(uri, "/oauth2/callback") || strings.HasSuffix(uri, "/dex/callback") || strings.HasSuffix(uri, "/authservice/oidc/callback") || strings.HasSuffix(uri, "/login/oidc")
}
