package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"
)

const (
	// Generous, for a machine that compiles something else at the same time.
	readyWithin = 2 * time.Minute
	readyPoll   = 50 * time.Millisecond
)

// The controllers that make a difference without nodes: ends of namespaces, owner references,
// default service accounts, Jobs.
const controllers = "namespace,garbagecollector,serviceaccount,serviceaccount-token," +
	"root-ca-certificate-publisher-controller,job,ttl-after-finished"

type servers struct {
	programs  Programs
	folder    string
	abandoned <-chan struct{}
	// Hears of every process that ended.
	ended                    chan *process
	etcd, apiserver, manager *process
	etcdURL                  string
	port                     int
	cluster                  Cluster
	files                    credentials
}

// startOnce returns the servers even with an error, so that those which started can be killed.
func startOnce(programs Programs, folder string, abandoned <-chan struct{}) (*servers, error) {
	s := &servers{programs: programs, folder: folder, abandoned: abandoned, ended: make(chan *process, 16)}
	ports, err := freePorts(3)
	if err != nil {
		return s, err
	}
	s.port = ports[0]
	s.etcdURL = fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	if s.files, err = writeCredentials(folder, s.url()); err != nil {
		return s, err
	}
	if err := s.startEtcd(ports[2]); err != nil {
		return s, err
	}
	if err := s.startAPIServer(); err != nil {
		return s, err
	}
	hasControllers := programs("kube-controller-manager") != nil
	if hasControllers {
		if err := s.startControllerManager(); err != nil {
			return s, err
		}
	}
	s.cluster = Cluster{
		URL: s.url(), CAFile: s.caFile(), Token: s.files.adminToken, Kubeconfig: s.files.adminKubeconfig,
		AuditLog: filepath.Join(folder, "audit.log"), HasControllers: hasControllers,
	}
	return s, nil
}

func (s *servers) url() string { return fmt.Sprintf("https://127.0.0.1:%d", s.port) }

// caFile is the certificate that kube-apiserver makes for itself, and its issuer.
func (s *servers) caFile() string { return filepath.Join(s.folder, "certificates", "apiserver.crt") }

func (s *servers) startEtcd(peerPort int) (err error) {
	peers := fmt.Sprintf("http://127.0.0.1:%d", peerPort)
	// Durability is off, since nothing of this survives.
	s.etcd, err = run(s.programs, "etcd", s.folder, s.ended,
		"--name", "tests", "--data-dir", filepath.Join(s.folder, "etcd-"+fmt.Sprint(peerPort)),
		"--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", s.etcdURL, "--advertise-client-urls", s.etcdURL,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
		"--initial-cluster", "tests="+peers)
	if err != nil {
		return err
	}
	return s.await(s.etcd, s.etcdURL+"/health", "")
}

// startAPIServer starts it on its port and data, again when it was stopped.
func (s *servers) startAPIServer() (err error) {
	if s.apiserver != nil && !s.apiserver.hasEnded() {
		return errors.New("kube-apiserver runs already")
	}
	s.apiserver, err = run(s.programs, "kube-apiserver", s.folder, s.ended,
		"--etcd-servers", s.etcdURL,
		"--bind-address", "127.0.0.1", "--secure-port", fmt.Sprint(s.port),
		// There is no node network into which the service `kubernetes` could point.
		"--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.0.0.0/24",
		"--cert-dir", filepath.Join(s.folder, "certificates"),
		"--authorization-mode", "RBAC", "--token-auth-file", s.files.tokens,
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", s.files.key, "--service-account-signing-key-file", s.files.key,
		"--audit-policy-file", s.files.auditPolicy, "--audit-log-path", filepath.Join(s.folder, "audit.log"),
		// An event is in the log before the request is answered, so that a test may count.
		"--audit-log-mode", "blocking-strict", "--profiling=false")
	if err != nil {
		return err
	}
	return s.await(s.apiserver, s.url()+"/readyz", s.files.adminToken)
}

func (s *servers) startControllerManager() (err error) {
	s.manager, err = run(s.programs, "kube-controller-manager", s.folder, s.ended,
		"--kubeconfig", s.files.managerKubeconfig, "--controllers", controllers,
		"--leader-elect=false", "--secure-port", "0", "--profiling=false",
		"--service-account-private-key-file", s.files.key, "--root-ca-file", s.caFile())
	return err
}

// await returns when the address answers 200.
func (s *servers) await(process *process, address, token string) error {
	client := http.Client{
		Timeout: 5 * time.Second,
		// The certificate is made by the server that is being awaited.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	deadline := time.After(readyWithin)
	for {
		if answer, err := client.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-process.done:
			return fmt.Errorf("%s ended; its log ends with:\n%s", process.name, process.logTail())
		case <-s.abandoned:
			return errors.New("not needed any more")
		case <-deadline:
			return fmt.Errorf("%s was not ready within %v; its log ends with:\n%s", process.name, readyWithin, process.logTail())
		case <-time.After(readyPoll):
		}
	}
}

func (s *servers) kill() {
	if s == nil {
		return
	}
	for _, process := range []*process{s.manager, s.apiserver, s.etcd} {
		process.kill()
	}
}

// freePorts holds all until it has all, so that they differ.
func freePorts(count int) ([]int, error) {
	ports := make([]int, 0, count)
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
