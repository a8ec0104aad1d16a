package checks

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pipelines"
)

// Public reports whether a value is one that Kubeflow ships, so that a bundle may keep it.
func Public(value string) bool {
	return auth.Shipped(value) || dashboard.ShippedScript(value) || pipelines.Shipped(value)
}

// Kept lists the fields that the checks read, by kind: a bundle holds these and nothing else. A check that reads another field
// has a case whose report from a bundle differs from that of the cluster (kept_test.go): add the field here.
var Kept = keptFields()

func keptFields() redact.Table {
	t := redact.Table{
		kube.PodKind:                       slices.Concat(under("spec", podSpec), podStatus),
		kube.DeploymentKind:                workload,
		kube.StatefulSetKind:               workload,
		kube.DaemonSetKind:                 workload,
		kube.ReplicaSetKind:                workload,
		kube.JobKind:                       workload,
		kube.NamespaceKind:                 {"spec/finalizers id", "status/phase", conditions, conditionTexts},
		kube.ServiceKind:                   {"spec/{type,externalTrafficPolicy,internalTrafficPolicy,sessionAffinity,ipFamilyPolicy,ipFamilies,loadBalancerClass,allocateLoadBalancerNodePorts,healthCheckNodePort}", "spec/selector labels", "spec/{clusterIP,clusterIPs,loadBalancerIP,loadBalancerSourceRanges,externalIPs} plain", "spec/externalName host", "spec/ports/{name,targetPort,appProtocol} name", "spec/ports/{port,protocol,nodePort}", "status/loadBalancer/ingress/{ip,ipMode} plain", "status/loadBalancer/ingress/hostname host"},
		kube.EndpointSliceKind:             {"addressType", "endpoints/addresses plain", "endpoints/conditions/{ready,serving,terminating}", "endpoints/targetRef/{kind,name,namespace} id", "endpoints/nodeName name", "ports/name name", "ports/{port,protocol,appProtocol}"},
		kube.ConfigMapKind:                 {"data/* config"},
		kube.SecretKind:                    {"type id", "data secret"},
		kube.EventKind:                     {"involvedObject/{kind,namespace,name} id", "{type,reason}", "message text", "{firstTimestamp,lastTimestamp,eventTime} plain", "count"},
		kube.NodeKind:                      {"spec/unschedulable", "spec/taints/key id", "spec/taints/{value,effect}", "status/{allocatable,capacity} resources", "status/addresses/type", "status/addresses/address plain", conditions, conditionTexts, "status/nodeInfo/{architecture,operatingSystem}", "status/nodeInfo/{containerRuntimeVersion,kubeletVersion,kernelVersion,osImage} id", "status/volumesAttached/name hash"},
		kube.LeaseKind:                     {"spec/{renewTime,acquireTime} plain", "spec/leaseDurationSeconds"},
		kube.PersistentVolumeClaimKind:     {"spec/{accessModes,volumeMode}", "spec/resources/requests resources", "spec/{storageClassName,volumeName} name", "status/phase", conditions, conditionTexts},
		kube.PersistentVolumeKind:          {"spec/{accessModes,persistentVolumeReclaimPolicy,volumeMode}", "spec/capacity resources", "spec/storageClassName name", "spec/claimRef/{namespace,name} name", "spec/nodeAffinity/required/nodeSelectorTerms/matchExpressions/key id", "spec/nodeAffinity/required/nodeSelectorTerms/matchExpressions/operator", "spec/nodeAffinity/required/nodeSelectorTerms/matchExpressions/values name", "spec/csi/driver name", "spec/{azureDisk,azureFile}/kind", "status/phase"},
		kube.ResourceQuotaKind:             {"spec/hard resources", "status/{hard,used} resources"},
		kube.StorageClassKind:              {"provisioner id", "{volumeBindingMode,reclaimPolicy,allowVolumeExpansion}", "parameters/{skuName,protocol}"},
		kube.CustomResourceDefinitionKind:  {"spec/group name", "spec/scope", "spec/names/{plural,singular} id", "spec/names/{kind,listKind} kind", "spec/versions/name", "spec/versions/{served,storage,deprecated}", "spec/conversion/strategy", "spec/conversion/webhook/clientConfig/service/{name,namespace} name", "status/storedVersions", conditions},
		kube.CertificateSigningRequestKind: {"spec/signerName id", "spec/usages", conditions, conditionTexts},
		kube.NetworkPolicyKind:             {"spec/policyTypes", selector("spec/podSelector"), expressions("spec/podSelector"), "spec/{ingress,egress}/ports/port name", "spec/{ingress,egress}/ports/{endPort,protocol}", "spec/ingress/from/ipBlock/{cidr,except} plain", selector("spec/ingress/from/{podSelector,namespaceSelector}"), expressions("spec/ingress/from/{podSelector,namespaceSelector}"), "spec/egress/to/ipBlock/{cidr,except} plain"},
		kube.IngressKind:                   {"spec/ingressClassName name", "spec/rules/host host", "spec/rules/http/paths/{path,pathType}", "spec/rules/http/paths/backend/service/name name", "spec/rules/http/paths/backend/service/port/{name,number} name", "spec/defaultBackend/service/name name", "spec/defaultBackend/service/port/{name,number} name", "spec/tls/hosts host", "spec/tls/secretName name", "status/loadBalancer/ingress/ip plain", "status/loadBalancer/ingress/hostname host"},

		kube.MutatingWebhookConfigurationKind:   webhook,
		kube.ValidatingWebhookConfigurationKind: webhook,

		{Group: "networking.istio.io", Kind: "DestinationRule"}:          {"spec/host host", selector("spec/workloadSelector"), "spec/{trafficPolicy,subsets}/tls/mode", "spec/subsets/name name", "spec/subsets/labels labels", "spec/{trafficPolicy,subsets}/**"},
		{Group: "networking.istio.io", Kind: "Gateway"}:                  {"spec/selector labels", "spec/servers/hosts host", "spec/servers/port/name name", "spec/servers/port/{number,protocol,targetPort}", "spec/servers/tls/{mode,httpsRedirect,minProtocolVersion}", "spec/servers/tls/credentialName name", "spec/servers/tls/{serverCertificate,privateKey}"},
		{Group: "networking.istio.io", Kind: "VirtualService"}:           {"spec/hosts host", "spec/gateways id", "spec/http/match/uri/{prefix,exact,regex}", "spec/http/route/destination/host host", "spec/http/route/destination/port/number", "spec/tls/match/{port}", "spec/tls/match/{sniHosts,sni_hosts} host", "spec/tls/route/destination/host host", "spec/tls/route/destination/port/number", "spec/tcp/match/port", "spec/tcp/route/destination/host host", "spec/tcp/route/destination/port/number", "spec/**"},
		dashboard.EnvoyFilterKind:                                        {"spec/**"},
		dashboard.AuthorizationPolicyKind:                                {"spec/**"},
		dashboard.RequestAuthenticationKind:                              {"spec/**"},
		{Group: "security.istio.io", Kind: "*"}:                          {"spec/**"},
		{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef/kind kind", "roleRef/name id", "subjects/kind kind", "subjects/name person", "subjects/namespace name"},
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef/kind kind", "roleRef/name id", "subjects/kind kind", "subjects/name person", "subjects/namespace name"},
		{Group: "gateway.networking.k8s.io", Kind: "*"}:                  {"spec/**", "status/addresses/{type,value} host", conditions},
		{Group: "kubeflow.org", Kind: "PodDefault"}:                      {"spec/desc text", selector("spec/selector"), "spec/env env", "spec/volumes/name name", "spec/volumes/projected/sources/serviceAccountToken/{audience,path,expirationSeconds} id", "spec/volumeMounts/name name", "spec/volumeMounts/{mountPath,readOnly}"},
		{Group: "kubeflow.org", Kind: "Profile"}:                         {"spec/owner/kind", "spec/owner/name person", "spec/resourceQuotaSpec/hard resources", conditions},
		{Group: "kubeflow.org", Kind: "Notebook"}:                        {conditions, conditionTexts, "spec/template/spec/containers/name name", "spec/template/spec/containers/volumeMounts/name name", "spec/template/spec/containers/volumeMounts/mountPath"},
		{Group: "kubeflow.org", Kind: "*"}:                               {conditions, conditionTexts},
		{Group: "trainer.kubeflow.org", Kind: "*"}:                       {conditions, conditionTexts},
		{Group: "serving.kserve.io", Kind: "*"}:                          {conditions, conditionTexts},
		{Group: "serving.knative.dev", Kind: "*"}:                        {conditions, conditionTexts},
		{Group: "operator.knative.dev", Kind: "*"}:                       {conditions, conditionTexts, "status/observedGeneration"},
		{Group: "cert-manager.io", Kind: "Issuer"}:                       {conditions, conditionTexts},
		{Group: "argoproj.io", Kind: "Workflow"}:                         {"status/phase", "status/message text", conditions},
		{Group: "cert-manager.io", Kind: "Certificate"}:                  {"spec/secretName name", "spec/issuerRef/{name,kind,group} id", "spec/dnsNames host", "status/{notAfter,notBefore,renewalTime} plain", conditions, conditionTexts},
		{Group: "constraints.gatekeeper.sh", Kind: "*"}:                  {"spec/enforcementAction", "spec/match/{excludedNamespaces,namespaces} id"},
		{Group: "templates.gatekeeper.sh", Kind: "ConstraintTemplate"}:   {"spec/crd/spec/names/kind kind"},
		{Group: "apiregistration.k8s.io", Kind: "APIService"}:            {"spec/service/{name,namespace} name", "spec/{group,version} name", conditions},
		{Group: "karpenter.sh", Kind: "*"}:                               {"spec/weight"},
	}
	for kind, fields := range t {
		t[kind] = slices.Concat(metadata, fields)
	}
	t[redact.Other] = metadata
	return t
}

// metadata is kept of every object.
var metadata = []string{
	"apiVersion version", "kind kind", "metadata/{name,generateName,namespace} id", "metadata/uid hash", "metadata/{creationTimestamp,deletionTimestamp} plain", "metadata/generation",
	"metadata/{labels,annotations} labels", "metadata/finalizers id", "metadata/ownerReferences/apiVersion version", "metadata/ownerReferences/name id", "metadata/ownerReferences/kind kind", "metadata/ownerReferences/uid hash", "metadata/ownerReferences/{controller,blockOwnerDeletion}",
}

const (
	conditions     = "status/conditions/{type,status,reason,lastTransitionTime,observedGeneration}"
	conditionTexts = "status/conditions/message text"
)

func selector(path string) string    { return path + "/matchLabels labels" }
func expressions(path string) string { return path + "/matchExpressions/{key,operator,values} id" }

func under(path string, fields []string) []string {
	out := make([]string, len(fields))
	for i, field := range fields {
		out[i] = path + "/" + field
	}
	return out
}

// podSpec is what checks read of a pod: also what Pod Security judges.
var podSpec = []string{
	"{nodeName,serviceAccountName,schedulerName,priorityClassName,runtimeClassName} name", "{restartPolicy,hostNetwork,hostPID,hostIPC,hostUsers,shareProcessNamespace,automountServiceAccountToken,os}", "os/name",
	"nodeSelector labels", "tolerations/{key,value} id", "tolerations/{operator,effect,tolerationSeconds}", "resources/{requests,limits} resources", "overhead resources",
	"affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/{matchExpressions,matchFields}/{key,operator,values} id",
	"securityContext/**", "imagePullSecrets/name name", "topologySpreadConstraints/{maxSkew,topologyKey,whenUnsatisfiable}",
	"volumes/name name", "volumes/persistentVolumeClaim/claimName name", "volumes/{secret/secretName,configMap/name} name", "volumes/configMap/items/{key,path}", "volumes/{secret,configMap}/optional", "volumes/projected/sources/{secret,configMap}/name name", "volumes/projected/sources/{secret,configMap}/optional", "volumes/{hostPath,nfs,azureDisk,azureFile,awsElasticBlockStore,gcePersistentDisk,iscsi,cephfs,rbd,glusterfs,flexVolume,flocker,portworxVolume,quobyte,scaleIO,storageos,vsphereVolume,photonPersistentDisk,fc,cinder,gitRepo}/type", "volumes/{emptyDir,downwardAPI,ephemeral,csi}/driver name",
	"volumes/projected/sources/serviceAccountToken/{audience,path,expirationSeconds} id",
	containers("name name"), containers("image image"), containers("{restartPolicy,imagePullPolicy}"), containers("{args,command} args"), containers("env env"), containers("envFrom/{configMapRef,secretRef}/name name"), containers("envFrom/prefix"), containers("envFrom/{configMapRef,secretRef}/optional"),
	containers("resources/{requests,limits} resources"), containers("ports/name name"), containers("ports/{containerPort,hostPort,protocol,hostIP}"), containers("volumeMounts/name name"), containers("volumeMounts/{mountPath,readOnly,subPath}"),
	containers("securityContext/**"), containers("{livenessProbe,readinessProbe,startupProbe}/{httpGet,tcpSocket,grpc}/host name"), containers("{livenessProbe,readinessProbe,startupProbe}/{httpGet,tcpSocket,grpc}/port name"), containers("{livenessProbe,readinessProbe,startupProbe}/httpGet/scheme"),
	containers("lifecycle/{postStart,preStop}/{httpGet,tcpSocket}/host name"),
}

func containers(field string) string {
	return "{containers,initContainers,ephemeralContainers}/" + field
}

var podStatus = []string{
	"status/{phase,reason,qosClass}", "status/message text", conditions, conditionTexts, "status/{podIP,hostIP} plain",
	"status/{containerStatuses,initContainerStatuses}/name name", "status/{containerStatuses,initContainerStatuses}/image image", "status/{containerStatuses,initContainerStatuses}/{ready,started,restartCount}",
	"status/{containerStatuses,initContainerStatuses}/{state,lastState}/{waiting,running,terminated}/{reason,exitCode,signal,startedAt,finishedAt}",
	"status/{containerStatuses,initContainerStatuses}/{state,lastState}/{waiting,terminated}/message text",
}

var workload = slices.Concat([]string{
	"spec/{replicas,paused,suspend,parallelism,completions,backoffLimit,minReadySeconds,progressDeadlineSeconds}", selector("spec/selector"), expressions("spec/selector"), "spec/serviceName name",
	"spec/{strategy,updateStrategy}/type", "spec/template/metadata/{labels,annotations} labels", "spec/volumeClaimTemplates/metadata/name name",
	"status/{replicas,readyReplicas,updatedReplicas,availableReplicas,unavailableReplicas,observedGeneration,currentReplicas,numberReady,desiredNumberScheduled,currentNumberScheduled,updatedNumberScheduled,numberAvailable,numberUnavailable,active,succeeded,failed}", "status/{currentRevision,updateRevision} hash",
	conditions, conditionTexts,
}, under("spec/template/spec", podSpec))

var webhook = []string{
	"webhooks/name id", "webhooks/{failurePolicy,matchPolicy,sideEffects,timeoutSeconds,reinvocationPolicy,admissionReviewVersions}", "webhooks/clientConfig/caBundle hash", "webhooks/clientConfig/url hash",
	"webhooks/clientConfig/service/{name,namespace} name", "webhooks/clientConfig/service/{path,port}", selector("webhooks/{namespaceSelector,objectSelector}"), expressions("webhooks/{namespaceSelector,objectSelector}"),
	"webhooks/rules/{apiGroups,apiVersions,resources,operations,scope} id",
}
