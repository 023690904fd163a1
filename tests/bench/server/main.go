// The replay server of the benchmarks: pods that are encoded once, lists and watches of them as a kube-apiserver sends
// them, faster than any client reads. It ends with its standard input.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

type server struct {
	history  *history
	encoded  map[string]*encodings
	pod      []byte // as a get returns it
	watchers atomic.Int64
	paced    atomic.Bool
}

func main() {
	objects := flag.Int("objects", 50_000, "how many pods there are")
	certificate := flag.String("ca", "", "file to write the certificate to; without it there is no TLS")
	flag.Parse()
	if err := serve(*objects, *certificate); err != nil {
		log.Fatal("bench server: ", err)
	}
}

func serve(objects int, certificate string) error {
	made := &server{history: newHistory(objects), encoded: map[string]*encodings{}}
	for _, media := range []string{mediaJSON, mediaProtobuf} {
		encoded, err := encodeShapes(media)
		if err != nil {
			return err
		}
		made.encoded[media] = encoded
	}
	pod, err := encodePod()
	if err != nil {
		return err
	}
	made.pod = pod
	addresses := map[string]any{
		"event_bytes":    len(made.encoded[mediaJSON].events[0].text),
		"protobuf_bytes": len(made.encoded[mediaProtobuf].events[0].text),
	}
	if err = made.listen(addresses, certificate); err != nil {
		return err
	}
	if err = json.NewEncoder(os.Stdout).Encode(addresses); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func (s *server) listen(addresses map[string]any, certificate string) error {
	serving := &http.Server{Handler: s.routes(), ConnContext: rememberBatch,
		ErrorLog: log.New(io.Discard, "", 0)} // clients disconnect when they are done
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addresses["http"] = "http://" + plain.Addr().String()
	go serving.Serve(plain)
	if certificate == "" {
		return nil
	}
	config, err := makeTLS(certificate)
	if err != nil {
		return err
	}
	secured, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addresses["https"] = "https://" + secured.Addr().String()
	go serving.Serve(tls.NewListener(batchListener{secured}, config))
	return nil
}

func (s *server) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("/", discover)
	routes.HandleFunc("/control/go", s.goOn)
	routes.HandleFunc("/control/state", s.state)
	routes.HandleFunc("/api/v1/pods", func(w http.ResponseWriter, r *http.Request) {
		if watch := r.URL.Query().Get("watch"); watch == "true" || watch == "1" {
			s.watch(w, r)
		} else {
			s.list(w, r)
		}
	})
	routes.HandleFunc("GET /api/v1/namespaces/{namespace}/pods/{name}", s.get)
	return routes
}

// One pod, whatever its name: what a client's requests cost.
func (s *server) get(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", mediaJSON)
	w.Write(s.pod)
}
