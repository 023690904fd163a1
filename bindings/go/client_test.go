package ksr_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ksr.dev/ksr"
)

const configMaps = "v1/configmaps"

func newClient(t *testing.T, config ksr.Config, options ...ksr.Option) *ksr.Client {
	t.Helper()
	client, err := ksr.NewClient(config, options...)
	closeAtEnd(t, client, err)
	return client
}

func onServer(t *testing.T, options ...ksr.Option) *ksr.Client {
	t.Helper()
	return newClient(t, serverConfig(t, nil), options...)
}

func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// noneOpen checks that no handle of a request is left.
func noneOpen(t *testing.T, client *ksr.Client) {
	t.Helper()
	until(t, "the last open request to be closed", func() bool { return statOf(t, client, "open_requests") == 0 })
}

func spawn(group *sync.WaitGroup, body func()) {
	group.Add(1)
	go func() {
		defer group.Done()
		body()
	}()
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func statOf(t *testing.T, client *ksr.Client, name string) uint64 {
	t.Helper()
	value, err := client.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestVerbsOnAnyServer asks for no scripts, so that it passes on a real kube-apiserver too.
func TestVerbsOnAnyServer(t *testing.T) {
	client, ctx, name := onServer(t), inTime(t), namespaceOf(t)
	type configMap struct {
		Metadata map[string]any    `json:"metadata"`
		Data     map[string]string `json:"data"`
	}
	wanted := configMap{Metadata: map[string]any{"name": name}, Data: map[string]string{"k": "1"}}
	created, err := client.Create(ctx, configMaps, "default", wanted)
	if err != nil {
		t.Fatal(err)
	}
	defer created.Release()
	if created.StatusCode() != 201 || !strings.HasPrefix(created.Header("content-TYPE"), "application/json") {
		t.Errorf("%d, %q", created.StatusCode(), created.Header("content-TYPE"))
	}
	object, is := created.Object()
	if !is || object.Name() != name || object.Kind() != "ConfigMap" || string(object.Get("/data/k")) != `"1"` {
		t.Errorf("%v, %s", is, created.Body())
	}
	kept := object.Retain()
	defer kept.Release()

	replaced, err := client.Update(ctx, configMaps, "default", name, kept)
	if err != nil {
		t.Fatal(err)
	}
	replaced.Release()
	_, err = client.Create(ctx, configMaps, "default", fmt.Sprintf(`{"metadata":{"name":%q}}`, name))
	var refused *ksr.Error
	if !errors.As(err, &refused) || !errors.Is(err, ksr.ErrConflict) || refused.MaybeDone || !refused.Fatal {
		t.Fatalf("a second one: %v", err)
	}
	if s := refused.Status(); refused.HTTPStatus != 409 || refused.Reason != "AlreadyExists" || s == nil ||
		s.Code != 409 || s.Status != "Failure" || s.Reason != "AlreadyExists" || s.Details == nil || s.Details.Name != name {
		t.Errorf("%+v, %+v", refused, s)
	}

	steps := map[string]func() (*ksr.Response, error){
		"1 patch": func() (*ksr.Response, error) {
			return client.Patch(ctx, configMaps, "default", name, ksr.MergePatch, `{"data":{"k":"2"}}`)
		},
		"2 apply": func() (*ksr.Response, error) {
			body := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name},
				"data": map[string]any{"applied": "3"}}
			return client.Apply(ctx, configMaps, "default", name, "go-test", body, ksr.WithForce())
		},
		"3 list": func() (*ksr.Response, error) {
			return client.List(ctx, configMaps, "default", ksr.WithFieldSelector("metadata.name="+name))
		},
		"4 raw": func() (*ksr.Response, error) {
			return client.Do(ctx, &ksr.Request{Path: "/api/v1/namespaces/default/configmaps/" + name})
		},
		"5 delete": func() (*ksr.Response, error) {
			return client.Delete(ctx, configMaps, "default", name, ksr.WithPropagation("Background"))
		},
	}
	names := make([]string, 0, len(steps))
	for step := range steps {
		names = append(names, step)
	}
	slices.Sort(names)
	for _, step := range names {
		response, err := steps[step]()
		if err != nil {
			t.Errorf("%s: %v", step, err)
			continue
		}
		if step < "5" && !strings.Contains(string(response.Body()), name) {
			t.Errorf("%s: %s", step, response.Body())
		}
		if step == "4 raw" {
			var got configMap
			if err := response.Decode(&got); err != nil || got.Data["k"] != "2" || got.Data["applied"] != "3" {
				t.Errorf("%v: %+v", err, got)
			}
		}
		response.Release()
	}
	_, err = client.Get(ctx, configMaps, "default", name)
	if !errors.As(err, &refused) || refused.Code != ksr.ErrNotFound || refused.HTTPStatus != 404 ||
		refused.Status().Details.Name != name || !strings.Contains(err.Error(), name) {
		t.Errorf("after its deletion: %v", err)
	}
	if errors.Is(err, ksr.ErrConflict) {
		t.Error("404 is a conflict as well")
	}
	noneOpen(t, client)
}

