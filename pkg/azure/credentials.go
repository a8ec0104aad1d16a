package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Credentials returns the kubeconfig of a cluster with one context: of the caller, who signs in through az, or of an
// administrator of the cluster, whose certificate Azure cannot revoke for a single person.
func (c *Client) Credentials(ctx context.Context, group, name string, admin bool) (*api.Config, error) {
	if _, err := c.mustFind(ctx, group, name); err != nil {
		return nil, err
	}
	doing := "reading the credentials of cluster " + escape.Line(name)
	content, err := c.kubeconfig(ctx, group, name, admin)
	if err != nil {
		return nil, c.explain(err, doing)
	}
	config, err := clientcmd.Load(content)
	if err != nil {
		return nil, &problem.Error{What: doing + ": Azure answered with a kubeconfig that cannot be read", Next: "Run the same command again", Err: err}
	}
	return only(config, name, admin)
}

func (c *Client) kubeconfig(ctx context.Context, group, name string, admin bool) ([]byte, error) {
	var found []*aks.CredentialResult
	if admin {
		answer, err := c.clusters.ListClusterAdminCredentials(ctx, group, name, nil)
		if err != nil {
			return nil, err
		}
		found = answer.Kubeconfigs
	} else {
		answer, err := c.clusters.ListClusterUserCredentials(ctx, group, name, &aks.ManagedClustersClientListClusterUserCredentialsOptions{Format: to.Ptr(aks.FormatExec)})
		if err != nil {
			return nil, err
		}
		found = answer.Kubeconfigs
	}
	if len(found) == 0 || found[0] == nil {
		return nil, &problem.Error{What: "Azure answered without credentials", Next: "Run the same command again when the cluster is ready: kubectl kubeflow cluster list"}
	}
	return found[0].Value, nil
}

// only keeps the one entry that is known to be harmless, and makes kubelogin use the sign-in of az. A kubeconfig can run any
// program, so that only the one that AKS is known to name is accepted.
func only(from *api.Config, name string, admin bool) (*api.Config, error) {
	refuse := func(why string) (*api.Config, error) {
		return nil, &problem.Error{What: fmt.Sprintf("the kubeconfig of cluster %s is not what AKS is known to answer: %s", escape.Line(name), why), Next: "Nothing was written. Compare it with that of: az aks get-credentials --file -"}
	}
	entry := from.Contexts[from.CurrentContext]
	if entry == nil || len(from.Clusters) != 1 || len(from.AuthInfos) != 1 {
		return refuse("it does not hold exactly one cluster and user")
	}
	cluster, user := from.Clusters[entry.Cluster], from.AuthInfos[entry.AuthInfo]
	switch {
	case cluster == nil || user == nil:
		return refuse("its context names no cluster or user")
	case cluster.InsecureSkipTLSVerify || len(cluster.CertificateAuthorityData) == 0 || cluster.CertificateAuthority != "" || cluster.ProxyURL != "":
		return refuse("the API server would not be verified with the certificate in it")
	case user.AuthProvider != nil || user.TokenFile != "" || user.ClientKey != "" || user.ClientCertificate != "":
		return refuse("it refers to files or to an old kind of sign-in")
	case user.Exec != nil && user.Exec.Command != "kubelogin":
		return refuse("it runs another program than kubelogin")
	}
	out := api.NewConfig()
	context, person := name, "clusterUser_"+name
	if admin {
		context, person = name+"-admin", "clusterAdmin_"+name
	}
	credentials := &api.AuthInfo{ClientCertificateData: user.ClientCertificateData, ClientKeyData: user.ClientKeyData, Token: user.Token, Exec: user.Exec}
	if user.Exec != nil {
		credentials.Exec = viaCLI(user.Exec)
	}
	out.Clusters[name] = &api.Cluster{Server: cluster.Server, TLSServerName: cluster.TLSServerName, CertificateAuthorityData: cluster.CertificateAuthorityData}
	out.AuthInfos[person] = credentials
	out.Contexts[context] = &api.Context{Cluster: name, AuthInfo: person}
	out.CurrentContext = context
	return out, nil
}

// viaCLI makes kubelogin ask az for tokens. AKS writes the device code flow, which conditional access often blocks.
func viaCLI(from *api.ExecConfig) *api.ExecConfig {
	args := []string{"get-token", "--login", "azurecli"}
	for i, arg := range from.Args[:max(0, len(from.Args)-1)] {
		switch arg {
		case "--server-id", "--environment", "--tenant-id":
			args = append(args, arg, from.Args[i+1])
		}
	}
	return &api.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1beta1", Command: "kubelogin", Args: args, InteractiveMode: api.IfAvailableExecInteractiveMode,
		InstallHint: "kubelogin is not installed: see https://aka.ms/aks/kubelogin",
	}
}
