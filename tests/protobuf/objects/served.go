package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

const (
	jsonType     = "application/json"
	protobufType = "application/vnd.kubernetes.protobuf"
	metadataOnly = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// apiServer is a real one, as it is seen over HTTP.
type apiServer struct {
	url, token string
	client     http.Client
	types      []servedType
}

type servedType struct {
	path       string // "/apis/apps/v1"
	apiVersion string
	Name       string
	Kind       string
	Namespaced bool
	Verbs      []string
}

func connect(url, caFile, token string) *apiServer {
	ca, err := os.ReadFile(caFile)
	must(err, caFile)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		fail("%s has no certificate", caFile)
	}
	s := &apiServer{url: url, token: token}
	s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true}
	return s
}

func (s *apiServer) send(method, path, accept, contentType string, body []byte) (int, []byte) {
	request, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	must(err, path)
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Accept", accept)
	request.Header.Set("Content-Type", contentType)
	response, err := s.client.Do(request)
	must(err, path)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(err, path)
	return response.StatusCode, answer
}

func (s *apiServer) get(path string, into any) bool {
	status, answer := s.send("GET", path, jsonType, jsonType, nil)
	if status != http.StatusOK {
		return false
	}
	must(json.Unmarshal(answer, into), path)
	return true
}

// What the server has, by discovery.
func (s *apiServer) discover() {
	var groups struct {
		Groups []struct {
			Versions []struct{ GroupVersion string }
		}
	}
	if !s.get("/apis", &groups) {
		fail("no discovery at %s", s.url)
	}
	versions := []string{"v1"}
	for _, group := range groups.Groups {
		for _, version := range group.Versions {
			versions = append(versions, version.GroupVersion)
		}
	}
	for _, version := range versions {
		path := "/apis/" + version
		if version == "v1" {
			path = "/api/v1"
		}
		var list struct{ Resources []servedType }
		s.get(path, &list) // An APIService of the test has no server.
		for _, t := range list.Resources {
			t.path, t.apiVersion = path, version
			s.types = append(s.types, t)
		}
	}
}

func (s *apiServer) typeOf(apiVersion, kind string) servedType {
	for _, t := range s.types {
		if t.apiVersion == apiVersion && t.Kind == kind && !strings.Contains(t.Name, "/") {
			return t
		}
	}
	fail("the server has no %s of %s", kind, apiVersion)
	return servedType{}
}

func (s *apiServer) create(text []byte) {
	var object struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
		Status           json.RawMessage
	}
	must(json.Unmarshal(text, &object), string(text))
	t := s.typeOf(object.APIVersion, object.Kind)
	path := t.path + "/" + t.Name
	if t.Namespaced {
		path = t.path + "/namespaces/" + object.Metadata.Namespace + "/" + t.Name
	}
	status, answer := s.send("POST", path, jsonType, jsonType, text)
	if status != http.StatusCreated && status != http.StatusConflict {
		fail("%s %s: %s", object.Kind, object.Metadata.Name, answer)
	}
	if object.Status == nil {
		return
	}
	patch := []byte(`{"status":` + string(object.Status) + `}`)
	path += "/" + object.Metadata.Name + "/status"
	if status, answer := s.send("PATCH", path, jsonType, "application/merge-patch+json", patch); status != http.StatusOK {
		fail("%s: %s", path, answer)
	}
}

// The same list in both encodings: the second is asked for as of the version of the first.
func (s *apiServer) list(path, as string) (protobuf, text []byte) {
	status, text := s.send("GET", path, jsonType+as, jsonType, nil)
	if status != http.StatusOK {
		fail("%s: %s", path, text)
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	must(json.Unmarshal(text, &list), path)
	exact := path + "?resourceVersionMatch=Exact&resourceVersion=" + list.Metadata.ResourceVersion
	_, text = s.send("GET", exact, jsonType+as, jsonType, nil)
	_, protobuf = s.send("GET", exact, protobufType+as, jsonType, nil)
	return protobuf, bytes.TrimSuffix(text, []byte("\n"))
}

// Objects of many kinds on a real server, and what that has besides, in all versions.
func (w *writer) served(url, caFile, token, objects string) {
	s := connect(url, caFile, token)
	s.discover()
	file, err := os.Open(objects)
	must(err, objects)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.create(lines.Bytes())
	}
	must(lines.Err(), objects)
	for _, t := range s.types {
		// componentstatuses are made, in any order, when they are asked for.
		if strings.Contains(t.Name, "/") || !slices.Contains(t.Verbs, "list") || t.Name == "componentstatuses" {
			continue
		}
		for _, as := range []string{"", metadataOnly} {
			protobuf, text := s.list(t.path+"/"+t.Name, as)
			w.record(same, fmt.Sprintf("%s/%s%s", t.path, t.Name, as), protobuf, text)
		}
	}
}
