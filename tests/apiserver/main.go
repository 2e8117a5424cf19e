// Command apiserver carries a real Kubernetes API server for tests in one file: etcd,
// kube-apiserver and kube-controller-manager, kubectl to talk to them, and two judges of what an
// operator writes. `serve` starts the servers; the first word, or the name under which the program
// is called, chooses.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // For the time zones of CronJobs, where the machine has none.

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // What kubectl's own main registers.
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	"ciosync.dev/tests/apiserver/judge"
	"ciosync.dev/tests/apiserver/serve"
)

var programs = map[string]func(){
	"serve":                   func() { os.Exit(serve.Main(serve.Carried, os.Args[1:])) },
	"etcd":                    func() { serve.DieWithParent(); etcdmain.Main(os.Args) },
	"kube-apiserver":          func() { serve.DieWithParent(); os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"kube-controller-manager": func() { serve.DieWithParent(); os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"kubectl":                 kubectl,
	"kstatus":                 func() { os.Exit(judge.Kstatus(os.Stdin, os.Stdout)) },
	"lua":                     func() { os.Exit(judge.Lua(os.Args[1:], os.Stdin, os.Stdout)) },
}

func main() {
	if run, ok := programs[filepath.Base(os.Args[0])]; ok {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run, ok := programs[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			run()
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: apiserver serve|etcd|kube-apiserver|kube-controller-manager|kubectl|kstatus|lua ...")
	os.Exit(2)
}

// kubectl is what k8s.io/kubernetes/cmd/kubectl does.
func kubectl() {
	_, _ = logs.GlogSetter(cmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
