package azure

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// Bicep returns the request as a Bicep file for a deployment in the resource group.
func (r Request) Bicep() (string, error) {
	o := r.Options
	cluster, err := plain(r.Cluster)
	if err != nil {
		return "", err
	}
	window, err := plain(r.Maintenance)
	if err != nil {
		return "", err
	}
	cluster["name"], window["name"] = o.Name, maintenanceName
	var out strings.Builder
	fmt.Fprintf(&out, "// %s\n// %s\n", escape.Commandf("az group create --name %s --location %s", o.ResourceGroup, o.Location),
		escape.Commandf("az deployment group create --resource-group %s --template-file FILE", o.ResourceGroup)+r.parameter())
	fmt.Fprintf(&out, "// %s\n", escape.Line(o.Sizing()))
	out.WriteString("targetScope = 'resourceGroup'\n\n")
	if !o.NoRoleAssignment {
		out.WriteString("@description('The object ID of who administers the cluster')\nparam principalId string\n\n")
	}
	resource(&out, "cluster", "Microsoft.ContainerService/managedClusters@"+versionAKS, cluster)
	window["parent"] = expression("cluster")
	resource(&out, "maintenance", "Microsoft.ContainerService/managedClusters/maintenanceConfigurations@"+versionAKS, window)
	if !o.NoRoleAssignment {
		resource(&out, "admin", "Microsoft.Authorization/roleAssignments@"+versionRoles, map[string]any{
			"name": expression("guid(cluster.id, principalId, '" + clusterAdmin + "')"), "scope": expression("cluster"),
			"properties": map[string]any{"principalId": expression("principalId"), "roleDefinitionId": roleExpression(clusterAdmin)},
		})
	}
	if o.Subnet != "" && !o.NoRoleAssignment {
		fmt.Fprintf(&out, "// The cluster creates load balancers in the subnet. After the deployment:\n// %s \\\n//   --assignee-object-id \"$(%s)\" --assignee-principal-type ServicePrincipal\n",
			escape.Commandf("az role assignment create --role %s --scope %s", networkContributor, o.Subnet),
			escape.Commandf("az aks show --resource-group %s --name %s --query identity.principalId -o tsv", o.ResourceGroup, o.Name))
	}
	if o.GPU != nil {
		out.WriteString("// AKS installs the driver of GPUs, and not NVIDIA's device plugin. After the deployment:\n")
		fmt.Fprintf(&out, "// kubectl kubeflow cluster credentials %s\n// kubectl kubeflow cluster gpu-plugin\n", escape.Words(o.Name, "-g", o.ResourceGroup))
	}
	return strings.TrimRight(out.String(), "\n") + "\n", nil
}

func (r Request) parameter() string {
	if r.Options.NoRoleAssignment {
		return ""
	}
	return " \\\n//   --parameters principalId=\"$(az ad signed-in-user show --query id -o tsv)\""
}

func roleExpression(role string) expression {
	return expression("subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '" + role + "')")
}

// An expression is Bicep, and not text.
type expression string

func resource(out *strings.Builder, name, kind string, body map[string]any) {
	fmt.Fprintf(out, "resource %s '%s' = %s\n\n", name, kind, bicep(body, ""))
}

// first are the keys that a reader of Bicep expects at the top.
var first = []string{"parent", "scope", "name", "location", "sku", "tags", "identity"}

// bicep writes a decoded JSON value.
func bicep(value any, indent string) string {
	deeper := indent + "  "
	switch value := value.(type) {
	case expression:
		return string(value)
	case string:
		return bicepText(value)
	case float64:
		return fmt.Sprintf("%d", int64(value)) // Bicep has integers only, and so has the request
	case []any:
		var out strings.Builder
		for _, item := range value {
			out.WriteString(deeper + bicep(item, deeper) + "\n")
		}
		return block("[", out.String(), indent+"]")
	case map[string]any:
		keys := slices.Sorted(maps.Keys(value))
		if indent == "" {
			slices.SortStableFunc(keys, func(a, b string) int { return place(a) - place(b) })
		}
		var out strings.Builder
		for _, key := range keys {
			out.WriteString(deeper + bicepKey(key) + ": " + bicep(value[key], deeper) + "\n")
		}
		return block("{", out.String(), indent+"}")
	case nil:
		return "null"
	}
	return fmt.Sprint(value) // true and false
}

func block(open, content, closing string) string {
	if content == "" {
		return open + strings.TrimSpace(closing)
	}
	return open + "\n" + content + closing
}

func place(key string) int {
	if i := slices.Index(first, key); i >= 0 {
		return i
	}
	return len(first)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func bicepKey(key string) string {
	if identifier.MatchString(key) {
		return key
	}
	return bicepText(key)
}

var bicepEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "${", `\${`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

func bicepText(text string) string { return "'" + bicepEscapes.Replace(text) + "'" }
