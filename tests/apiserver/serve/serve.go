// Package serve starts etcd, kube-apiserver and kube-controller-manager on free loopback ports in a
// fresh folder, says where they are, and ends them when nobody needs them any more.
//
// It knows no code of Kubernetes, only the programs' flags.
package serve

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Another process may take a free port between our look and the server's.
const startAttempts = 3

// Cluster is what `serve` prints about the servers, as one line of JSON, once they answer.
type Cluster struct {
	URL        string `json:"url"`
	CAFile     string `json:"caFile"`
	Token      string `json:"token"`
	Kubeconfig string `json:"kubeconfig"`
	AuditLog   string `json:"auditLog"`
	// Whether namespaces end, Jobs make Pods and owner references are collected.
	HasControllers bool `json:"hasControllers"`
}

// Main starts the servers and returns the exit code at their end, which comes when standard input
// ends, on SIGINT and SIGTERM, or when one of them ends on its own.
//
// Lines on standard input are commands for kube-apiserver: `pause` (SIGSTOP), `resume`, `stop`
// (SIGKILL) and `start` (same port, same data, ready again). Each is answered by a line with `done`.
func Main(programs Programs, args []string) int {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	parent := flags.String("data", os.TempDir(), "existing `folder` to make the fresh folder in")
	if flags.Parse(args) != nil || flags.NArg() > 0 {
		return 2
	}
	// Asked for before anything runs, so that a signal during the start cleans up too.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	commands := lines(os.Stdin)

	folder, err := os.MkdirTemp(*parent, "ciosync-apiserver-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(folder)
	ended := make(chan error, 1)
	go func() { ended <- whileNeeded(signals, commands, programs, folder) }()
	if err := <-ended; err != nil {
		return fail(err)
	}
	return 0
}

func whileNeeded(signals <-chan os.Signal, commands <-chan string, programs Programs, folder string) error {
	type outcome struct {
		servers *servers
		err     error
	}
	abandoned := make(chan struct{})
	started := make(chan outcome, 1)
	go func() {
		servers, err := start(programs, folder, abandoned)
		started <- outcome{servers, err}
	}()
	var now outcome
	early := []string{}
	for waiting := true; waiting; {
		select {
		case now = <-started:
			waiting = false
		case <-signals:
			close(abandoned)
			now = <-started
			now.servers.kill()
			return nil
		case command, ok := <-commands:
			if !ok {
				close(abandoned)
				now = <-started
				now.servers.kill()
				return nil
			}
			early = append(early, command)
		}
	}
	if now.err != nil {
		return now.err
	}
	defer now.servers.kill()
	if err := json.NewEncoder(os.Stdout).Encode(now.servers.cluster); err != nil {
		return err
	}
	for _, command := range early {
		if err := now.servers.obey(command); err != nil {
			return err
		}
	}
	for {
		select {
		case <-signals:
			return nil
		case process := <-now.servers.ended:
			if process.isKilled.Load() {
				continue
			}
			return fmt.Errorf("%s ended; its log ends with:\n%s", process.name, process.logTail())
		case command, ok := <-commands:
			if !ok {
				return nil
			}
			if err := now.servers.obey(command); err != nil {
				return err
			}
		}
	}
}

// start tries again on other ports, since only the servers know why they did not come up.
func start(programs Programs, folder string, abandoned <-chan struct{}) (*servers, error) {
	var last error
	for range startAttempts {
		servers, err := startOnce(programs, folder, abandoned)
		if err == nil {
			return servers, nil
		}
		servers.kill()
		last = err
		select {
		case <-abandoned:
			return nil, last
		default:
		}
	}
	return nil, last
}

// obey carries out one command and answers it. An error means that the servers can't go on.
func (s *servers) obey(command string) error {
	var err error
	switch command {
	case "pause":
		err = s.apiserver.signal(syscall.SIGSTOP)
	case "resume":
		err = s.apiserver.signal(syscall.SIGCONT)
	case "stop":
		s.apiserver.kill()
	case "start":
		err = s.startAPIServer()
	default:
		fmt.Fprintf(os.Stderr, "unknown command %q: pause, resume, stop or start\n", command)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"done": command})
}

// lines closes its channel when the input ends, which is how a caller's death looks from here.
func lines(in io.Reader) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			out <- scanner.Text()
		}
	}()
	return out
}

func fail(err error) int {
	fmt.Fprintf(os.Stderr, "error: %v\n", err)
	return 1
}