func TestConcurrentRequests(t *testing.T) {
	client, ctx, name := onServer(t), inTime(t), namespaceOf(t)
	created, err := client.Create(ctx, configMaps, "default", `{"metadata":{"name":"`+name+`"}}`)
	if err != nil {
		t.Fatal(err)
	}
	created.Release()
	var all sync.WaitGroup
	for range 50 {
		spawn(&all, func() {
			for range 4 {
				got, err := client.Get(ctx, configMaps, "default", name)
				if err != nil {
					t.Error(err)
					return
				}
				if object, _ := got.Object(); object.Name() != name {
					t.Errorf("got %s", got.Body())
				}
				got.Release()
			}
		})
	}
	all.Wait()
	if got := statOf(t, client, "requests"); got < 201 {
		t.Errorf("%d requests", got)
	}
	noneOpen(t, client)
}

func TestCancelInFlight(t *testing.T) {
	script(t, "fault any /api/v1/namespaces/$NS/ stall bytes=0 times=forever")
	client := onServer(t)
	why := errors.New("the user has left")
	for _, write := range []bool{false, true} {
		ctx, cancel := context.WithCancelCause(context.Background())
		sent := statOf(t, client, "bytes_sent")
		go func() {
			until(t, "the request to be sent", func() bool {
				return statOf(t, client, "open_requests") == 1 && (!write || statOf(t, client, "bytes_sent") > sent)
			})
			cancel(why)
		}()
		var err error
		if write {
			_, err = client.Create(ctx, configMaps, namespaceOf(t), `{"metadata":{"name":"a"}}`)
		} else {
			_, err = client.Get(ctx, configMaps, namespaceOf(t), "a")
		}
		var e *ksr.Error
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || !errors.Is(err, ksr.ErrCancelled) ||
			!errors.As(err, &e) || e.MaybeDone != write {
			t.Errorf("write %v: %v, %+v", write, err, e)
		}
		noneOpen(t, client)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	requests := statOf(t, client, "requests")
	if _, err := client.Get(ctx, configMaps, "default", "a"); err != context.Canceled {
		t.Errorf("a context that is done: %v", err)
	}
	if statOf(t, client, "requests") != requests {
		t.Error("it was sent")
	}
}

func TestDeadlineIsTheTimeout(t *testing.T) {
	script(t, "fault any /api/v1/namespaces/$NS/ stall bytes=0 times=forever")
	client := onServer(t)
	for _, options := range [][]ksr.RequestOption{nil, {ksr.WithTimeout(time.Hour)}, {ksr.WithTimeout(time.Millisecond)}} {
		ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
		_, err := client.Get(ctx, configMaps, namespaceOf(t), "a", options...)
		own := len(options) == 1 && !errors.Is(err, context.DeadlineExceeded)
		var e *ksr.Error
		if !errors.Is(err, ksr.ErrTimeout) || !errors.As(err, &e) || e.HTTPStatus != 408 || e.MaybeDone {
			t.Errorf("%v, %+v", err, e)
		}
		if !own && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without the context's error: %v", err)
		}
		cancel()
	}
	noneOpen(t, client)
}

