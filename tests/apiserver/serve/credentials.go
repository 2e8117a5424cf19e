package serve

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// auditPolicy logs who asked for what where an operator's thrift matters, before the request is
// carried out and after, and leaves out the servers among themselves.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: None
    users: ["system:apiserver", "system:kube-controller-manager"]
  - level: None
    userGroups: ["system:serviceaccounts:kube-system"]
  - level: Metadata
    resources:
      - group: ciosync.dev
      - group: ""
        resources: [secrets, configmaps, events, namespaces]
      - group: events.k8s.io
      - group: coordination.k8s.io
      - group: apiextensions.k8s.io
      - group: batch
  - level: None
`

// credentials are the files that the servers and their callers need.
type credentials struct {
	adminToken, adminKubeconfig, managerKubeconfig string
	tokens, key, auditPolicy                       string
}

func writeCredentials(folder, url string) (credentials, error) {
	adminToken, managerToken := unguessable(), unguessable()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return credentials{}, err
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	tokens := fmt.Sprintf("%s,admin,admin,system:masters\n%s,system:kube-controller-manager,manager,system:masters\n",
		adminToken, managerToken)
	in := func(name string) string { return filepath.Join(folder, name) }
	files := credentials{
		adminToken: adminToken, adminKubeconfig: in("kubeconfig"), managerKubeconfig: in("manager.kubeconfig"),
		tokens: in("tokens.csv"), key: in("service-accounts.key"), auditPolicy: in("audit-policy.yaml"),
	}
	caFile := filepath.Join(folder, "certificates", "apiserver.crt")
	for path, text := range map[string][]byte{
		files.adminKubeconfig:   kubeconfig(url, caFile, adminToken),
		files.managerKubeconfig: kubeconfig(url, caFile, managerToken),
		files.tokens:            []byte(tokens),
		files.key:               encoded,
		files.auditPolicy:       []byte(auditPolicy),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return credentials{}, err
		}
	}
	return files, nil
}

// kubeconfig is JSON, which is YAML.
func kubeconfig(url, caFile, token string) []byte {
	type object = map[string]any
	text, err := json.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "current-context": "tests",
		"clusters": []object{{"name": "tests", "cluster": object{"server": url, "certificate-authority": caFile}}},
		"users":    []object{{"name": "tests", "user": object{"token": token}}},
		"contexts": []object{{"name": "tests", "context": object{"cluster": "tests", "user": "tests", "namespace": "default"}}},
	})
	if err != nil {
		panic(err) // Strings are always JSON.
	}
	return append(text, '\n')
}

func unguessable() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // Never fails, as its documentation promises.
	return hex.EncodeToString(random)
}
