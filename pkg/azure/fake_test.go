package azure

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9/fake"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// on returns a client of the SDK's own fake of AKS.
func on(t *testing.T, server *fake.ManagedClustersServer) *Client {
	t.Helper()
	t.Setenv("AZURE_CONFIG_DIR", t.TempDir())
	c, err := NewClient(context.Background(), Settings{Subscription: testSubscription, credential: &azfake.TokenCredential{}, transport: fake.NewManagedClustersServerTransport(server)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOffersAreRead(t *testing.T) {
	c := on(t, &fake.ManagedClustersServer{ListKubernetesVersions: func(context.Context, string, *aks.ManagedClustersClientListKubernetesVersionsOptions) (resp azfake.Responder[aks.ManagedClustersClientListKubernetesVersionsResponse], err azfake.ErrorResponder) {
		plan := func(p aks.KubernetesSupportPlan) *aks.KubernetesVersionCapabilities {
			return &aks.KubernetesVersionCapabilities{SupportPlan: []*aks.KubernetesSupportPlan{&p}}
		}
		resp.SetResponse(http.StatusOK, aks.ManagedClustersClientListKubernetesVersionsResponse{KubernetesVersionListResult: aks.KubernetesVersionListResult{Values: []*aks.KubernetesVersion{
			{Version: to.Ptr("1.36"), IsPreview: to.Ptr(true)},
			{Version: to.Ptr("1.35"), IsDefault: to.Ptr(true), Capabilities: plan(aks.KubernetesSupportPlanKubernetesOfficial), PatchVersions: map[string]*aks.KubernetesPatchVersion{"1.35.4": {}}},
			{Version: to.Ptr("1.31"), Capabilities: plan(aks.KubernetesSupportPlanAKSLongTermSupport)},
			nil,
		}}}, nil)
		return resp, err
	}})
	offers, err := c.offers(context.Background(), "westeurope")
	if err != nil || len(offers) != 3 || !offers[0].Preview || !offers[1].Default || offers[1].LTS || !offers[2].LTS || offers[1].Patches[0] != "1.35.4" {
		t.Errorf("%+v, %v", offers, err)
	}
}

func TestAnOperationIsFollowedToItsEnd(t *testing.T) {
	sent := ""
	c := on(t, &fake.ManagedClustersServer{BeginCreateOrUpdate: func(_ context.Context, _, _ string, _ aks.ManagedCluster, o *aks.ManagedClustersClientBeginCreateOrUpdateOptions) (resp azfake.PollerResponder[aks.ManagedClustersClientCreateOrUpdateResponse], err azfake.ErrorResponder) {
		if o != nil && o.IfNoneMatch != nil {
			sent = *o.IfNoneMatch
		}
		resp.SetTerminalResponse(http.StatusOK, aks.ManagedClustersClientCreateOrUpdateResponse{}, nil)
		return resp, err
	}})
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	r := NewRequest(options(t, nil))
	err := c.put(context.Background(), r, &aks.ManagedClustersClientBeginCreateOrUpdateOptions{IfNoneMatch: to.Ptr("*")}, "Creating", nil)
	if err != nil || sent != "*" {
		t.Errorf("%v, If-None-Match %q", err, sent)
	}
}

func TestAzuresErrorsKeepTheirCode(t *testing.T) {
	for code, next := range map[string]string{
		"QuotaExceeded": "portal.azure.com", "SkuNotAvailable": "az vm list-skus", "RequestDisallowedByPolicy": "az policy", "AuthorizationFailed": "azure-role.json", "ExpiredAuthenticationToken": "az login",
		"SubscriptionNotFound": "--subscription", "MissingSubscriptionRegistration": "az provider register", "PublicIPCountLimitReached": "public IP", "K8sVersionNotSupported": "az aks get-versions",
		"ErrCode_InsufficientVCPUQuota": "quota", "ScopeLocked": "az lock list", "SomethingNew": "same command",
	} {
		c := on(t, &fake.ManagedClustersServer{Get: func(context.Context, string, string, *aks.ManagedClustersClientGetOptions) (resp azfake.Responder[aks.ManagedClustersClientGetResponse], err azfake.ErrorResponder) {
			err.SetResponseError(http.StatusBadRequest, code)
			return resp, err
		}})
		_, err := c.cluster(context.Background(), "g", "kf")
		var known *problem.Error
		if !errors.As(err, &known) || !strings.Contains(known.What, code) || !strings.Contains(known.Next, next) || Code(err) != code {
			t.Errorf("%s: %v, %+v", code, err, known)
		}
	}
}

func TestAMissingClusterIsNoError(t *testing.T) {
	c := on(t, &fake.ManagedClustersServer{Get: func(context.Context, string, string, *aks.ManagedClustersClientGetOptions) (resp azfake.Responder[aks.ManagedClustersClientGetResponse], err azfake.ErrorResponder) {
		err.SetResponseError(http.StatusNotFound, "ResourceNotFound")
		return resp, err
	}})
	if e, err := c.cluster(context.Background(), "g", "kf"); e != nil || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestHowAClusterIsContinued(t *testing.T) {
	o := options(t, nil)
	ours := map[string]string{CreatedBy: Program, optionsTag: o.digest()}
	for _, c := range []struct {
		what    string
		found   Existing
		problem string
	}{
		{"created by others", Existing{State: succeeded, Tags: map[string]string{"owner": "ann"}}, "is taken"},
		{"with half of the tags", Existing{State: succeeded, Tags: map[string]string{CreatedBy: Program}}, "is taken"},
		{"with other options", Existing{State: succeeded, Tags: map[string]string{CreatedBy: Program, optionsTag: "other"}}, "other options"},
		{"being deleted", Existing{State: deleting, Tags: ours}, "being deleted"},
		{"being created", Existing{State: "Creating", Tags: ours}, ""},
		{"half made", Existing{State: failed, Tags: ours}, ""},
		{"complete", Existing{State: succeeded, Tags: ours}, ""},
	} {
		p, err := continuing(o, &c.found)
		if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) || err == nil && p.State != c.found.State {
			t.Errorf("%s: %+v, %v", c.what, p, err)
		}
	}
}

func TestLinksToOtherServersAreNotFollowed(t *testing.T) {
	c := on(t, &fake.ManagedClustersServer{})
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	for link, ok := range map[string]bool{"https://management.azure.com/x": true, "https://evil.example.com/x": false, "http://management.azure.com/x": false, "https://management.azure.com.evil.example.com/": false, "://": false} {
		if err := c.sameHost(link); (err == nil) != ok {
			t.Errorf("%s: %v", link, err)
		}
	}
}
