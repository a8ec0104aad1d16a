package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// export adds the sandbox's context to a user's kubeconfig and makes it the
// current one. What is there stays. It returns the context that was current.
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

// withdraw takes the context out again, makes the previous one current, and takes
// the file away when nothing is left in it.
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

// contextName is what kubectl calls the sandbox.
func contextName(name string) string { return "sandbox-" + name }
