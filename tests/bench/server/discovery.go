package main

import (
	"io"
	"net/http"
)

// As much of discovery as clients request before they list pods.
var discovery = map[string]string{
	"/version": `{"major":"1","minor":"36","gitVersion":"v1.36.0"}`,
	"/api":     `{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}`,
	"/apis":    `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`,
	"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","singularName":"pod",` +
		`"namespaced":true,"kind":"Pod","verbs":["get","list","watch"],"shortNames":["po"]}]}`,
}

func discover(w http.ResponseWriter, r *http.Request) {
	answer, found := discovery[r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mediaJSON)
	io.WriteString(w, answer)
}

// What a kube-apiserver without the feature WatchList answers: clients list instead.
func refuseInitialEvents(w http.ResponseWriter) {
	w.Header().Set("Content-Type", mediaJSON)
	w.WriteHeader(http.StatusUnprocessableEntity)
	io.WriteString(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",`+
		`"message":"ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is `+
		`forbidden for watch unless the WatchList feature gate is enabled","reason":"Invalid","code":422}`)
}
