package redact

import "strings"

// settingForms are the forms of the values of known settings, by the last part of their key in lower case, in configuration
// files, environment variables and arguments. Every other value is kept only if it is [Plain].
var settingForms = map[string]Form{
	"image": Image, "images": Image, "tag": Name, "registry": Host,
	"name": Name, "namespace": Name, "displayname": Word, "groupkey": Name, "key": Word, "value": Word, "operator": Word, "effect": Word,
	"executor": Word, "containerruntimeexecutor": Word, "ingressgateway": Identifier, "kserveingressgateway": Identifier, "localgateway": Identifier, "knativelocalgateway": Identifier,
	"issuer": Address, "oidc_issuer_url": Address, "issuerurl": Address,
	"endpoint": Address, "url": Address, "uri": Address, "redirecturi": Address, "redirecturis": Address, "redirect_url": Address, "host": Host, "hosts": Host, "hostname": Host, "server": Host, "domain": Host, "clusterdomain": Host,
	"service": Host, "cluster": envoyCluster, "cluster_name": envoyCluster, "skip_auth_uri": Word, "skip_auth_urls": Word, "skip_auth_routes": Word, "skip_auth_route": Word, "skip_auth_regex": Word,
	"skip-auth-regex": Word, "skip-auth-route": Word, "proxy-prefix": Word, "proxy_prefix": Word, "ping_path": Word, "ready_path": Word, "email_domains": Host, "whitelist_domains": Host, "upstreams": Address,
	"imagepullpolicy": Word, "mode": Word, "type": Word, "kind": Word, "apiversion": Word, "level": Word, "format": Word, "provider": Word, "prefix": Word,
	"path": Word, "file": Word, "dir": Word, "config": Word, "port": Plain, "mountpath": Word, "storageclass": Name, "storageclassname": Name, "serviceaccount": Name, "serviceaccountname": Name, "runtime": Word,
	"idenv": Word, "secretenv": Word, "hashfromenv": Word, // names of variables, in dex's configuration
	"configmap": Name, "managed-namespace": Name, "instanceid": Word, "lock-namespace": Name, "enable-scheme": Word, "metrics-bind-address": Plain, "part-of": Word, "istio-injection": Word,
}

// Setting reports whether the value of a setting may be shown.
func Setting(key, value string) bool {
	if IsCredential(key) {
		return false
	}
	form := settingForm(key)
	return Plain(value) || form != nil && form(value)
}

// settingForm finds the form of "containerRuntimeExecutor", "spec.image" and "DEX_IMAGE" alike.
func settingForm(key string) Form {
	key = strings.ToLower(strings.TrimLeft(key, "-"))
	if i := strings.LastIndexAny(key, "./"); i >= 0 {
		key = key[i+1:]
	}
	if form := settingForms[key]; form != nil {
		return form
	}
	if form := settingForms[key[strings.LastIndexAny(key, "-_")+1:]]; form != nil {
		return form
	}
	for _, last := range []string{"namespace", "image"} { // rootNamespace, kubectlImage
		if strings.HasSuffix(key, last) {
			return settingForms[last]
		}
	}
	return nil
}

// fieldForms are the forms of the fields of Kubernetes objects, by their last name. A field that is not listed is kept if its
// value consists of known words.
var fieldForms = map[string]Form{
	"apiVersion": Version, "kind": Kind, "name": Identifier, "namespace": Name, "generateName": Identifier,
	"image": Image, "host": Host, "hosts": Host, "hostnames": Host, "sniHosts": Host, "dnsNames": Host, "externalName": Host, "hostName": Host, "hostname": Host,
	"serviceName": Name, "serviceAccountName": Name, "serviceAccount": Name, "nodeName": Name, "claimName": Name, "secretName": Name, "volumeName": Name,
	"storageClassName": Name, "priorityClassName": Name, "ingressClassName": Name, "gatewayClassName": Name, "credentialName": Name, "runtimeClassName": Name, "schedulerName": Name,
	"containerName": Name, "driver": Name, "provisioner": Identifier, "group": Name, "plural": Name, "singular": Name, "listKind": Kind, "shortNames": Name, "categories": Name,
	"apiGroups": Identifier, "apiGroup": Identifier, "resources": Identifier, "resource": Identifier, "resourceNames": Identifier, "verbs": Identifier, "nonResourceURLs": Word,
	"finalizers": Identifier, "targetPort": Name, "port": Name, "namespaces": Name, "gateways": Identifier, "loadBalancerIP": Plain,
	"loadBalancerSourceRanges": Plain, "cidr": Plain, "except": Plain, "clusterIP": Plain, "clusterIPs": Plain, "ip": Plain, "ipBlocks": Plain, "remoteIpBlocks": Plain,
	"issuer": Address, "jwksUri": Address, "server": Address, "url": Address, "privateKey": mountedFile, "serverCertificate": mountedFile, "caCertificates": mountedFile, "clientCertificate": mountedFile, "audience": Identifier, "audiences": Identifier, "uid": Never, "cluster": envoyCluster, "cluster_name": envoyCluster, "service": Host, "uri": Address,
}

// envoyCluster is the form of the names that Istio gives to Envoy's clusters: "outbound|8080||dex.auth.svc.cluster.local".
func envoyCluster(v string) bool {
	for part := range strings.SplitSeq(v, "|") {
		if !Word(part) && !Host(part) {
			return false
		}
	}
	return true
}

// mountedFile is the form of the path of a file in a container.
func mountedFile(v string) bool { return strings.HasPrefix(v, "/") && Known(v) }

// Never is the form of fields that are never kept.
func Never(string) bool { return false }
