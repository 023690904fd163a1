package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

const workers = 8

// Fills the server and changes its pods, and so knows what a correct client holds without asking.
type writer struct {
	pods    typedv1.PodInterface
	dynamic dynamic.Interface

	owned   [workers][]ownedPod // each changed by one worker alone
	created [workers]int        // the next pod of a worker is created*workers + worker
	gadgets held
}

type ownedPod struct {
	number, changes int
	version         uint64
}

// What a correct client holds: the number of objects, and the sum of their resourceVersions.
type held struct {
	Objects    int    `json:"objects"`
	VersionSum uint64 `json:"version_sum"`
}

func runWriter(arguments []string) error {
	flags := flag.NewFlagSet("writer", flag.ExitOnError)
	server := flags.String("server", "", "URL of the API server")
	certificate := flags.String("ca_file", "", "its CA")
	token := flags.String("token", "", "of a user who may do everything")
	pods := flags.Int("pods", 20_000, "how many pods to create")
	gadgets := flags.Int("gadgets", 5_000, "how many custom objects to create")
	flags.Parse(arguments)
	config := &rest.Config{Host: *server, BearerToken: *token, QPS: -1}
	config.CAFile = *certificate
	w, err := newWriter(config)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err = w.fill(*pods, *gadgets); err != nil {
		return err
	}
	name, size := w.onePod()
	filled := map[string]any{"fill_seconds": time.Since(begin).Seconds(), "pod": namespace + "/" + name, "pod_bytes": size}
	if err = say(filled); err != nil {
		return err
	}
	return serve(w.answer)
}

func newWriter(config *rest.Config) (*writer, error) {
	custom, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	typed := rest.CopyConfig(config)
	typed.ContentType = "application/vnd.kubernetes.protobuf" // what costs the server least
	client, err := kubernetes.NewForConfig(typed)
	if err != nil {
		return nil, err
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err = client.CoreV1().Namespaces().Create(context.Background(), space, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	return &writer{pods: client.CoreV1().Pods(namespace), dynamic: custom}, nil
}

func (w *writer) answer(asked string) (any, error) {
	var seconds, rate int
	switch asked {
	case "pods":
		return w.state(), nil
	case "gadgets":
		return w.gadgets, nil
	}
	if _, err := fmt.Sscanf(asked, "churn %d %d", &seconds, &rate); err != nil {
		return nil, errors.New("expected pods, gadgets or churn SECONDS RATE")
	}
	return w.churn(seconds, rate)
}

func (w *writer) state() (all held) {
	for _, pods := range w.owned {
		for _, pod := range pods {
			all.Objects++
			all.VersionSum += pod.version
		}
	}
	return all
}

// The name of a pod of the middle of all, which is there until pods are changed, and the size of its JSON, as a list has it.
func (w *writer) onePod() (string, int) {
	name := newPod(w.owned[0][len(w.owned[0])/2].number).Name
	kept, err := w.dynamic.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(namespace).
		Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		return name, 0
	}
	text, _ := kept.MarshalJSON()
	return name, len(text)
}

// Runs all workers until the first fails.
func together(work func(worker int) error) error {
	failed := make([]error, workers)
	all := sync.WaitGroup{}
	for worker := range workers {
		all.Go(func() { failed[worker] = work(worker) })
	}
	all.Wait()
	return errors.Join(failed...)
}

func (w *writer) fill(pods, gadgetCount int) error {
	if err := together(func(worker int) error {
		for worker+w.created[worker]*workers < pods {
			if err := w.create(worker); err != nil {
				return err
			}
			if err := w.update(worker, len(w.owned[worker])-1); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return w.fillGadgets(gadgetCount)
}

func (w *writer) fillGadgets(count int) error {
	if _, err := w.dynamic.Resource(crds).Create(context.Background(), newDefinition(), metav1.CreateOptions{}); err != nil {
		return err
	}
	all := w.dynamic.Resource(gadgets).Namespace(namespace)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := all.List(context.Background(), metav1.ListOptions{Limit: 1}); err == nil {
			break
		} else if time.Now().After(deadline) {
			return err
		}
	}
	mutex := sync.Mutex{}
	return together(func(worker int) error {
		for number := worker; number < count; number += workers {
			made, err := all.Create(context.Background(), newGadget(number), metav1.CreateOptions{})
			if err != nil {
				return err
			}
			version, err := strconv.ParseUint(made.GetResourceVersion(), 10, 64)
			if err != nil {
				return err
			}
			mutex.Lock()
			w.gadgets.Objects++
			w.gadgets.VersionSum += version
			mutex.Unlock()
		}
		return nil
	})
}

func (w *writer) create(worker int) error {
	number := worker + w.created[worker]*workers
	made, err := w.pods.Create(context.Background(), newPod(number), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	w.created[worker]++
	w.owned[worker] = append(w.owned[worker], ownedPod{number: number})
	return w.written(worker, len(w.owned[worker])-1, made)
}

func (w *writer) update(worker, at int) error {
	pod := &w.owned[worker][at]
	made, err := w.pods.UpdateStatus(context.Background(), withStatus(pod.number, pod.changes), metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	pod.changes++
	return w.written(worker, at, made)
}

func (w *writer) written(worker, at int, made *corev1.Pod) (err error) {
	w.owned[worker][at].version, err = strconv.ParseUint(made.ResourceVersion, 10, 64)
	return err
}

// At once, as the kubelet does at last.
func (w *writer) remove(worker, at int) error {
	pods, now := w.owned[worker], int64(0)
	err := w.pods.Delete(context.Background(), newPod(pods[at].number).Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil {
		return err
	}
	pods[at] = pods[len(pods)-1]
	w.owned[worker] = pods[:len(pods)-1]
	return nil
}

// Of ten changes eight are a new status; a pod is created and one deleted for each other two.
func (w *writer) change(worker, turn int) error {
	if turn%10 == 4 {
		return w.create(worker)
	}
	at := rand.IntN(len(w.owned[worker]))
	if turn%10 == 9 {
		return w.remove(worker, at)
	}
	return w.update(worker, at)
}

func (w *writer) churn(seconds, rate int) (any, error) {
	begin, each := time.Now(), time.Second*workers/time.Duration(rate)
	turns := seconds * rate / workers
	err := together(func(worker int) error {
		for turn := range turns {
			due := begin.Add(time.Duration(turn)*each + time.Duration(worker)*each/workers)
			time.Sleep(time.Until(due))
			if err := w.change(worker, turn); err != nil {
				return err
			}
		}
		return nil
	})
	state := w.state()
	return map[string]any{"changes": turns * workers, "seconds": time.Since(begin).Seconds(), "objects": state.Objects,
		"version_sum": state.VersionSum}, err
}
