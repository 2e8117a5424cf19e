// Command assets starts the API server for tests out of ready-made programs, those in the folder
// that KUBEBUILDER_ASSETS names. It is built in seconds, where the carried servers take minutes.
package main

import (
	"fmt"
	"os"

	"ciosync.dev/tests/apiserver/serve"
)

func main() {
	folder := os.Getenv("KUBEBUILDER_ASSETS")
	if len(os.Args) < 2 || os.Args[1] != "serve" || folder == "" {
		fmt.Fprintln(os.Stderr, "usage: KUBEBUILDER_ASSETS=FOLDER assets serve ...")
		os.Exit(2)
	}
	os.Exit(serve.Main(serve.In(folder), os.Args[2:]))
}
