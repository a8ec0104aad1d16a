package kustomization

import (
	"io"
	"log"
	"os"
	"sync"
)

// kustomize prints deprecation notes about manifests directly to os.Stderr and to the standard logger, in
// the middle of other output. There is no option to disable that, so both are redirected during a build.
// Holders of the original os.Stderr are not affected.
var noise struct {
	sync.Mutex
	builds int
	stderr *os.File
	log    io.Writer
	null   *os.File
}

// quiet silences both until the returned function has been called as often as quiet itself.
func quiet() (restore func()) {
	noise.Lock()
	defer noise.Unlock()
	if noise.builds++; noise.builds == 1 {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return speak // extra output is better than no build
		}
		noise.stderr, noise.log, noise.null = os.Stderr, log.Writer(), null
		os.Stderr = null
		log.SetOutput(null)
	}
	return speak
}

func speak() {
	noise.Lock()
	defer noise.Unlock()
	if noise.builds--; noise.builds > 0 || noise.null == nil {
		return
	}
	os.Stderr = noise.stderr
	log.SetOutput(noise.log)
	_ = noise.null.Close()
	noise.null = nil
}