func TestMaybeDone(t *testing.T) {
	script(t, "fault write /api/v1/namespaces/$NS/ cut bytes=0 times=forever", "fault get /api/v1/namespaces/$NS/ cut bytes=0 times=forever")
	client, ctx := onServer(t), inTime(t)
	_, err := client.Create(ctx, configMaps, namespaceOf(t), `{"metadata":{"name":"a"}}`)
	var e *ksr.Error
	if !errors.As(err, &e) || e.Code != ksr.ErrTransport || !e.MaybeDone || e.Status() != nil {
		t.Errorf("a POST that was cut: %v, %+v", err, e)
	}
	_, err = client.Get(ctx, configMaps, namespaceOf(t), "a", ksr.WithParam("retries", "never"))
	if !errors.As(err, &e) || e.MaybeDone {
		t.Errorf("a GET that was cut: %v, %+v", err, e)
	}
}

func TestLargeBodies(t *testing.T) {
	script(t, "# nothing")
	client, ctx, size := onServer(t), inTime(t), 3<<20
	body := `{"metadata":{"name":"large"},"data":{"k":"` + strings.Repeat("x", size) + `"}}`
	created, err := client.Create(ctx, configMaps, namespaceOf(t), body)
	if err != nil {
		t.Fatal(err)
	}
	defer created.Release()
	got, err := client.Get(ctx, configMaps, namespaceOf(t), "large")
	if err != nil {
		t.Fatal(err)
	}
	if bytes := got.Body(); len(bytes) < size || cap(bytes) != len(bytes) {
		t.Errorf("%d bytes of %d", len(bytes), cap(bytes))
	}
	got.Release()
	got.Release()
	for what, use := range map[string]func(){
		"Body": func() { got.Body() }, "StatusCode": func() { got.StatusCode() }, "Object": func() { got.Object() },
		"Header": func() { got.Header("a") }, "Warnings": func() { got.Warnings() }, "Decode": func() { _ = got.Decode(new(any)) },
	} {
		panics(t, what, use)
	}
	_, err = client.Get(ctx, configMaps, namespaceOf(t), "large", ksr.WithParam("max_body", "1Mi"))
	if !errors.Is(err, ksr.ErrTooLarge) {
		t.Errorf("above max_body: %v", err)
	}
}

func TestWarningsAndOtherBodies(t *testing.T) {
	path := "/api/v1/namespaces/$NS/configmaps/"
	script(t, "fault get "+path+`warned answer 200 body={} header="Warning: 299 - \"old, very old\""`,
		"fault get "+path+"text answer 200 type=text/plain body=[1]")
	client, ctx := onServer(t), inTime(t)
	warned, err := client.Get(ctx, configMaps, namespaceOf(t), "warned")
	if err != nil {
		t.Fatal(err)
	}
	defer warned.Release()
	if got := warned.Warnings(); !slices.Equal(got, []string{"old, very old"}) {
		t.Errorf("%q", got)
	}
	text, err := client.Get(ctx, configMaps, namespaceOf(t), "text")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Release()
	if _, is := text.Object(); is || text.Warnings() != nil || text.Header("x\x00") != "" || text.Header("X-None") != "" {
		t.Errorf("%s", text.Body())
	}
	var numbers []int
	if err := text.Decode(&numbers); err != nil || !slices.Equal(numbers, []int{1}) {
		t.Errorf("%v, %v", err, numbers)
	}
	if err := text.Decode(new(string)); err == nil || !strings.Contains(err.Error(), "*string") {
		t.Errorf("an array as a string: %v", err)
	}
}

