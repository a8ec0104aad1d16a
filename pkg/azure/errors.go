package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Code returns Azure's own code of an error, "" if Azure did not answer with one.
func Code(err error) string {
	var response *azcore.ResponseError
	if errors.As(err, &response) {
		return response.ErrorCode
	}
	return ""
}

func status(err error) int {
	var response *azcore.ResponseError
	if errors.As(err, &response) {
		return response.StatusCode
	}
	return 0
}

func notFound(err error) bool { return status(err) == http.StatusNotFound }

// explain turns an error of the SDK into one that a person can act on. doing completes "... failed": "creating cluster kf".
func (c *Client) explain(err error, doing string) error {
	var response *azcore.ResponseError
	var known *problem.Error
	switch {
	case err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &problem.Error{What: "timed out: " + doing, Next: "Run the same command again, or wait longer with --timeout", Err: err}
	case errors.As(err, &response):
		return c.refused(doing, detail(response), err)
	case isSignIn(err):
		return notSignedIn(err)
	}
	return &problem.Error{What: fmt.Sprintf("%s: %s", doing, text.FirstLine(err.Error())), Next: "Check the connection to Azure, and run the same command again", Err: err}
}

// A refusal is the body of an error of Azure.
type refusal struct {
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Details []refusal `json:"details"`
}

// detail reads code and message from the body, which has them at the top or below "error".
func detail(response *azcore.ResponseError) refusal {
	out := refusal{Code: response.ErrorCode}
	if response.RawResponse == nil {
		return out
	}
	body, err := runtime.Payload(response.RawResponse)
	var wrapped struct {
		refusal
		Error *refusal `json:"error"`
	}
	if err == nil && json.Unmarshal(body, &wrapped) == nil {
		if wrapped.Error != nil {
			wrapped.refusal = *wrapped.Error
		}
		out.Message, out.Details = wrapped.Message, wrapped.Details
		if out.Code == "" {
			out.Code = wrapped.Code
		}
	}
	if out.Code == "" {
		out.Code = fmt.Sprintf("HTTP %d", response.StatusCode)
	}
	return out
}

// longest is how much of a message of Azure is shown: they explain at length what follows from the code.
const longest = 240

func (c *Client) refused(doing string, why refusal, err error) error {
	for len(why.Details) > 0 && why.Details[0].Code != "" && why.Message == "" {
		why = why.Details[0]
	}
	message := strings.TrimSuffix(text.FirstLine(strings.TrimSpace(why.Message)), ".")
	if len(message) > longest {
		message = strings.ToValidUTF8(message[:longest], "") + "..."
	}
	what := fmt.Sprintf("%s: %s (%s)", doing, message, why.Code)
	if message == "" {
		what = fmt.Sprintf("%s: Azure answered with %s", doing, why.Code)
	}
	return &problem.Error{What: what, Next: c.next(why.Code, status(err)), Err: err}
}

// next says what helps against an error with this code.
func (c *Client) next(code string, status int) string {
	lower := strings.ToLower(code)
	for _, a := range advices {
		for _, part := range a.codes {
			if strings.Contains(lower, strings.ToLower(part)) {
				return strings.ReplaceAll(a.next, "PORTAL", c.Cloud.Portal)
			}
		}
	}
	switch {
	case status == http.StatusTooManyRequests:
		return "Azure limits the number of requests: wait a few minutes, and run the same command again"
	case status >= http.StatusInternalServerError:
		return "Run the same command again; for the state of Azure see https://azure.status.microsoft"
	case status == http.StatusUnauthorized:
		return "Sign in with az login, and run the same command again"
	case status == http.StatusForbidden:
		return noPermission
	}
	return "Correct the cause, and run the same command again: it continues what was begun"
}

const noPermission = "Ask an owner of the subscription for the role in docs/azure-role.json; see your roles with: az role assignment list --all --assignee USER -o table"

