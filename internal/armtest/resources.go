package armtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var versions = map[string]any{"values": []any{
	map[string]any{"version": "1.37", "isPreview": true, "capabilities": map[string]any{"supportPlan": []string{"KubernetesOfficial"}}, "patchVersions": map[string]any{"1.37.0": map[string]any{}}},
	map[string]any{"version": "1.36", "capabilities": map[string]any{"supportPlan": []string{"KubernetesOfficial"}}, "patchVersions": map[string]any{"1.36.2": map[string]any{}}},
	map[string]any{"version": "1.35", "isDefault": true, "capabilities": map[string]any{"supportPlan": []string{"KubernetesOfficial"}}, "patchVersions": map[string]any{"1.35.4": map[string]any{}}},
	map[string]any{"version": "1.31", "capabilities": map[string]any{"supportPlan": []string{"AKSLongTermSupport"}}, "patchVersions": map[string]any{"1.31.9": map[string]any{}}},
}}

func (s *Server) subscription() any {
	return map[string]any{"subscriptionId": Subscription, "displayName": "Test", "state": s.SubscriptionState, "subscriptionPolicies": map[string]any{"quotaId": s.Offer}, "tenantId": "99999999-8888-4777-8666-555555555555"}
}

// sizes are those of the region: name, family, vCPUs, GiB, GPUs, architecture.
func (s *Server) sizes() (all []any) {
	for _, line := range []string{
		"Standard_D4s_v5 standardDSv5Family 4 16 0 x64", "Standard_D2s_v5 standardDSv5Family 2 8 0 x64", "Standard_D8s_v5 standardDSv5Family 8 32 0 x64",
		"Standard_D4ps_v5 standardDPSv5Family 4 16 0 Arm64", "Standard_NC4as_T4_v3 standardNCASv3Family 4 28 1 x64",
	} {
		f := strings.Fields(line)
		capabilities := []any{}
		for i, name := range []string{"vCPUs", "MemoryGB", "GPUs", "CpuArchitectureType"} {
			capabilities = append(capabilities, map[string]any{"name": name, "value": f[i+2]})
		}
		size := map[string]any{"name": f[0], "resourceType": "virtualMachines", "family": f[1], "capabilities": capabilities,
			"locationInfo": []any{map[string]any{"location": Location, "zones": []string{"1", "2"}}}, "restrictions": []any{}}
		if reason := s.Restricted[f[0]]; reason != "" {
			size["restrictions"] = []any{map[string]any{"type": "Location", "reasonCode": reason}}
		}
		all = append(all, size)
	}
	return all
}

func usage(name, label string, limit, used int) any {
	return map[string]any{"name": map[string]any{"value": name, "localizedValue": label}, "limit": limit, "currentValue": used}
}

func (s *Server) usages() (all []any) {
	for name, label := range map[string]string{"cores": "Total Regional vCPUs", "standardDSv5Family": "Standard DSv5 Family vCPUs", "standardNCASv3Family": "Standard NCASv3 Family vCPUs",
		"standardDPSv5Family": "Standard DPSv5 Family vCPUs", "lowPriorityCores": "Total Regional Low-priority vCPUs"} {
		left, set := s.Quota[name]
		if !set {
			left = 100
		}
		all = append(all, usage(name, label, 100, 100-left))
	}
	return all
}

func (s *Server) getGroup(a *answer, m []string, _ map[string]any) {
	if g := s.groups[strings.ToLower(m[1])]; g != nil {
		a.send(200, g)
		return
	}
	a.refuse(404, "ResourceGroupNotFound", "Resource group '%s' could not be found.", m[1])
}

func (s *Server) putGroup(a *answer, m []string, sent map[string]any) {
	sent["name"], sent["id"] = m[1], groupPath(m[1])
	s.groups[strings.ToLower(m[1])] = sent
	a.send(201, sent)
}

func (s *Server) deleteGroup(a *answer, m []string, _ map[string]any) {
	s.begin(a, func() { delete(s.groups, strings.ToLower(m[1])) })
	id := strconv.Itoa(len(s.ops))
	s.later(a, "/operationresults/"+id)
	a.header.Del("Azure-AsyncOperation")
	a.send(202, nil)
}

