package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Plan is what "cluster create" will do. Making one changes nothing.
type Plan struct {
	Request Request
	Checks  []Result
	State   string // the provisioning state of a cluster that an earlier run began; "" without one
}

// The provisioning states that decide how to go on.
const (
	succeeded = "Succeeded"
	failed    = "Failed"
	canceled  = "Canceled"
	deleting  = "Deleting"
)

// Prepare reads what there is and decides what to do: create, follow or complete. With problems, the plan's first is the error.
func (c *Client) Prepare(ctx context.Context, o Options) (*Plan, error) {
	if err := c.FindSubscription(ctx); err != nil {
		return nil, err
	}
	o.Subscription = c.Subscription
	existing, err := c.cluster(ctx, o.ResourceGroup, o.Name)
	if err != nil {
		return nil, err
	}
	if existing != nil {
		return continuing(o, existing)
	}
	facts, err := c.ReadFacts(ctx, o)
	if err != nil {
		return nil, err
	}
	var refused []*problem.Error
	version, err := ChooseVersion(facts.Offers, o.Release, o.KubernetesVersion, o.Location)
	var known *problem.Error
	if errors.As(err, &known) {
		refused, version = append(refused, known), UsualVersion(o.Release)
	}
	o.KubernetesVersion = version
	p := &Plan{Request: NewRequest(o)}
	p.Checks = append([]Result{{Name: "Kubernetes", Detail: version, Problems: refused}}, Check(o, facts)...)
	return p, p.Problem()
}

// Problem returns what stops the plan.
func (p *Plan) Problem() error {
	first, count := FirstProblem(p.Checks)
	switch {
	case first == nil:
		return nil
	case count == 1:
		return first
	}
	return &problem.Error{What: fmt.Sprintf("%d problems would stop the creation", count), Next: "Solve each as its line says, and run the same command again", Err: first}
}

// continuing decides how to go on with a cluster of this name.
func continuing(o Options, existing *Existing) (*Plan, error) {
	switch {
	case !existing.Ours():
		return nil, &problem.Error{What: fmt.Sprintf("the name %s is taken: resource group %s has a cluster of this name, which was not created by this program (Conflict)", o.Name, o.ResourceGroup),
			Next: "Choose another name, or use that cluster: " + credentialsCommand(o.ResourceGroup, o.Name)}
	case existing.Tags[optionsTag] != o.digest():
		return nil, &problem.Error{What: fmt.Sprintf("the cluster %s exists, and was created with other options", o.Name),
			Next: "Run the command with the options of before, delete the cluster with: " + deleteCommand(o.ResourceGroup, o.Name) + ", or choose another name"}
	case existing.State == deleting:
		return nil, &problem.Error{What: fmt.Sprintf("the cluster %s is being deleted", o.Name), Next: "Wait until it is gone, and run the same command again"}
	}
	o.KubernetesVersion = existing.wanted
	return &Plan{Request: NewRequest(o), State: existing.State}, nil
}

// Apply carries the plan out, or goes on with what an earlier run began. Each step can be repeated.
func (c *Client) Apply(ctx context.Context, p *Plan, progress Progress) error {
	o := p.Request.Options
	err := c.apply(ctx, p, progress)
	if err != nil && ctx.Err() != nil {
		return unfinished(ctx, "creating cluster "+escape.Line(o.Name)+" if it has the request", "Follow it with the same command, or delete the cluster with: "+deleteCommand(o.ResourceGroup, o.Name))
	}
	return err
}

func (c *Client) apply(ctx context.Context, p *Plan, progress Progress) error {
	o := p.Request.Options
	doing := "creating cluster " + escape.Line(o.Name)
	if err := c.create(ctx, p, progress); err != nil {
		return c.explain(err, doing)
	}
	existing, err := c.cluster(ctx, o.ResourceGroup, o.Name)
	if err != nil {
		return err
	}
	if existing == nil {
		return &problem.Error{What: "the cluster is gone: it was deleted meanwhile", Next: "Run the same command again"}
	}
	progress.step("Setting the maintenance window")
	if _, err := c.windows.CreateOrUpdate(ctx, o.ResourceGroup, o.Name, maintenanceName, p.Request.Maintenance, nil); err != nil {
		return c.explain(err, "setting the maintenance window")
	}
	return c.assignRoles(ctx, p.Request, existing.identity, progress)
}