func TestCloseWithRequestsUnderWay(t *testing.T) {
	script(t, "fault any /api/v1/namespaces/$NS/ stall bytes=0 times=forever")
	client := onServer(t)
	var all sync.WaitGroup
	var done atomic.Int64
	for range 20 {
		spawn(&all, func() {
			_, err := client.Create(context.Background(), configMaps, namespaceOf(t), `{"metadata":{"name":"a"}}`)
			var e *ksr.Error
			if !errors.As(err, &e) || e.Code != ksr.ErrCancelled {
				t.Errorf("%v", err)
			} else if e.MaybeDone {
				done.Add(1)
			}
		})
	}
	size := uint64(len(`{"metadata":{"name":"a"}}`))
	until(t, "all to be sent", func() bool { return statOf(t, client, "bytes_sent") == 20*size })
	var closers sync.WaitGroup
	for range 4 {
		spawn(&closers, func() {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closers.Wait()
	all.Wait()
	if done.Load() != 20 {
		t.Errorf("%d of 20 may have been carried out, though all were sent", done.Load())
	}
	if _, err := client.Get(context.Background(), configMaps, "default", "a"); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := client.Stat("requests"); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("after Close: %v", err)
	}
	settled(t)
}

func TestResponsesOutliveTheirClient(t *testing.T) {
	client := onServer(t)
	response, err := client.Do(inTime(t), &ksr.Request{Path: "/api/v1/namespaces/default/configmaps"})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Release()
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if object, _ := response.Object(); object.Kind() != "ConfigMapList" {
		t.Errorf("%s", response.Body())
	}
}

func TestWhatARequestRefuses(t *testing.T) {
	client := newClient(t, unreachable(nil))
	ctx := inTime(t)
	for want, request := range map[string]*ksr.Request{
		"nil":         nil,
		"resource":    {Verb: "get"},
		"colour":      {Path: "/", Params: map[string]string{"colour": "blue"}},
		"NUL":         {Path: "/\x00"},
		"a key of":    {Path: "/", Params: map[string]string{"a\x00": "b"}},
		"field_mana":  {Verb: "apply", Resource: configMaps, Namespace: "a", Name: "a", Body: []byte("{}")},
		"body":        {Verb: "create", Resource: configMaps, Namespace: "a"},
		"header.Auth": {Path: "/", Header: map[string][]string{"Authorization": {"Bearer a"}}},
	} {
		_, err := client.Do(ctx, request)
		var e *ksr.Error
		if !errors.As(err, &e) || e.Code != ksr.ErrInvalid && e.Code != ksr.ErrUnknownKey || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := client.Create(ctx, configMaps, "a", func() {}); err == nil {
		t.Error("a function was taken for a body")
	}
	if got := statOf(t, client, "requests"); got != 0 {
		t.Errorf("%d requests were sent", got)
	}
	if _, err := ksr.NewClient(ksr.Config{"delivery": "manual"}); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("delivery: %v", err)
	}
	if _, err := ksr.NewClient(unreachable(ksr.Config{"ca_file": "/nonexistent"})); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("a missing CA: %v", err)
	}
	_, err := client.Get(nil, configMaps, "a", "a", ksr.WithParam("retries", "never"), nil) //nolint:staticcheck // allowed
	var e *ksr.Error
	if !errors.As(err, &e) || e.Code != ksr.ErrTransport || e.HTTPStatus != 502 || e.MaybeDone {
		t.Errorf("an unreachable server: %v", err)
	}
}

func TestLimitsBeyondTheLargest(t *testing.T) {
	client := newClient(t, unreachable(nil))
	never := ksr.WithParam("retries", "never")
	for _, years := range []int{0, 90, 150, 1000} {
		for _, limit := range []time.Duration{time.Hour, math.MaxInt64 - 1, math.MaxInt64} {
			ctx, cancel := context.Background(), func() {}
			if years > 0 {
				ctx, cancel = context.WithDeadline(ctx, time.Now().AddDate(years, 0, 0))
			}
			_, err := client.Delete(ctx, configMaps, "a", "a", never, ksr.WithTimeout(limit), ksr.WithGracePeriod(limit))
			if !errors.Is(err, ksr.ErrTransport) {
				t.Errorf("%d years, %v: %v", years, limit, err)
			}
			cancel()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := client.OpenWebSocket(ctx, &ksr.Request{Path: "/"}, ksr.WithReconnect(math.MaxInt64))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the delay of a WebSocket: %v", err)
	}
}

func TestAClientThatWasNeverOpened(t *testing.T) {
	for _, client := range []*ksr.Client{nil, {}} {
		if _, err := client.Get(context.Background(), configMaps, "a", "a"); !errors.Is(err, ksr.ErrInvalid) {
			t.Errorf("Get: %v", err)
		}
		if _, err := client.Stat("requests"); !errors.Is(err, ksr.ErrInvalid) {
			t.Errorf("Stat: %v", err)
		}
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	(*ksr.Response)(nil).Release()
	if (*ksr.Error)(nil).Status() != nil || (&ksr.Error{Details: "{"}).Status() != nil {
		t.Error("a Status of nothing")
	}
}

func TestLogOfAClient(t *testing.T) {
	var client *ksr.Client
	opened, lines := make(chan struct{}), make(chan string, 100)
	client = newClient(t, unreachable(nil), ksr.OnLog(func(level slog.Level, line string) {
		<-opened
		if !ksr.InCallback() {
			t.Error("not InCallback")
		}
		if err := client.Close(); !errors.Is(err, ksr.ErrWouldDeadlock) {
			t.Errorf("Close inside OnLog: %v", err)
		}
		// A request inside the callback of its client.
		_, err := client.Get(context.Background(), configMaps, "a", "a", ksr.WithParam("retries", "never"))
		if !errors.Is(err, ksr.ErrTransport) {
			t.Errorf("a request inside OnLog: %v", err)
		}
		select {
		case lines <- line:
		default:
		}
	}))
	close(opened)
	if line := <-lines; line == "" {
		t.Error("an empty line")
	}
}

func TestPanicInTheLogOfAClient(t *testing.T) {
	client := newClient(t, unreachable(nil), ksr.OnLog(func(slog.Level, string) { panic("boom") }))
	until(t, "the panic", func() bool {
		_, err := client.Get(context.Background(), configMaps, "a", "a", ksr.WithParam("retries", "never"))
		var e *ksr.PanicError
		return errors.As(err, &e) && e.Callback == "OnLog" && e.Value == "boom"
	})
}

func TestADroppedClientIsClosed(t *testing.T) {
	threads := libraryThreads(t)
	for range 50 {
		client, err := ksr.NewClient(unreachable(nil), ksr.OnLog(func(slog.Level, string) { time.Sleep(time.Millisecond) }))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = client.Stat("requests")
	}
	// The collector may keep one that a stack slot still shows.
	until(t, "the collector to close them", func() bool {
		runtime.GC()
		return libraryThreads(t) <= threads+2 && strings.Count(stacks(), "clientLog") <= 2
	})
}

func resident(t *testing.T) int {
	t.Helper()
	runtime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var all, pages int
	if _, err := fmt.Sscan(string(text), &all, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func TestWhatRequestsTakeIsGivenBack(t *testing.T) {
	script(t, "# nothing")
	client, ctx, size, rounds := onServer(t), inTime(t), 100<<10, 300
	body := map[string]any{"metadata": map[string]any{"name": "a"}, "data": map[string]any{"k": strings.Repeat("x", size)}}
	created, err := client.Create(ctx, configMaps, namespaceOf(t), body)
	if err != nil {
		t.Fatal(err)
	}
	created.Release()
	use := func(count int) {
		for i := range count {
			got, err := client.Get(ctx, configMaps, namespaceOf(t), "a")
			if err != nil {
				t.Fatal(err)
			}
			object, _ := got.Object()
			replaced, err := client.Update(ctx, configMaps, namespaceOf(t), "a", object)
			if err != nil {
				t.Fatal(err)
			}
			replaced.Release()
			if i%10 == 0 { // the others are left to the garbage collector
				got.Release()
			}
			if _, err := client.Get(ctx, configMaps, namespaceOf(t), "none"); !errors.Is(err, ksr.ErrNotFound) {
				t.Fatal(err)
			}
			short, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Millisecond, cancel)
			if cut, err := client.Get(short, configMaps, namespaceOf(t), "a"); err == nil {
				cut.Release()
			}
			if i%20 == 0 {
				runtime.GC()
			}
		}
	}
	use(50)
	before := resident(t)
	use(rounds)
	// One response, object or body left in each round would add up to 30 MB.
	until(t, "the garbage collector", func() bool { return resident(t)-before < size*rounds/4 })
	noneOpen(t, client)
}
