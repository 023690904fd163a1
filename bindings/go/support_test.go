package ksr_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"ksr.dev/ksr"
)

// testTimeout ends a test that hangs; no test depends on how long anything takes.
const testTimeout = 150 * time.Second

// serverConfig leads to the test server that the environment names. Without one the test is skipped.
func serverConfig(t *testing.T, more ksr.Config) ksr.Config {
	t.Helper()
	server := os.Getenv("KSR_TEST_SERVER")
	if server == "" {
		t.Skip("KSR_TEST_SERVER, KSR_TEST_CA and KSR_TEST_TOKEN name no test server")
	}
	config := ksr.Config{
		"server":          server,
		"resource":        "v1/configmaps",
		"namespace":       namespaceOf(t),
		"backoff_initial": "50ms",
	}
	if ca := os.Getenv("KSR_TEST_CA"); ca != "" {
		config["ca_file"] = ca
	}
	if token := os.Getenv("KSR_TEST_TOKEN"); token != "" {
		config["token"] = token
	}
	for key, value := range more {
		config[key] = value
	}
	return config
}

var namespaces sync.Map

// namespaceOf gives every run of a test objects of its own, so that a server serves any number of runs.
func namespaceOf(t *testing.T) string {
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	unique, _ := namespaces.LoadOrStore(t, fmt.Sprintf("%s-%x", name, time.Now().UnixNano()))
	return unique.(string)
}

// script has the test server do something; $NS stands for the test's namespace.
func script(t *testing.T, lines ...string) {
	t.Helper()
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "$NS", namespaceOf(t))
	transport := &http.Transport{TLSClientConfig: trust(t), DisableKeepAlives: true}
	client := http.Client{Timeout: testTimeout, Transport: transport}
	request, err := http.NewRequest("POST", os.Getenv("KSR_TEST_SERVER")+"/_ksr/script", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KSR_TEST_TOKEN"))
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusForbidden {
		t.Skip("the server takes no scripts")
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("script %q: %s: %s", text, response.Status, answer)
	}
}

func trust(t *testing.T) *tls.Config {
	t.Helper()
	file := os.Getenv("KSR_TEST_CA")
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool}
}

// closeAtEnd fails the test unless the closer was opened without an error, and closes it when the test ends.
func closeAtEnd(t *testing.T, opened io.Closer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
}

func open(t *testing.T, config ksr.Config, options ...ksr.Option) *ksr.Stream {
	t.Helper()
	stream, err := ksr.Open(context.Background(), config, options...)
	closeAtEnd(t, stream, err)
	return stream
}

func awaitSync(t *testing.T, stream *ksr.Stream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := stream.WaitSynced(ctx); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(testTimeout):
		t.Fatalf("%s did not come; all goroutines:\n%s", what, stacks())
	}
}

func stacks() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}

// settled waits until no goroutine has a function of the binding on its stack.
func settled(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(testTimeout); ; time.Sleep(5 * time.Millisecond) {
		trace := stacks()
		if !strings.Contains(trace, "ksr.dev/ksr.") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("goroutines are left:\n%s", trace)
		}
	}
}
