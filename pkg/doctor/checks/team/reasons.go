package team

import "strings"

// A reason is a cause that a message of Kubernetes shows, and what to do about it.
type reason struct {
	signs   []string
	cause   string // "" to quote the message alone
	advice  string // what the user of the namespace can do
	ask     string // what only an administrator can do, "" for nothing
	nothing bool   // the user can do nothing
}

// reasons are tried in this order: the specific ones first.
var reasons = []reason{
	{signs: []string{"exceeded quota"}, cause: "The quota of the namespace is used up.",
		advice: "Stop notebooks and jobs that are not needed, or ask for less.", ask: "raise the quota (spec.resourceQuotaSpec of the Profile)"},
	{signs: []string{"must specify limits", "must specify requests", "failed quota"}, cause: "The quota of the namespace demands requests and limits.",
		advice: "Set requests and limits for CPU and memory on every container."},
	{signs: []string{"error looking up service account", "serviceaccount \"default-editor\" not found"}, cause: "The service account does not exist.", nothing: true,
		ask: "run kubectl kubeflow doctor tenancy/profile-parts --fix"},
	{signs: []string{"while applying poddefaults"}, cause: "PodDefaults contradict each other.", advice: "Select only one of them. team/pod-defaults names them."},
	{signs: []string{"violates PodSecurity", "admission webhook", "ValidatingAdmissionPolicy"}, cause: "A policy of the cluster rejects the pod.",
		advice: "Change what the message names.", ask: "exempt the namespace, or fix the webhook"},
	{signs: []string{"didn't tolerate", "untolerated taint"}, cause: "The nodes have taints that the pod does not tolerate.",
		advice: "Choose the toleration group in the notebook form, or add the toleration.", ask: "allow the namespace on these nodes"},
	{signs: []string{"were unschedulable", "is unschedulable", "are unschedulable"}, cause: "Nodes are cordoned.", nothing: true, ask: "uncordon the nodes"},
	{signs: []string{"Insufficient nvidia.com/gpu", "Insufficient amd.com/gpu"}, cause: "No GPU is free.", advice: "Stop what holds GPUs, or ask for fewer.", ask: "add GPU nodes"},
	{signs: []string{"Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"}, cause: "No node has enough free CPU or memory.",
		advice: "Ask for less, or stop what is not needed.", ask: "add nodes"},
	{signs: []string{"Too many pods"}, cause: "The nodes have no free pod slots.", nothing: true, ask: "add nodes"},
	{signs: []string{"unbound immediate PersistentVolumeClaims", "persistentvolumeclaim"}, cause: "A PVC is missing or not bound.",
		advice: "Check the PVC's name and its events: kubectl describe pvc."},
	{signs: []string{"node affinity", "node selector", "didn't match Pod's"}, cause: "No node matches the pod's node selector or the zone of its volume.", advice: "Remove or correct the node selector or affinity.", ask: "add nodes that match"},
	{signs: []string{"toomanyrequests", "429 Too Many"}, cause: "The registry rate-limits anonymous pulls.", advice: "Wait, or add an image pull secret for the registry to service account default-editor.", ask: "mirror the image"},
	{signs: []string{"unauthorized", "401 Unauthorized", "authentication required", "403 Forbidden"}, cause: "The registry requires authentication.",
		advice: "Add an image pull secret to service account default-editor.", ask: "attach the registry (az aks update --attach-acr NAME)"},
	{signs: []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "Failed to pull image", "manifest unknown", "Unable to fetch image"}, cause: "The image cannot be pulled.", advice: "Check the image's name and tag."},
	{signs: []string{"CreateContainerConfigError", "couldn't find key", "secret \"", "configmap \""}, cause: "A Secret or ConfigMap that the pod uses is missing, or has not the key.", advice: "Create what the message names, or correct the reference."},
	{signs: []string{"maximum number of data disks", "FailedAttachVolume", "Multi-Attach"}, cause: "The volume cannot be attached to the node.", advice: "Stop the other pod that uses the volume.", ask: "free disk slots of the node"},
	{signs: []string{"failed to save outputs", "failed to load artifact", "failed to put file"}, cause: "The object store rejected the step, or was not reached.",
		advice: "Compare Secret mlpipeline-minio-artifact with the keys of the object store.", ask: "renew the keys: kubectl kubeflow doctor pipelines"},
	{signs: []string{"The node was low on resource", "Evicted"}, cause: "The pod was evicted: its node ran out of memory or disk.", advice: "Request what the program uses, and write large files to a volume."},
	{signs: []string{"longer than the specified deadline", "exceeded its deadline", "DeadlineExceeded"}, cause: "It ran longer than its deadline allows.", advice: "Raise activeDeadlineSeconds, or do less in one step."},
	{signs: []string{"is forbidden: User "}, cause: "The service account is not allowed to do this.", nothing: true, ask: "run kubectl kubeflow doctor tenancy"},
	{signs: []string{"probe failed"}, cause: "The program does not answer the probe.", advice: "Read the log of the container, and compare its port with that of the probe."},
	{signs: []string{"OOMKilled"}, cause: "The container needs more memory than its limit.", advice: "Raise its memory limit."},
	{signs: []string{"crash-looping", "crashed"}, advice: "Read the log of the container."},
	{signs: []string{"FailedCreatePodSandBox", "failed to allocate for range"}, cause: "The node cannot give the pod an address.", nothing: true, ask: "enlarge the subnet of the nodes"},
}

// reasonFor returns the reason that a message shows.
func reasonFor(message string) reason {
	for _, r := range reasons {
		for _, sign := range r.signs {
			if strings.Contains(message, sign) {
				return r
			}
		}
	}
	return reason{advice: "The events have more: kubectl describe."}
}

// advise returns what to do: what the user can, then what only an administrator can.
func (r reason) advise() string {
	var parts []string
	if !r.nothing && r.advice != "" {
		parts = append(parts, r.advice)
	}
	if r.ask != "" {
		parts = append(parts, "Only an administrator can "+r.ask+".")
	}
	return strings.Join(parts, " ")
}
