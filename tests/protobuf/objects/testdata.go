package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"ksr.test/protobuf/apitypes"
)

const (
	afterRoundtrip = ".after_roundtrip"
	// Of the release whose types these are; the file of older ones need not be known as a whole.
	current = "HEAD"
)

func (w *writer) testdata(dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "*", "*.pb"))
	must(err, dir)
	s := apitypes.Scheme()
	for _, file := range files {
		name := strings.TrimSuffix(file, ".pb")
		release := filepath.Base(filepath.Dir(file))
		protobuf, err := os.ReadFile(file)
		must(err, file)
		outcome := same
		base, isRoundtrip := strings.CutSuffix(name, afterRoundtrip)
		if matches, _ := filepath.Glob(base + afterRoundtrip + ".*"); len(matches) > 0 && !isRoundtrip {
			outcome = sameIfKnown // A field of that release may be gone.
		}
		text, err := os.ReadFile(base + afterRoundtrip + ".json")
		if err != nil {
			text, err = os.ReadFile(base + ".json")
		}
		must(err, name)
		if gvk := kindOf(protobuf); !s.Recognizes(gvk) {
			// A WatchEvent has no kind: it is what events come in.
			if release == current && gvk.Kind != "" {
				fail("%s is not in the scheme", file)
			}
			outcome = unknown
		}
		w.record(outcome, release+"/"+filepath.Base(name), protobuf, asServed(text))
	}
}

// The JSON without white space, and with what a server adds to the claims of a StatefulSet
// (pkg/apis/apps/v1/conversion.go), which the scheme alone does not.
func asServed(text []byte) []byte {
	var compact bytes.Buffer
	must(json.Compact(&compact, text), "compact")
	return bytes.ReplaceAll(compact.Bytes(), []byte(`"volumeClaimTemplates":[{`),
		[]byte(`"volumeClaimTemplates":[{"kind":"PersistentVolumeClaim","apiVersion":"v1",`))
}

func unwrap(protobuf []byte) runtime.Unknown {
	var envelope runtime.Unknown
	must(envelope.Unmarshal(protobuf[4:]), "the envelope")
	return envelope
}
