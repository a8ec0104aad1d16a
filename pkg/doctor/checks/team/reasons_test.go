package team

import (
	"strings"
	"testing"
)

// The messages are those of the API server, the kubelet, the scheduler and Kubeflow's controllers.
func TestMessagesOfKubernetesShowTheirCause(t *testing.T) {
	for message, want := range map[string]string{
		`create Pod nb-0 in StatefulSet nb failed error: admission webhook "admission-webhook-deployment.kubeflow.org" denied the request: conflict occurred while applying poddefaults: a,b on pod: nb-0 err: merging env for b has a conflict on X`: "PodDefaults contradict",
		`create Pod nb-0 in StatefulSet nb failed error: pods "nb-0" is forbidden: exceeded quota: kf-resource-quota, requested: cpu=4, used: cpu=8, limited: cpu=10`:                                                                                 "quota of the namespace is used up",
		`pods "nb-0" is forbidden: failed quota: kf-resource-quota: must specify limits.cpu for: main`:                                                                                                                                                "demands requests and limits",
		`create Pod nb-0 in StatefulSet nb failed error: pods "nb-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`:                                                                                       "policy of the cluster",
		`pods "nb-0" is forbidden: error looking up service account team/default-editor: serviceaccount "default-editor" not found`:                                                                                                                   "service account does not exist",
		`0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.`:                                                                                                "No GPU is free",
		`0/4 nodes are available: 1 node(s) had untolerated taint {sku: gpu}, 3 Insufficient memory.`:                                                                                                                                                 "taints",
		`0/3 nodes are available: 3 node(s) were unschedulable.`:                                                                                                                                                                                      "cordoned",
		`0/3 nodes are available: 3 Too many pods.`:                             "pod slots",
		`0/3 nodes are available: persistentvolumeclaim "data" not found.`:      "PVC is missing",
		`0/3 nodes are available: 3 node(s) had volume node affinity conflict.`: "zone of its volume",
		`Failed to pull image "x:9": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/x:9": failed to resolve reference "docker.io/library/x:9": docker.io/library/x:9: not found`:                                      "image cannot be pulled",
		`Unable to fetch image "model:9": failed to resolve image to digest: HEAD https://index.docker.io/v2/library/model/manifests/9: unexpected status code 404 Not Found`:                                                                               "image cannot be pulled",
		`Failed to pull image "x:1": rpc error: code = Unknown desc = failed to pull and unpack image: failed to copy: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests - toomanyrequests: You have reached your pull rate limit`: "rate-limits",
		`failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized`:                                                                                                                                                         "requires authentication",
		`manifest for model:9 not found: manifest unknown: manifest unknown`:                                                                                                                                                                                "image cannot be pulled",
		`MountVolume.SetUp failed for volume "token" : secret "mlpipeline-token" not found`:                                                                                                                                                                 "Secret or ConfigMap",
		`MountVolume.SetUp failed for volume "v" : configmap "settings" not found`:                                                                                                                                                                          "Secret or ConfigMap",
		`Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) nb-0`:                                                                                                                                                                       "cannot be attached",
		`AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = Unknown desc = Attach volume failed: The maximum number of data disks allowed to be attached to a VM is 8`:                                                                       "cannot be attached",
		`child 'train' failed: OOMKilled (exit code 137)`:                                                                                                                                                                                                   "more memory",
		`failed to save outputs: failed to put file: The Access Key Id you provided does not exist in our records.`:                                                                                                                                         "object store",
		`This step is in Error state with this message: failed to load artifact 'input': Access Denied.`:                                                                                                                                                    "object store",
		`The node was low on resource: ephemeral-storage. Threshold quantity: 4Gi, available: 3Gi.`:                                                                                                                                                         "evicted",
		`The node was low on resource: memory. Container main was using 9Gi, request is 1Gi`:                                                                                                                                                                "evicted",
		`Pod was active on the node longer than the specified deadline`:                                                                                                                                                                                     "longer than",
		`Step exceeded its deadline`: "longer than",
		`failed to create subPath directory for volumeMount "data" of container "main"`:                                                                                                   "",
		`workflows.argoproj.io is forbidden: User "system:serviceaccount:team:default-editor" cannot create resource "workflows" in API group "argoproj.io" in the namespace "team"`:      "not allowed",
		`RevisionMissing: Configuration "model-predictor" does not have any ready Revision.`:                                                                                              "",
		`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type="azure-vnet" failed (add): IPAM: failed to allocate for range 0`: "address",
		`Startup probe failed: dial tcp 10.0.0.1:8888: connect: connection refused`:                                                                                                       "probe",
		`Readiness probe failed: HTTP probe failed with statuscode: 503`:                                                                                                                  "probe",
	} {
		r := reasonFor(message)
		if got := r.cause + " " + r.advice; want == "" || !strings.Contains(got, want) {
			if want == "" && r.cause == "" {
				continue
			}
			t.Errorf("%s\n\tgot  %s\n\twant %s", message, got, want)
		}
	}
}
