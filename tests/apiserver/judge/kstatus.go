// Package judge says of a resource what tools that know nothing of ciosync say of it.
package judge

import (
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// Kstatus reads one object's JSON and prints `Current`, `InProgress`, `Failed`, `Terminating` or
// `Unknown`, then a space and why: the code with which Flux and others wait.
func Kstatus(in io.Reader, out io.Writer) int {
	text, err := io.ReadAll(in)
	if err != nil {
		return complain("kstatus: %v", err)
	}
	var object unstructured.Unstructured
	if err := object.UnmarshalJSON(text); err != nil {
		return complain("kstatus: standard input is not an object: %v", err)
	}
	result, err := status.Compute(&object)
	if err != nil {
		return complain("kstatus: %v", err)
	}
	fmt.Fprintf(out, "%s %s\n", result.Status, result.Message)
	return 0
}

func complain(format string, values ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	return 1
}
