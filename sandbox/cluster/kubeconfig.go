package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// export adds the sandbox's context to a user's kubeconfig and makes it current.
// It keeps existing entries, and returns the previous current context.
func export(from, to string) (previous string, err error) {
	mine, err := clientcmd.LoadFromFile(from)
	if err != nil {
		return "", err
	}
	theirs, err := clientcmd.LoadFromFile(to)
	if errors.Is(err, fs.ErrNotExist) {
		theirs, err = clientcmdapi.NewConfig(), nil
	}
	if err != nil {
		return "", fmt.Errorf("reading kubeconfig %s: %w", to, err)
	}
	for name, entry := range mine.Clusters {
		theirs.Clusters[name] = entry
	}
	for name, entry := range mine.AuthInfos {
		theirs.AuthInfos[name] = entry
	}
	for name, entry := range mine.Contexts {
		theirs.Contexts[name] = entry
	}
	previous, theirs.CurrentContext = theirs.CurrentContext, mine.CurrentContext
	return previous, clientcmd.WriteToFile(*theirs, to)
}

// withdraw removes the context, makes the previous one current, and removes the
// file if it is empty.
func withdraw(file, name, previous string) error {
	if file == "" {
		return nil
	}
	config, err := clientcmd.LoadFromFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading kubeconfig %s: %w", file, err)
	}
	context := contextName(name)
	if entry := config.Contexts[context]; entry != nil {
		delete(config.Clusters, entry.Cluster)
		delete(config.AuthInfos, entry.AuthInfo)
		delete(config.Contexts, context)
	}
	if config.CurrentContext == context {
		config.CurrentContext = previous
	}
	if len(config.Contexts)+len(config.Clusters)+len(config.AuthInfos) == 0 {
		return os.Remove(file)
	}
	return clientcmd.WriteToFile(*config, file)
}

// contextName returns the name of the sandbox's context.
func contextName(name string) string { return "sandbox-" + name }