func (s *Server) listGroup(a *answer, m []string, _ map[string]any) {
	var all []any
	prefix := strings.ToLower(groupPath(m[1]) + "/")
	for _, r := range s.others {
		if strings.HasPrefix(strings.ToLower(fmt.Sprint(r["id"])), prefix) {
			all = append(all, r)
		}
	}
	for id, c := range s.clusters {
		if strings.HasPrefix(id, prefix) {
			all = append(all, map[string]any{"id": c["id"], "name": c["name"], "type": "Microsoft.ContainerService/managedClusters"})
		}
	}
	a.send(200, values(all...))
}

func (s *Server) listClusters(a *answer, m []string, _ map[string]any) {
	var all []any
	for id, c := range s.clusters {
		if len(m) < 2 || strings.HasPrefix(id, strings.ToLower(groupPath(m[1])+"/")) {
			all = append(all, c)
		}
	}
	a.send(200, values(all...))
}

func key(m []string) string {
	return strings.ToLower(groupPath(m[1]) + "/providers/Microsoft.ContainerService/managedClusters/" + m[2])
}

func (s *Server) getCluster(a *answer, m []string, _ map[string]any) {
	c := s.clusters[key(m)]
	if c == nil {
		a.refuse(404, "ResourceNotFound", "The Resource 'Microsoft.ContainerService/managedClusters/%s' under resource group '%s' was not found.", m[2], m[1])
		return
	}
	if op, ok := c["operation"].(string); ok { // time passes for who only looks, too
		s.advance(op)
		a.header.Set("Retry-After", "0")
	}
	shown := map[string]any{}
	for k, v := range c {
		if k != "operation" {
			shown[k] = v
		}
	}
	a.send(200, shown)
}

func (s *Server) putCluster(a *answer, m []string, sent map[string]any) {
	c := s.clusters[key(m)]
	switch {
	case s.groups[strings.ToLower(m[1])] == nil:
		a.refuse(404, "ResourceGroupNotFound", "Resource group '%s' could not be found.", m[1])
		return
	case c != nil && s.header.Get("If-None-Match") == "*":
		a.refuse(http.StatusPreconditionFailed, "PreconditionFailed", "The cluster exists.")
		return
	case c != nil && state(c) != "Succeeded" && state(c) != "Failed":
		a.refuse(409, "OperationNotAllowed", "Another operation is in progress.")
		return
	}
	s.writes++
	sent["id"], sent["name"] = groupPath(m[1])+"/providers/Microsoft.ContainerService/managedClusters/"+m[2], m[2]
	sent["identity"] = map[string]any{"type": "SystemAssigned", "principalId": Identity}
	p := sent["properties"].(map[string]any)
	p["provisioningState"], p["nodeResourceGroup"] = "Creating", fmt.Sprintf("MC_%s_%s_%s", m[1], m[2], Location)
	p["currentKubernetesVersion"], p["powerState"] = fmt.Sprint(p["kubernetesVersion"])+".4", map[string]any{"code": "Running"}
	s.clusters[key(m)] = sent
	s.change(a, sent, func() { p["provisioningState"] = "Succeeded" })
	a.send(201, sent)
}

func state(c map[string]any) string {
	return fmt.Sprint(c["properties"].(map[string]any)["provisioningState"])
}

// change begins an operation on a cluster. If it fails, the cluster has the error too.
func (s *Server) change(a *answer, c map[string]any, end func()) {
	code := s.FailOperation
	s.FailOperation = ""
	p := c["properties"].(map[string]any)
	id := s.begin(a, func() {
		delete(c, "operation")
		if code != "" {
			p["provisioningState"] = "Failed"
			p["status"] = map[string]any{"provisioningError": map[string]any{"code": code, "message": "The operation failed half-way."}}
			return
		}
		delete(p, "status")
		end()
	})
	s.ops[id].code = code
	c["operation"] = id
}