// create brings the cluster into the state Succeeded.
func (c *Client) create(ctx context.Context, p *Plan, progress Progress) error {
	o := p.Request.Options
	doing := "Creating cluster " + o.Name
	switch p.State {
	case succeeded:
		return nil
	case "":
		if err := c.createGroup(ctx, p.Request); err != nil {
			return err
		}
		return c.put(ctx, p.Request, &aks.ManagedClustersClientBeginCreateOrUpdateOptions{IfNoneMatch: to.Ptr("*")}, doing, progress)
	case failed, canceled:
		return c.put(ctx, p.Request, nil, "Completing cluster "+o.Name, progress)
	}
	return c.follow(ctx, o, doing, progress)
}

func (c *Client) put(ctx context.Context, r Request, options *aks.ManagedClustersClientBeginCreateOrUpdateOptions, doing string, progress Progress) error {
	progress.step("%s: sending the request", doing)
	poller, err := c.clusters.BeginCreateOrUpdate(ctx, r.Options.ResourceGroup, r.Options.Name, r.Cluster, options)
	if options != nil && slices.Contains([]int{http.StatusConflict, http.StatusPreconditionFailed}, status(err)) && c.begun(ctx, r.Options) {
		return c.follow(ctx, r.Options, doing, progress)
	}
	if err != nil {
		return err
	}
	err = wait(ctx, c, poller, doing+" (4 to 10 minutes are usual)", progress)
	if err != nil && status(err) == http.StatusOK { // the operation ended, and failed
		return halfMade(c.explain(err, strings.ToLower(doing[:1])+escape.Line(doing[1:])), r.Options)
	}
	return err
}

// begun reports whether the cluster is there after all: Azure had the request, but its answer was lost and the SDK sent it
// again, or the same command runs twice.
func (c *Client) begun(ctx context.Context, o Options) bool {
	existing, err := c.cluster(ctx, o.ResourceGroup, o.Name)
	return err == nil && existing != nil && existing.Ours() && existing.Tags[optionsTag] == o.digest()
}

// halfMade adds to the error of an operation what is left of it: other options are refused while the cluster exists.
func halfMade(err error, o Options) error {
	var known *problem.Error
	if !errors.As(err, &known) {
		return err
	}
	return &problem.Error{What: known.What, Err: err,
		Next: known.Next + ". The same command completes the half-made cluster; for other options, delete it first: " + deleteCommand(o.ResourceGroup, o.Name)}
}

func (c *Client) createGroup(ctx context.Context, r Request) error {
	group, err := c.group(ctx, r.Options.ResourceGroup)
	if err != nil || group != nil {
		return err
	}
	_, err = c.request(ctx, http.MethodPut, versioned(groupID(c.Subscription, r.Options.ResourceGroup), versionGroups), r.Group, nil)
	return c.explain(err, "creating the resource group "+escape.Line(r.Options.ResourceGroup))
}

// assignRoles makes the caller the administrator of the cluster. What is assigned already stays.
func (c *Client) assignRoles(ctx context.Context, r Request, identity string, progress Progress) error {
	if r.Options.NoRoleAssignment {
		return nil
	}
	caller, err := c.caller(ctx)
	if err != nil {
		return err
	}
	for _, role := range r.Roles(caller, identity) {
		progress.step("Assigning a role: %s", role.Why)
		path := versioned(role.Scope+"/providers/Microsoft.Authorization/roleAssignments/"+role.Name(), versionRoles)
		if _, err := c.request(ctx, http.MethodPut, path, role.Body, nil); err != nil && Code(err) != "RoleAssignmentExists" {
			return c.explain(err, "assigning a role, because "+role.Why)
		}
	}
	return nil
}

// caller returns the object ID of who is signed in, from the token that Azure gave. The token goes nowhere else.
func (c *Client) caller(ctx context.Context) (string, error) {
	scope := strings.TrimSuffix(c.Cloud.config.Services["resourceManager"].Audience, "/") + "/.default"
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return "", c.explain(err, "signing in")
	}
	var claims struct {
		Object string `json:"oid"`
		jwt.RegisteredClaims
	}
	_, _, err = jwt.NewParser().ParseUnverified(token.Token, &claims) // Azure verifies it; here it only says who is signed in
	if err != nil {
		claims.Object = ""
	}
	if !validID.MatchString(claims.Object) {
		return "", &problem.Error{What: "the token of Azure does not name who is signed in", Next: "Pass --no-role-assignment, and let an owner assign the role Azure Kubernetes Service RBAC Cluster Admin to you"}
	}
	return claims.Object, nil
}
