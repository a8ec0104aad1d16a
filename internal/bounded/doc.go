// Package bounded reads what others wrote, with a limit on its size, its structure and the time that reading takes.
//
// Every file, stream and response that this program reads passes through it: [File] for a file that the user named,
// [Inside] for a file in a folder whose author is not trusted, [All] for a stream, [YAML] for text before it is parsed.
// A test in cmd/kubectl-kubeflow finds readers that do not.
package bounded
