package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Cloud is one of Azure's separate clouds.
type Cloud struct {
	Name   string // as in az
	Portal string
	config cloud.Configuration
}

// Clouds are those there are. The first is the default.
var Clouds = []Cloud{
	{"AzureCloud", "https://portal.azure.com", cloud.AzurePublic},
	{"AzureChinaCloud", "https://portal.azure.cn", cloud.AzureChina},
	{"AzureUSGovernment", "https://portal.azure.us", cloud.AzureGovernment},
}

// Settings select where a Client connects to. Empty fields are found out.
type Settings struct {
	Subscription string // the ID; az's default if it is empty
	Cloud        string // the name; the subscription's, as az knows it, if it is empty
	Endpoint     string // of Azure Resource Manager, instead of the cloud's own
	Notify       func(text string)

	credential azcore.TokenCredential // of tests
	transport  policy.Transporter     // of tests
}

// A Client makes the calls to Azure. Nothing is opened before the first of them.
type Client struct {
	Subscription string
	Cloud        Cloud

	settings   Settings
	credential azcore.TokenCredential
	options    *arm.ClientOptions
	notify     func(string)

	once     sync.Once
	rest     *arm.Client
	restErr  error
	clusters *aks.ManagedClustersClient
	windows  *aks.MaintenanceConfigurationsClient
}

// NewClient returns a client for a subscription. It reads az's list of subscriptions, and calls nothing.
func NewClient(ctx context.Context, s Settings) (*Client, error) {
	known := readProfile(ctx)
	c := &Client{Subscription: s.Subscription, settings: s, notify: s.Notify, Cloud: Clouds[0]}
	if c.notify == nil {
		c.notify = func(string) {}
	}
	if c.Subscription == "" {
		c.Subscription = os.Getenv("AZURE_SUBSCRIPTION_ID")
	}
	entry := known.choose(c.Subscription)
	if entry.ID != "" {
		c.Subscription = entry.ID
	}
	name := s.Cloud
	if name == "" {
		name = entry.Environment
	}
	for _, one := range Clouds {
		if one.Name == name {
			c.Cloud = one
		}
	}
	if s.Endpoint != "" {
		if err := c.Cloud.at(s.Endpoint); err != nil {
			return nil, err
		}
	}
	if c.Subscription != "" && !validID.MatchString(c.Subscription) {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("the subscription %q is not known", c.Subscription), Next: "Specify its ID with --subscription; to see it: az account list -o table"}
	}
	return c, nil
}

// at makes a copy of the cloud with another endpoint. Tokens are sent there, so it must be HTTPS.
func (c *Cloud) at(endpoint string) error {
	address, err := url.Parse(endpoint)
	if err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil {
		return &problem.Error{Usage: true, What: "--arm-endpoint is not the HTTPS address of an Azure Resource Manager", Next: "For example: --arm-endpoint https://management.azure.com"}
	}
	services := map[cloud.ServiceName]cloud.ServiceConfiguration{}
	for name, service := range c.config.Services {
		services[name] = service
	}
	services[cloud.ResourceManager] = cloud.ServiceConfiguration{Endpoint: endpoint, Audience: services[cloud.ResourceManager].Audience}
	c.config = cloud.Configuration{ActiveDirectoryAuthorityHost: c.config.ActiveDirectoryAuthorityHost, Services: services}
	return nil
}

// Retries follow what Azure asks for in Retry-After: creations are limited to one a minute after a burst.
const (
	mostRetries  = 6
	longestRetry = 3 * time.Minute
)

// open creates the credential and the clients, once.
func (c *Client) open() error {
	c.once.Do(func() { c.restErr = c.connect() })
	return c.restErr
}

func (c *Client) connect() error {
	client := policy.ClientOptions{
		Cloud:            c.Cloud.config,
		Telemetry:        policy.TelemetryOptions{ApplicationID: Program},
		Retry:            policy.RetryOptions{MaxRetries: mostRetries, MaxRetryDelay: longestRetry},
		PerRetryPolicies: []policy.Policy{throttled{c.notify}},
		Transport:        c.settings.transport,
	}
	c.options = &arm.ClientOptions{ClientOptions: client, DisableRPRegistration: true} // a check says what is not registered
	var err error
	if c.credential = c.settings.credential; c.credential == nil {
		if c.credential, err = newCredential(c.Cloud.config, ""); err != nil {
			return notSignedIn(err)
		}
	}
	if c.rest, err = arm.NewClient(Program, "v1.0.0", c.credential, c.options); err != nil {
		return fmt.Errorf("connecting to Azure: %w", err)
	}
	if c.clusters, err = aks.NewManagedClustersClient(c.Subscription, c.credential, c.options); err != nil {
		return fmt.Errorf("connecting to Azure: %w", err)
	}
	if c.windows, err = aks.NewMaintenanceConfigurationsClient(c.Subscription, c.credential, c.options); err != nil {
		return fmt.Errorf("connecting to Azure: %w", err)
	}
	return nil
}

// newCredential prefers the sign-in of az, which people have on their computers. AZURE_TOKEN_CREDENTIALS selects others. Tokens are of a
// tenant, or of the subscription's own ("").
func newCredential(where cloud.Configuration, tenant string) (azcore.TokenCredential, error) {
	others, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: policy.ClientOptions{Cloud: where}, TenantID: tenant})
	if err != nil || os.Getenv("AZURE_TOKEN_CREDENTIALS") != "" {
		return others, err
	}
	if _, err := exec.LookPath("az"); err != nil {
		return others, nil
	}
	return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: tenant})
}

// throttled says that Azure asks for patience, so that a wait is not taken for a hang.
type throttled struct{ notify func(string) }

func (t throttled) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		wait := "a few seconds"
		if after := resp.Header.Get("Retry-After"); after != "" {
			wait = after + " s"
		}
		t.notify("Azure limits the number of requests (429): retrying in " + wait)
	}
	return resp, err
}
