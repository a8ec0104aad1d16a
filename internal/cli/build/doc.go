// Package build is the command "kubectl kubeflow build": it renders a release into an application directory.
package build
