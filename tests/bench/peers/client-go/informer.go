package main

import (
	"fmt"
	"path"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// An informer as programs use it: of all pods, typed over protobuf or JSON, or dynamic and of any resource.
func newInformer(mode, server, certificate string) (cache.SharedIndexInformer, error) {
	config := &rest.Config{Host: server, BearerToken: *token, QPS: 1000, Burst: 1000}
	config.CAFile = certificate
	switch mode {
	case "dynamic":
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		return dynamicinformer.NewDynamicSharedInformerFactory(client, 0).ForResource(watched()).Informer(), nil
	case "protobuf":
		config.ContentType = "application/vnd.kubernetes.protobuf"
		config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	case "json":
		config.ContentType = "application/json"
	default:
		return nil, fmt.Errorf("no mode %q", mode)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return informers.NewSharedInformerFactory(client, 0).Core().V1().Pods().Informer(), nil
}

// The resource as GROUP/VERSION/NAME, or VERSION/NAME of the core group.
func watched() schema.GroupVersionResource {
	version, name := path.Split(*resource)
	parsed, _ := schema.ParseGroupVersion(path.Clean(version))
	return parsed.WithResource(name)
}

// What the handler has seen.
type progress struct {
	objects int
	listed  chan time.Time // when the handler had all objects of the list
	goal    chan uint64    // what to wait for next
	reached chan struct{}

	added  int
	wanted uint64
	delays []int64
}
