package serve

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

// lifeline is the descriptor that a carried server inherits; it reads as ended when the supervisor
// is gone, killed or not.
const (
	lifeline    = 3
	lifelineEnv = "CIOSYNC_TEST_LIFELINE"
	logTailSize = 4000
)

// Programs returns the command line that runs one of the servers, empty where there is none.
type Programs func(name string) []string

// Carried runs the servers that this very program carries.
func Carried(name string) []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []string{self, name}
}

// In runs the programs of a folder.
func In(folder string) Programs {
	return func(name string) []string {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err != nil {
			return nil
		}
		return []string{path}
	}
}

// DieWithParent ends this process when the supervisor that started it is gone.
func DieWithParent() {
	if os.Getenv(lifelineEnv) == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(lifeline, "lifeline"))
		os.Exit(1)
	}()
}

type process struct {
	name     string
	command  *exec.Cmd
	log      string
	isKilled atomic.Bool
	done     chan struct{}
	// Its end is the process's signal that we are gone.
	line *os.File
}

// run starts a program; `ended` hears of its end.
func run(programs Programs, name, folder string, ended chan<- *process, args ...string) (*process, error) {
	words := programs(name)
	if words == nil {
		return nil, fmt.Errorf("no program %s", name)
	}
	log := filepath.Join(folder, name+".log")
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	command := exec.Command(words[0], append(words[1:], args...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", lifelineEnv, lifeline))
	command.Stdout, command.Stderr = out, out
	command.ExtraFiles = []*os.File{reader}
	// Its own group: Ctrl-C in a terminal is for the supervisor, which then ends all in order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		writer.Close()
		return nil, err
	}
	started := &process{name: name, command: command, log: log, done: make(chan struct{}), line: writer}
	go func() {
		_ = command.Wait()
		close(started.done)
		ended <- started
	}()
	return started, nil
}

func (p *process) signal(signal syscall.Signal) error { return p.command.Process.Signal(signal) }

// kill ends the process at once, a stopped one too, and returns when it is gone. Nothing of what it
// would still write is wanted.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.isKilled.Store(true)
	_ = p.signal(syscall.SIGKILL)
	<-p.done
	p.line.Close()
}

func (p *process) hasEnded() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) logTail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if cut := len(text) - logTailSize; cut > 0 {
		text = text[cut:]
	}
	return strings.TrimSpace(string(text))
}
