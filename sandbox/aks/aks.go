package aks

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/answer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/egress"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/gateway"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/notebooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/process"
)

// An AKS simulates the platform of one cluster.
type AKS struct {
	o         Options
	client    kubernetes.Interface
	dynamic   dynamic.Interface
	factory   informers.SharedInformerFactory
	untyped   dynamicinformer.DynamicSharedInformerFactory
	authority *answer.Authority
	board     *answer.Switchboard
	mesh      gateway.Cluster
	servers   *process.Servers // of notebooks
	signIn    *process.Servers
	egress    *egress.Proxy
	provider  net.Listener // of the stand-in for Entra ID, or nil
	pipelines *pipelines.Server
	objects   *pipelines.Store
	minor     atomic.Int64 // of the cluster's Kubernetes version, once known
}

// New prepares an AKS. It sends no request yet, so that it can be the network's
// backend before the API server runs.
func New(o Options) (*AKS, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	config := rest.CopyConfig(o.Config)
	config.QPS, config.Burst = -1, -1 // kubelets do not wait for each other
	config.UserAgent = "sandbox-aks"
	config.WarningHandler = rest.NoWarnings{} // they are meant for the authors of the real controllers
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	authority, err := answer.NewAuthority(o.CA.Cert, o.CA.Key)
	if err != nil {
		return nil, err
	}
	a := &AKS{
		o: o, client: client, dynamic: untyped, authority: authority,
		factory: informers.NewSharedInformerFactory(client, 0),
		untyped: dynamicinformer.NewDynamicSharedInformerFactory(untyped, 0),
		board:   answer.NewSwitchboard(authority, log.New(io.Discard, "", 0)),
	}
	core := a.factory.Core().V1()
	core.Services().Informer() // the backends read these, whichever parts are enabled
	core.Pods().Informer()
	core.ConfigMaps().Informer()
	if a.servers, err = process.New(a.factory, notebooks.Server()); err != nil {
		return nil, err
	}
	if err := a.realSignIn(); err != nil {
		return nil, err
	}
	if a.objects, err = pipelines.NewStore(); err != nil {
		return nil, err
	}
	a.pipelines = pipelines.NewServer(client, untyped, a.factory, a.objectsOf)
	a.mesh = gateway.Cluster{
		Istio: untyped, Pods: core.Pods().Lister(), Services: core.Services().Lister(), Configs: core.ConfigMaps().Lister(),
		Keys: gateway.NewKeys(a.outbound()), Real: a.signIn.Is,
		Sessions: gateway.NewSessions(), Password: a.password, Program: a.behindGateway,
	}
	return a, nil
}

// Run simulates AKS until ctx ends.
func Run(ctx context.Context, o Options) error {
	a, err := New(o)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// Run runs all parts until ctx ends. It returns earlier only if it cannot start.
func (a *AKS) Run(ctx context.Context) error {
	defer a.board.Close()
	if err := a.begin(ctx); err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: a.client.CoreV1().Events("")})
	parts, err := a.parts(func(component string) record.EventRecorder {
		return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: component})
	})
	if err != nil {
		return err
	}
	a.factory.Start(ctx.Done())
	a.untyped.Start(ctx.Done())
	a.factory.WaitForCacheSync(ctx.Done())
	a.untyped.WaitForCacheSync(ctx.Done())
	var running sync.WaitGroup
	for _, part := range parts {
		running.Go(func() { part.Run(ctx, a.o.Log) })
	}
	running.Wait()
	a.factory.Shutdown()
	a.untyped.Shutdown()
	return nil
}

// patience is how long the API server may take to respond.
const patience = 30 * time.Second
