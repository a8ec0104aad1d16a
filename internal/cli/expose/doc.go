// Package expose is the command "kubectl kubeflow expose": it shows how the dashboard can be reached, and changes it.
package expose
