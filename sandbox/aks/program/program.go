package program

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// A Program is a Deployment whose program the sandbox simulates.
type Program struct {
	Namespace, Name string

	deployments appslisters.DeploymentLister
	configs     corelisters.ConfigMapLister
}

// New returns the program of a Deployment. It watches through the factory.
func New(factory informers.SharedInformerFactory, namespace, name string) Program {
	factory.Apps().V1().Deployments().Informer()
	factory.Core().V1().ConfigMaps().Informer()
	return Program{namespace, name, factory.Apps().V1().Deployments().Lister(), factory.Core().V1().ConfigMaps().Lister()}
}

// Ready reports whether the program runs.
func (p Program) Ready() bool {
	found := p.deployment()
	return found != nil && found.DeletionTimestamp == nil && found.Status.ReadyReplicas > 0
}

func (p Program) deployment() *appsv1.Deployment {
	found, err := p.deployments.Deployments(p.Namespace).Get(p.Name)
	if err != nil {
		return nil
	}
	return found
}

// Env returns an environment variable of the program, from its value or a ConfigMap, and whether it is set.
func (p Program) Env(name string) (string, bool) {
	found := p.deployment()
	if found == nil {
		return "", false
	}
	for i := range found.Spec.Template.Spec.Containers {
		if value, ok := p.env(&found.Spec.Template.Spec.Containers[i], name); ok {
			return value, true
		}
	}
	return "", false
}

// EnvOr returns an environment variable of the program, or its default if it is not set or empty.
func (p Program) EnvOr(name, otherwise string) string {
	if value, ok := p.Env(name); ok && value != "" {
		return value
	}
	return otherwise
}

func (p Program) env(c *corev1.Container, name string) (string, bool) {
	for _, v := range c.Env {
		switch {
		case v.Name != name:
		case v.ValueFrom == nil:
			return v.Value, true
		case v.ValueFrom.ConfigMapKeyRef != nil:
			value, ok := p.data(v.ValueFrom.ConfigMapKeyRef.Name)[v.ValueFrom.ConfigMapKeyRef.Key]
			return value, ok
		}
	}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil {
			continue
		}
		if value, ok := p.data(from.ConfigMapRef.Name)[name]; ok {
			return value, true
		}
	}
	return "", false
}

// Files returns the files of a volume that mounts a ConfigMap, nil if there is none.
func (p Program) Files(volume string) map[string]string {
	found := p.deployment()
	if found == nil {
		return nil
	}
	for _, v := range found.Spec.Template.Spec.Volumes {
		if v.Name == volume && v.ConfigMap != nil {
			return p.data(v.ConfigMap.Name)
		}
	}
	return nil
}

func (p Program) data(config string) map[string]string {
	found, err := p.configs.ConfigMaps(p.Namespace).Get(config)
	if err != nil {
		return nil
	}
	return found.Data
}

// Config returns the data of a ConfigMap in the program's namespace.
func (p Program) Config(name string) (map[string]string, error) {
	found, err := p.configs.ConfigMaps(p.Namespace).Get(name)
	if err != nil {
		return nil, err
	}
	return found.Data, nil
}

// Image returns the image of the program's first container, "" if it is not installed.
func (p Program) Image() string {
	found := p.deployment()
	if found == nil {
		return ""
	}
	for i := range found.Spec.Template.Spec.Containers {
		if c := &found.Spec.Template.Spec.Containers[i]; c.Name != "istio-proxy" {
			return c.Image
		}
	}
	return ""
}
