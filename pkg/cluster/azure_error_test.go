package cluster

import "testing"

func TestTheCommandThatHelpsHasAzuresNames(t *testing.T) {
	for _, c := range []struct{ message, command string }{
		{`The client 'me' with object id '1-2' does not have authorization to perform action 'Microsoft.Network/publicIPAddresses/join/action' over scope '/subscriptions/s/resourceGroups/network'`,
			`az role assignment create --assignee-object-id 1-2 --role "Network Contributor" --scope /subscriptions/s/resourceGroups/network`},
		{`AuthorizationFailed`, `az role assignment create --assignee-object-id CLUSTER-IDENTITY --role "Network Contributor" --scope RESOURCE-ID`},
		{`user supplied IP Address 20.1.2.3 was not found in resource group MC_ours_westeurope`,
			"kubectl kubeflow expose --lb --ip 20.1.2.3 --ip-resource-group GROUP; az network public-ip list -o table"},
	} {
		if got, known := ExplainAzure(c.message); !known || got.Command != c.command {
			t.Errorf("%s: %+v", c.message, got)
		}
	}
}
