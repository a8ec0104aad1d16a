// Package expose models what makes Kubeflow's dashboard reachable: the dashboard as it is, what earlier runs created and changed,
// and how to remove that again.
//
// [Read] reads a cluster into a [Target]; [Endpoints] lists how the dashboard can be reached now, and an [Exposure] is the result of
// a command as data. [PlanRemoval] and [Remove] revert everything that expose did. The packages below do the rest:
//
//   - loadbalancer gives the dashboard an address of Azure's load balancer;
//   - tls gives the gateway a certificate for it;
//   - portforward carries connections from this computer to the gateway;
//   - probe requests a page and classifies the response;
//   - record writes down what was changed on objects of other owners, and reverts exactly that.
//
// To add a method, copy loadbalancer (one that changes the cluster) or portforward (one that lasts as long as its command): each
// has a [Method] and takes what the user asked for from [Options].
package expose
