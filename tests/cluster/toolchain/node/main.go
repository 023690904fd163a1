// The node of the cluster tests: the kubelet's own HTTP server in front of the CRI streaming server and the CRI log
// reader, with processes of this machine in the place of containers. It registers nothing: the tests write the Node and
// the Pods' status, and the files of a container are
//
//	LOGS/CONTAINER-ID/0.log    its log in the CRI format
//	LOGS/CONTAINER-ID/stopped  there once the container is over
//
// An exec'd process ends with this program.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"k8s.io/client-go/util/cert"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/server"
)

const loopback = "127.0.0.1"

type options struct {
	apiserver    apiserverOptions
	name         string
	port         int
	logs         string
	certificates string
	idleTimeout  time.Duration
	writeTimeout time.Duration
	containerd   bool
}

func main() {
	var o options
	// Not the global set, in which cAdvisor has flags of its own.
	flags := flag.NewFlagSet("ksr-node", flag.ExitOnError)
	flags.StringVar(&o.apiserver.url, "server", "", "URL of the kube-apiserver")
	flags.StringVar(&o.apiserver.caFile, "ca-file", "", "file with the kube-apiserver's CA")
	flags.StringVar(&o.apiserver.tokenFile, "token-file", "", "file with the token to read Pods with")
	flags.StringVar(&o.name, "name", "node", "name of the Node object; Pods of other nodes are not served")
	flags.IntVar(&o.port, "port", 10250, "port to listen on")
	flags.StringVar(&o.logs, "logs", "", "directory of the containers' files")
	flags.StringVar(&o.certificates, "cert-dir", "", "directory to keep the certificate in")
	flags.DurationVar(&o.idleTimeout, "idle-timeout", 4*time.Hour, "of the CRI streaming server")
	flags.DurationVar(&o.writeTimeout, "write-timeout", 4*time.Hour, "of the kubelet's HTTP server")
	flags.BoolVar(&o.containerd, "containerd", false, "end a forwarded connection 1 s after either of its directions")
	flags.Parse(os.Args[1:])
	if err := serve(o); err != nil {
		log.Fatal("ksr-node: ", err)
	}
}

func serve(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	pods, err := newPods(o.apiserver, o.name)
	if err != nil {
		return err
	}
	containers := containerFiles{directory: o.logs}
	streams, err := startStreams(o.idleTimeout, &streamRuntime{containers: containers, containerd: o.containerd})
	if err != nil {
		return err
	}
	host := &node{pods: pods, containers: containers, streams: streams}
	configuration := &kubeletconfig.KubeletConfiguration{EnableDebuggingHandlers: true, EnableSystemLogHandler: true}
	handler := server.NewServer(ctx, host, nil, nil, nil, nil, configuration)
	return listen(ctx, o, &handler)
}

// As kubelet/server.ListenAndServeKubeletServer does, with a WriteTimeout of our own.
func listen(ctx context.Context, o options, handler http.Handler) error {
	chain, key, err := cert.GenerateSelfSignedCertKeyWithFixtures(o.name, []net.IP{net.ParseIP(loopback)}, nil, o.certificates)
	if err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	web := &http.Server{
		Addr:           net.JoinHostPort(loopback, strconv.Itoa(o.port)),
		Handler:        handler,
		TLSConfig:      &tls.Config{Certificates: []tls.Certificate{pair}},
		IdleTimeout:    90 * time.Second,
		ReadTimeout:    4 * time.Hour,
		WriteTimeout:   o.writeTimeout,
		MaxHeaderBytes: 1 << 20,
	}
	go func() {
		<-ctx.Done()
		web.Close()
	}()
	if err := web.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
