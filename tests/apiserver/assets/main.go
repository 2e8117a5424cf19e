// Command assets starts the API server for tests out of ready-made programs, those in the folder
// that KUBEBUILDER_ASSETS names. It is built in seconds, where the carried servers take minutes, and judges as they do.
package main

import (
	"fmt"
	"os"

	"ciosync.dev/tests/apiserver/judge"
	"ciosync.dev/tests/apiserver/serve"
)

func main() {
	word := ""
	if len(os.Args) > 1 {
		word = os.Args[1]
	}
	switch folder := os.Getenv("KUBEBUILDER_ASSETS"); {
	case word == "serve" && folder != "":
		os.Exit(serve.Main(serve.In(folder), os.Args[2:]))
	case word == "kstatus":
		os.Exit(judge.Kstatus(os.Stdin, os.Stdout))
	case word == "lua":
		os.Exit(judge.Lua(os.Args[2:], os.Stdin, os.Stdout))
	}
	fmt.Fprintln(os.Stderr, "usage: KUBEBUILDER_ASSETS=FOLDER assets serve|kstatus|lua ...")
	os.Exit(2)
}
