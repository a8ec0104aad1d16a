package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
)

// A Place is a sandbox's folder and its recorded state.
type Place struct {
	Name       string    `json:"name"`
	Dir        string    `json:"-"`
	PID        int       `json:"pid"`
	Kubernetes string    `json:"kubernetes"`
	Kubeconfig string    `json:"kubeconfig"`
	Distant    string    `json:"distant,omitempty"`  // the same through the latency that was asked for
	Identity   string    `json:"identity,omitempty"` // the file that describes the identity provider
	Exported   string    `json:"exported,omitempty"` // the user's kubeconfig that has the context
	Previous   string    `json:"previous,omitempty"` // its previous current context
	Started    time.Time `json:"started"`
	Ready      bool      `json:"ready"`
	Running    bool      `json:"-"` // false if its process has exited

	lock *os.File
}

// ForUsers returns the kubeconfig whose API server is as far away as was asked for.
func (p Place) ForUsers() string {
	if p.Distant != "" {
		return p.Distant
	}
	return p.Kubeconfig
}

// ErrRunning means that a sandbox with that name is already running.
var ErrRunning = errors.New("a sandbox with this name is already running")

var validName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,38}[a-z0-9])?$`)

// root returns the folder of all sandboxes of this user.
func root() (string, error) {
	cache, err := build.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "clusters")
	return dir, os.MkdirAll(dir, 0o700)
}

// occupy creates a sandbox's folder and holds its lock until release.
func occupy(name string) (*Place, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("%q is not a valid sandbox name: use at most 40 lower-case letters, digits, '-' and '.'", name)
	}
	all, err := root()
	if err != nil {
		return nil, err
	}
	var place *Place
	err = alone(all, func() error {
		sweep(all)
		p := &Place{Name: name, Dir: filepath.Join(all, name), PID: os.Getpid(), Started: time.Now()}
		if err := os.Mkdir(p.Dir, 0o700); errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", name, ErrRunning)
		} else if err != nil {
			return err
		}
		if p.lock, err = tryLock(p.lockFile()); err != nil {
			return err
		}
		place = p
		return p.save()
	})
	return place, err
}

// release removes the folder with its contents.
func (p *Place) release() error {
	err := os.RemoveAll(p.Dir)
	_ = p.lock.Close()
	return err
}

func (p *Place) lockFile() string  { return filepath.Join(p.Dir, "lock") }
func (p *Place) stateFile() string { return filepath.Join(p.Dir, "sandbox.json") }

func (p *Place) save() error {
	content, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	draft := p.stateFile() + ".new"
	if err := os.WriteFile(draft, content, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, p.stateFile())
}

// List returns all sandboxes of this user, including those whose process has exited.
func List() ([]Place, error) {
	all, err := root()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(all)
	if err != nil {
		return nil, err
	}
	var places []Place
	for _, entry := range entries {
		if entry.IsDir() {
			places = append(places, read(filepath.Join(all, entry.Name())))
		}
	}
	return places, nil
}

func read(dir string) Place {
	p := Place{Name: filepath.Base(dir), Dir: dir}
	if content, err := os.ReadFile(p.stateFile()); err == nil {
		_ = json.Unmarshal(content, &p) // a truncated file belongs to a dead sandbox
	}
	p.Running = held(p.lockFile())
	return p
}

// sweep removes the folders of killed processes. Call it within alone.
func sweep(all string) {
	entries, _ := os.ReadDir(all)
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if p := read(filepath.Join(all, entry.Name())); !p.Running {
			_ = withdraw(p.Exported, p.Name, p.Previous)
			_ = os.RemoveAll(p.Dir)
		}
	}
}

// alone runs do while no other process creates or sweeps folders.
func alone(all string, do func() error) error {
	file, err := os.OpenFile(filepath.Join(all, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", file.Name(), err)
	}
	return do()
}

// tryLock acquires a lock that lasts as long as the file is open. Child processes
// do not inherit it.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return file, nil
}

func held(path string) bool {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}
