package azure

import (
	"encoding/json"
	"fmt"
)

// A Step is one request as it is sent.
type Step struct {
	Method string `json:"method"`
	URL    string `json:"url"` // without the endpoint
	When   string `json:"when,omitempty"`
	Why    string `json:"why"`
	Body   any    `json:"body"`
}

// signedIn and ownIdentity stand for object IDs that are known only when the requests are made.
const (
	signedIn    = "<object ID of the signed-in user>"
	ownIdentity = "<object ID of the cluster's identity>"
)

// Steps returns the requests in order, with nothing left out.
func (r Request) Steps() ([]Step, error) {
	o := r.Options
	cluster, err := plain(r.Cluster)
	if err != nil {
		return nil, err
	}
	window, err := plain(r.Maintenance)
	if err != nil {
		return nil, err
	}
	id := o.ClusterID()
	steps := []Step{
		{"PUT", versioned(groupID(o.Subscription, o.ResourceGroup), versionGroups), "it does not exist", "the resource group of the cluster", r.Group},
		{"PUT", versioned(id, versionAKS), "it does not exist, or its creation failed", "the cluster", cluster},
		{"PUT", versioned(id+"/maintenanceConfigurations/"+maintenanceName, versionAKS), "", "when node images may be replaced", window},
	}
	for _, role := range r.Roles(signedIn, ownIdentity) {
		steps = append(steps, Step{"PUT", versioned(role.Scope+"/providers/Microsoft.Authorization/roleAssignments/<name>", versionRoles), "", role.Why, role.Body})
	}
	return steps, nil
}

func versioned(path, version string) string { return path + "?api-version=" + version }

// plain returns a value of the SDK as maps, lists and numbers.
func plain(value any) (map[string]any, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	return out, nil
}
