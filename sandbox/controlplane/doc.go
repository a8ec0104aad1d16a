// Package controlplane runs a real Kubernetes control plane on 127.0.0.1: etcd,
// kube-apiserver, kube-controller-manager, kube-scheduler, and KWOK in place of
// the kubelets. It makes the certificates, chooses the ports and keeps all files
// in one folder.
//
// The main type is ControlPlane, from Start to Stop. Its programs never outlive
// the process that started them. To run one more program, copy managers.go.
package controlplane