func (s *Server) begin(a *answer, end func()) string {
	id := strconv.Itoa(len(s.ops) + 1)
	s.ops[id] = &operation{left: operationTakes, end: end}
	a.header.Set("Azure-AsyncOperation", s.URL+"/subscriptions/"+Subscription+"/providers/Microsoft.ContainerService/locations/"+Location+"/operations/"+id+"?api-version=2017-08-31")
	a.header.Set("Retry-After", "0")
	return id
}

func (s *Server) later(a *answer, path string) {
	a.header.Set("Location", s.URL+"/subscriptions/"+Subscription+path+"?api-version=2021-04-01")
	a.header.Set("Retry-After", "0")
}

// advance counts a request about an operation, and reports whether it has ended.
func (s *Server) advance(id string) bool {
	op := s.ops[id]
	if op == nil || op.left == 0 {
		return true
	}
	op.left--
	if op.left == 0 {
		op.end()
	}
	return op.left == 0
}

func (s *Server) poll(a *answer, m []string, _ map[string]any) {
	ended := s.advance(m[1])
	a.header.Set("Retry-After", "0")
	op := s.ops[m[1]]
	switch {
	case op == nil:
		a.refuse(404, "NotFound", "no such operation")
	case !ended:
		a.send(200, map[string]any{"status": "InProgress"})
	case op.code != "":
		a.send(200, map[string]any{"status": "Failed", "error": map[string]any{"code": op.code, "message": "The operation failed half-way."}})
	default:
		a.send(200, map[string]any{"status": "Succeeded"})
	}
}

func (s *Server) deleteCluster(a *answer, m []string, _ map[string]any) {
	c := s.clusters[key(m)]
	if c == nil {
		a.send(204, nil)
		return
	}
	c["properties"].(map[string]any)["provisioningState"] = "Deleting"
	s.change(a, c, func() { delete(s.clusters, key(m)) })
	a.send(202, nil)
}

func (s *Server) power(a *answer, m []string, _ map[string]any) {
	c := s.clusters[key(m)]
	if c == nil {
		a.refuse(404, "ResourceNotFound", "The cluster was not found.")
		return
	}
	p := c["properties"].(map[string]any)
	s.change(a, c, func() {
		p["powerState"] = map[string]any{"code": map[string]string{"start": "Running", "stop": "Stopped"}[strings.ToLower(m[3])]}
	})
	a.send(202, nil)
}

func (s *Server) putRole(a *answer, m []string, sent map[string]any) {
	name := m[1] + "/" + m[2]
	if s.roles[name] != nil {
		a.refuse(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists.")
		return
	}
	s.roles[name] = sent
	a.send(201, sent)
}

func (s *Server) credentials(a *answer, m []string, _ map[string]any) {
	c := s.clusters[key(m)]
	if c == nil || !slices.Contains([]string{"Succeeded", "Failed"}, state(c)) {
		a.refuse(404, "ResourceNotFound", "The cluster was not found.")
		return
	}
	user := s.KubeUser
	switch {
	case user != nil:
	case strings.EqualFold(m[3], "Admin"):
		user = map[string]any{"client-certificate-data": []byte("certificate"), "client-key-data": []byte("key"), "token": "secret"}
	default:
		user = map[string]any{"exec": map[string]any{"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "provideClusterInfo": false, "interactiveMode": "IfAvailable",
			"args": []string{"get-token", "--environment", "AzurePublicCloud", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630", "--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id", "99999999-8888-4777-8666-555555555555", "--login", "devicecode"}}}
	}
	name := "clusterUser_" + m[1] + "_" + m[2]
	config := map[string]any{"apiVersion": "v1", "kind": "Config", "current-context": m[2],
		"clusters": []any{map[string]any{"name": m[2], "cluster": map[string]any{"server": s.KubeServer, "certificate-authority-data": s.KubeCA}}},
		"contexts": []any{map[string]any{"name": m[2], "context": map[string]any{"cluster": m[2], "user": name}}},
		"users":    []any{map[string]any{"name": name, "user": user}}}
	body, _ := json.Marshal(config)
	a.send(200, map[string]any{"kubeconfigs": []any{map[string]any{"name": name, "value": base64.StdEncoding.EncodeToString(body)}}})
}
