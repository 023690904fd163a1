// Command table writes src/protobuf/schema_table.inc: how each message of the built-in types is written as JSON, by
// reflection over the Go types that an API server encodes.
//
//	go run ./table >../../src/protobuf/schema_table.inc
package main

import (
	"bufio"
	"fmt"
	"os"

	"ksr.test/protobuf/apitypes"
)

func main() {
	schema := newSchema()
	for _, kind := range apitypes.Kinds(apitypes.Scheme()) {
		schema.addKind(kind)
	}
	out := bufio.NewWriter(os.Stdout)
	schema.number()
	schema.write(out)
	if err := out.Flush(); err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "table: "+format+"\n", args...)
	os.Exit(1)
}