// advices hold, by parts of Azure's codes, what to do. The first that matches counts.
var advices = []struct {
	codes []string
	next  string
}{
	{[]string{"RequestDisallowedByPolicy"}, "A policy of the subscription forbids it. See which with: az policy assignment list -o table, and ask its owner for an exemption, or set what it demands with --tags, --private or --location"},
	{[]string{"ExpiredAuthenticationToken", "InvalidAuthenticationToken", "AuthenticationFailed"}, "Sign in with az login, and run the same command again: it continues what was begun"},
	{[]string{"AuthorizationFailed", "LinkedAuthorizationFailed"}, noPermission},
	{[]string{"MissingSubscriptionRegistration", "SubscriptionNotRegistered"}, "Register the provider with: az provider register --namespace Microsoft.ContainerService --wait"},
	{[]string{"SubscriptionNotFound", "InvalidSubscriptionId"}, "Choose a subscription with --subscription; to see them: az account list -o table"},
	{[]string{"ReadOnlyDisabledSubscription", "SubscriptionDisabled"}, "Enable the subscription on the page Subscriptions of PORTAL, or choose another with --subscription"},
	{[]string{"PublicIPCountLimit", "PublicIPAddressCountLimit"}, "Delete public IP addresses that are not used, or request more on the page Quotas of PORTAL"},
	{[]string{"Quota", "OperationNotAllowedLimit", "LimitExceeded", "InsufficientVCPU"}, "Request more quota on the page Quotas of PORTAL, or choose another --node-size, --nodes or --location"},
	{[]string{"SkuNotAvailable", "NotAvailableForSubscription", "VMSizeNotSupported", "AllocationFailed", "OverconstrainedAllocation"}, "Choose another --node-size, --zones or --location; to see what is offered: az vm list-skus --location LOCATION --resource-type virtualMachines -o table"},
	{[]string{"K8sVersionNotSupported", "UnsupportedKubernetesVersion"}, "To see what is offered: az aks get-versions --location LOCATION -o table"},
	{[]string{"ResourceGroupNotFound"}, "Check the name of the resource group with: az group list -o table"},
	{[]string{"ResourceNotFound"}, "To see the clusters: kubectl kubeflow cluster list --all"},
	{[]string{"ResourceGroupBeingDeleted"}, "Wait until the resource group is deleted, or choose another"},
	{[]string{"OperationPreempted", "OperationInProgress", "EtagMismatch", "PreconditionFailed", "Conflict"}, "Another operation changes the cluster. Wait until it has ended, and run the same command again"},
	{[]string{"InsufficientSubnetSize", "SubnetIsFull"}, "Choose a larger subnet, or fewer --nodes"},
	{[]string{"ScopeLocked"}, "A lock forbids it. To see it: az lock list -o table"},
}

// isSignIn reports whether a credential gave no token. Those that are not available have no exported type, but this method.
func isSignIn(err error) bool {
	var failed *azidentity.AuthenticationFailedError
	var required *azidentity.AuthenticationRequiredError
	var final interface{ NonRetriable() }
	return errors.As(err, &failed) || errors.As(err, &required) || errors.As(err, &final)
}

// notSignedIn keeps the first line alone: the others repeat it for each kind of credential.
func notSignedIn(err error) error {
	why := strings.TrimSuffix(text.FirstLine(err.Error()), ".")
	if len(why) > longest {
		why = strings.ToValidUTF8(why[:longest], "") + "..."
	}
	return &problem.Error{What: "not signed in to Azure: " + why, Next: "Sign in with: az login", Err: err}
}

// unfinished says that Azure goes on without this program: the user interrupted it, or its time is over.
func unfinished(ctx context.Context, doing, next string) error {
	what := "interrupted: Azure goes on "
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		what = "timed out waiting: Azure goes on "
	}
	return &problem.Error{What: what + doing, Next: next, Err: ctx.Err()}
}

func deleteCommand(group, name string) string {
	return escape.Commandf("kubectl kubeflow cluster delete %s --resource-group %s", name, group)
}
