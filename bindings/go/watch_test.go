package ksr_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ksr.dev/ksr"
)

// watch opens a stream of a client on the test's own objects.
func watch(t *testing.T, client *ksr.Client, more ksr.Config, options ...ksr.Option) *ksr.Stream {
	t.Helper()
	config := ksr.Config{"resource": configMaps, "namespace": namespaceOf(t), "backoff_initial": "50ms"}
	for key, value := range more {
		config[key] = value
	}
	stream, err := client.Watch(context.Background(), config, options...)
	closeAtEnd(t, stream, err)
	return stream
}

// TestWatchOnAnyServer asks for no scripts, so that it passes on a real kube-apiserver too.
func TestWatchOnAnyServer(t *testing.T) {
	client, ctx, name := onServer(t), inTime(t), namespaceOf(t)
	stream := watch(t, client, ksr.Config{"namespace": "default", "field_selector": "metadata.name=" + name})
	seen, found := view{}, false
	for snapshot := range stream.Updates() {
		// A request within the loop, over the same client.
		switch changes := seen.apply(t, snapshot); {
		case snapshot.Len() == 0 && !found:
			created, err := client.Create(ctx, configMaps, "default", `{"metadata":{"name":"`+name+`"}}`)
			if err != nil {
				t.Fatal(err)
			}
			created.Release()
			continue
		case snapshot.Len() == 1:
			found = true
			deleted, err := client.Delete(ctx, configMaps, "default", name)
			if err != nil {
				t.Fatal(changes, err)
			}
			deleted.Release()
			continue
		}
		break
	}
	if !found || len(seen) != 0 {
		t.Errorf("found %v, %v", found, seen)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, stream.Done(), "Done")
	settled(t)
}

func TestManyStreamsOfAClient(t *testing.T) {
	script(t, "create configmap $NS/a")
	client := onServer(t)
	watch(t, client, nil)
	before := libraryThreads(t)
	streams := make([]*ksr.Stream, 50)
	for i := range streams {
		streams[i] = watch(t, client, nil)
	}
	for _, stream := range streams {
		awaitSync(t, stream)
	}
	if now := libraryThreads(t); now > before+5 {
		t.Errorf("%d threads have become %d", before, now)
	}
	if got := statOf(t, client, "open_streams"); got != 51 {
		t.Errorf("%d streams", got)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	for _, stream := range streams {
		await(t, stream.Done(), "Done")
	}
	settled(t)
}

func TestASlowStreamGetsEverythingMerged(t *testing.T) {
	script(t, "create configmap $NS/a", "create configmap $NS/gone", "create configmap $NS/twice")
	client := onServer(t)
	started, proceed := make(chan struct{}), make(chan struct{})
	slow := watch(t, client, nil)
	seen, rounds := view{}, 0
	var changes [][]string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for snapshot := range slow.Updates() {
			changes = append(changes, seen.apply(t, snapshot))
			if rounds++; rounds == 1 {
				close(started)
				<-proceed
			}
			if _, last := snapshot.Find(namespaceOf(t), "last"); last {
				return
			}
		}
	}()
	await(t, started, "the first update")
	// Another stream of the client sees each change by itself, and so does a request.
	quick, steps := watch(t, client, nil), view{}
	channel := quick.Channel(inTime(t))
	steps.follow(t, channel, "added a")
	for _, step := range []struct{ line, change string }{
		{"create configmap $NS/b", "added b"},
		{"update configmap $NS/b x=y", "modified b"},
		{"update configmap $NS/a x=y", "modified a"},
		{"delete configmap $NS/gone", "deleted gone"},
		{"create configmap $NS/brief", "added brief"},
		{"delete configmap $NS/brief", "deleted brief"},
		{"delete configmap $NS/twice", "deleted twice"},
		{"create configmap $NS/twice", "added twice"},
		{"create configmap $NS/last", "added last"},
	} {
		script(t, step.line)
		steps.follow(t, channel, step.change)
	}
	response, err := client.Get(inTime(t), configMaps, namespaceOf(t), "last")
	if err != nil {
		t.Fatal(err)
	}
	response.Release()
	until(t, "the slow stream's own", func() bool { events, _ := slow.Stat("events"); return events >= 9 })
	close(proceed)
	await(t, done, "the last update")
	// What is ready when the loop goes on is the second, and all the rest is one.
	last := fmt.Sprint(changes[len(changes)-1])
	if len(changes) > 3 || strings.Contains(last, "brief") || !strings.HasSuffix(last, "added last added twice]") ||
		!strings.HasPrefix(last, "[deleted gone deleted twice modified a ") {
		t.Errorf("%q", changes)
	}
}

func TestWhatHasChangedBackIsNoChange(t *testing.T) {
	script(t, `create configmap $NS/a {"data":{"v":"1"}}`)
	client := onServer(t)
	for _, test := range []struct {
		config ksr.Config
		want   string
	}{
		{ksr.Config{"columns": "/data/v", "notify": "columns"}, "[added 1] [modified 1-2] [added last]"},
		{ksr.Config{"keep_fields": "/data"}, "[added 1] [modified 1-2] [added last]"},
		{nil, "[added 1] [modified 1-2] [modified 2-2 added last]"},
	} {
		started, proceed := make(chan struct{}), make(chan struct{})
		slow := watch(t, client, test.config)
		var rounds []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for snapshot := range slow.Updates() {
				var changes []string
				for one := range snapshot.Changes() {
					before, _ := one.Before.GetString("/data/v")
					now, found := one.Object.GetString("/data/v")
					switch {
					case !found:
						now = one.Object.Name()
					case before != "":
						now = before + "-" + now
					}
					changes = append(changes, fmt.Sprint(strings.ToLower(one.Kind.String()), " ", now))
				}
				rounds = append(rounds, fmt.Sprint(changes))
				if len(rounds) == 1 {
					close(started)
					<-proceed
				}
				if _, last := snapshot.Find(namespaceOf(t), "last"); last {
					return
				}
			}
		}()
		await(t, started, "the first update")
		quick, steps := watch(t, client, nil), view{}
		channel := quick.Channel(inTime(t))
		steps.follow(t, channel, "added a")
		// The first is ready when the loop goes on, the others are merged.
		for _, value := range "2312" {
			script(t, fmt.Sprintf(`update configmap $NS/a {"data":{"v":"%c"}}`, value))
			steps.follow(t, channel, "modified a")
		}
		script(t, "create configmap $NS/last")
		steps.follow(t, channel, "added last")
		until(t, "the slow stream's own", func() bool { events, _ := slow.Stat("events"); return events >= 5 })
		close(proceed)
		await(t, done, "the last update")
		if got := strings.Join(rounds, " "); got != test.want {
			t.Errorf("%v: %s", test.config, got)
		}
		script(t, `update configmap $NS/a {"data":{"v":"1"}}`)
		steps.follow(t, channel, "modified a")
		script(t, "delete configmap $NS/last")
		steps.follow(t, channel, "deleted last")
	}
}

// whileBusy makes changes, of which one stream of a client sees each by itself, while the loop of another is busy, for
// which they are merged. It passes what that loop gets to `see` until the loop has what the stream shows in the end.
func whileBusy(t *testing.T, config ksr.Config, see func(*ksr.Snapshot), isLast func(*ksr.Snapshot) bool,
	changes func(step func(line, change string), latest func() *ksr.Snapshot)) {
	t.Helper()
	client := onServer(t)
	started, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	slow := watch(t, client, config)
	go func() {
		defer close(done)
		first := true
		for snapshot := range slow.Updates() {
			see(snapshot)
			if first {
				first = false
				close(started)
				<-proceed
			}
			if isLast(snapshot) {
				return
			}
		}
	}()
	await(t, started, "the first update")
	quick, seen := watch(t, client, config), view{}
	channel := quick.Channel(inTime(t))
	seen.follow(t, channel, "added a")
	changes(func(line, change string) {
		script(t, line)
		seen.follow(t, channel, change)
	}, quick.Latest)
	until(t, "the slow stream's last", func() bool {
		snapshot := slow.Latest()
		defer snapshot.Release()
		return isLast(snapshot)
	})
	close(proceed)
	await(t, done, "the last update")
}

// TestAnotherPlaceIsAChange has view.apply hold what is told against the objects.
func TestAnotherPlaceIsAChange(t *testing.T) {
	script(t, "create configmap $NS/b")
	for _, config := range []ksr.Config{{"columns": "/data/v", "notify": "columns"}, {"keep_fields": "/data"}} {
		script(t, "create configmap $NS/a")
		config["limit"] = "3"
		isLast := func(snapshot *ksr.Snapshot) bool {
			_, is := snapshot.Find(namespaceOf(t), "last")
			return is
		}
		loop := view{}
		see := func(snapshot *ksr.Snapshot) { loop.apply(t, snapshot) }
		whileBusy(t, config, see, isLast, func(step func(line, change string), _ func() *ksr.Snapshot) {
			for month := range 3 {
				step(fmt.Sprintf(`update configmap $NS/a {"lastTimestamp":"2199-0%d-01T00:00:00Z"}`, month+1), "modified a")
			}
			step("create configmap $NS/last", "added last")
		})
		script(t, "delete configmap $NS/last", "delete configmap $NS/a")
	}
	script(t, "delete configmap $NS/b")
}

// TestMergedObjectsAreThoseOfTheView has an object change in what an index finds, while its column reads the same, and
// then in what is no change.
func TestMergedObjectsAreThoseOfTheView(t *testing.T) {
	script(t, "create configmap $NS/a")
	client := onServer(t)
	started, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	slow := watch(t, client, ksr.Config{"columns": "/data/*", "index": "0", "notify": "columns"})
	var rounds []string
	go func() {
		defer close(done)
		for snapshot := range slow.Updates() {
			for kind, object := range snapshot.Deltas() {
				text := kind.String() + " " + object.Name()
				shown, _ := snapshot.FindUID(object.UID())
				if shown.ResourceVersion() != object.ResourceVersion() {
					text += " at another version"
				}
				rounds = append(rounds, text)
			}
			if len(rounds) == 1 {
				close(started)
				<-proceed
			}
			if _, last := snapshot.Find(namespaceOf(t), "last"); last {
				return
			}
		}
	}()
	await(t, started, "the first update")
	quick, steps := watch(t, client, nil), view{}
	channel := quick.Channel(inTime(t))
	steps.follow(t, channel, "added a")
	// The first is ready when the loop goes on, the others are merged.
	changes := []string{`{"data":{"v":"x,y"}}`, `{"data":{"v":"x","w":"z"}}`, `{"data":{"v":"x","w":"y"}}`, "team=red"}
	for i, change := range changes {
		script(t, "update configmap $NS/a "+change)
		steps.follow(t, channel, "modified a")
		until(t, "the slow stream's own", func() bool { events, _ := slow.Stat("events"); return events > uint64(i) })
		// It is delivered by itself.
		time.Sleep(50 * time.Millisecond)
	}
	script(t, "create configmap $NS/last")
	steps.follow(t, channel, "added last")
	until(t, "the slow stream's last", func() bool { events, _ := slow.Stat("events"); return events >= 5 })
	close(proceed)
	await(t, done, "the last update")
	if got := strings.Join(rounds, ", "); got != "added a, modified a, modified a, added last" {
		t.Error(got)
	}
	script(t, "delete configmap $NS/a", "delete configmap $NS/last")
}

// TestAnotherTextOfTheSameVersion is as after an etcd was restored from a backup, or with another default of a custom
// resource.
func TestAnotherTextOfTheSameVersion(t *testing.T) {
	place := "/api/v1/namespaces/" + namespaceOf(t) + "/configmaps"
	script(t, "create configmap $NS/a", "fault watch "+place+" error-event 410 event=3")
	valueOf := func(object ksr.Object) string {
		value, _ := object.GetString("/data/v")
		return value
	}
	isLast := func(snapshot *ksr.Snapshot) bool {
		object, _ := snapshot.Find(namespaceOf(t), "a")
		return valueOf(object) == "2"
	}
	told := map[string]string{}
	see := func(snapshot *ksr.Snapshot) {
		for kind, object := range snapshot.Deltas() {
			told[object.Name()] = fmt.Sprint(kind == ksr.Deleted, " ", valueOf(object))
		}
	}
	whileBusy(t, ksr.Config{"limit": "1"}, see, isLast,
		func(step func(line, change string), latest func() *ksr.Snapshot) {
			step("update configmap $NS/a team=red", "modified a")
			snapshot := latest()
			defer snapshot.Release()
			object, _ := snapshot.Find(namespaceOf(t), "a")
			version, err := strconv.Atoi(object.ResourceVersion())
			if err != nil {
				t.Fatal(err)
			}
			other := strings.Replace(string(object.JSON()), "{", `{"data":{"v":"2"},`, 1)
			step(`create configmap $NS/z {"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}}`, "added z")
			script(t, fmt.Sprintf(`fault list %s answer 200 type=application/json body={"kind":"ConfigMapList",`+
				`"apiVersion":"v1","metadata":{"resourceVersion":"%d"},"items":[%s]}`, place, version+1000, other))
			step(`create configmap $NS/y {"metadata":{"creationTimestamp":"1999-01-01T00:00:00Z"}}`, "added a")
		})
	if told["a"] != "false 2" {
		t.Errorf("%q", told)
	}
	script(t, "delete configmap $NS/a", "delete configmap $NS/y", "delete configmap $NS/z")
}

func TestCallbacksOfStreamsOfAClient(t *testing.T) {
	script(t, "create configmap $NS/a")
	client := onServer(t)
	outcomes := make(chan error, 10)
	other := watch(t, client, nil)
	var once atomic.Bool
	stream := watch(t, client, nil, ksr.OnUpdate(func(s *ksr.Stream, snapshot *ksr.Snapshot) {
		if once.Swap(true) {
			return
		}
		response, err := client.Get(inTime(t), configMaps, namespaceOf(t), "a")
		outcomes <- err
		response.Release()
		outcomes <- s.Close()
		outcomes <- client.Close()
		// Not its own: that one may be closed here.
		outcomes <- other.Close()
	}))
	for _, want := range []error{nil, ksr.ErrWouldDeadlock, ksr.ErrWouldDeadlock, nil} {
		if got := <-outcomes; !errors.Is(got, want) {
			t.Errorf("got %v, not %v", got, want)
		}
	}
	var states atomic.Int64
	closing := watch(t, client, nil, ksr.OnState(func(_ *ksr.Stream, state ksr.State) {
		if state == ksr.Closed {
			states.Add(1)
		}
	}))
	awaitSync(t, closing)
	ctx, cancel := context.WithCancel(context.Background())
	cancelled, err := client.Watch(ctx, ksr.Config{"resource": configMaps})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	await(t, cancelled.Done(), "Done")
	if !errors.Is(cancelled.Err(), context.Canceled) {
		t.Errorf("Err: %v", cancelled.Err())
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, stream.Done(), "Done")
	if states.Load() != 1 {
		t.Errorf("closed %d times", states.Load())
	}
	settled(t)
}

func TestClosingAClientWithinALoop(t *testing.T) {
	script(t, "create configmap $NS/a")
	client := onServer(t)
	first, second := watch(t, client, nil), watch(t, client, nil)
	loops := 0
	for range first.Updates() {
		for range second.Updates() {
			if err := second.Close(); err != nil {
				t.Error(err)
			}
			loops++
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		loops++
	}
	if loops != 2 {
		t.Errorf("%d rounds", loops)
	}
	settled(t)
}

func TestWhatAStreamOfAClientRefuses(t *testing.T) {
	client := newClient(t, unreachable(nil))
	for _, config := range []ksr.Config{{"resource": "v1/pods", "server": "http://127.0.0.1:1"}, {}, {"delivery": "manual"}} {
		if _, err := client.Watch(context.Background(), config); !errors.Is(err, ksr.ErrInvalid) {
			t.Errorf("%v: %v", config, err)
		}
	}
	failing, err := client.Watch(context.Background(), ksr.Config{"resource": "v1/pods", "reconnect": "false"})
	if err != nil {
		t.Fatal(err)
	}
	await(t, failing.Done(), "Done")
	var fatal *ksr.Error
	if !errors.As(failing.Err(), &fatal) || fatal.Code != ksr.ErrTransport || !fatal.Fatal {
		t.Errorf("Err: %v", failing.Err())
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	for _, closed := range []*ksr.Client{client, nil} {
		if _, err := closed.Watch(context.Background(), ksr.Config{"resource": "v1/pods"}); !errors.Is(err, ksr.ErrInvalid) {
			t.Errorf("a closed client: %v", err)
		}
	}
	settled(t)
}

// TestAnObjectThatComesBackChanged changes, then leaves the view for a more recent one, then comes back, all while a loop
// is busy: what it was before is not what it was when it left.
func TestAnObjectThatComesBackChanged(t *testing.T) {
	script(t, `create configmap $NS/old {"metadata":{"creationTimestamp":"2001-01-01T00:00:00Z"}}`)
	client := onServer(t)
	slow := watch(t, client, ksr.Config{"limit": "1"})
	seen, steps := view{}, view{}
	channel := watch(t, client, ksr.Config{"limit": "1"}).Channel(inTime(t))
	steps.follow(t, channel, "added old")
	for snapshot := range slow.Updates() {
		seen.apply(t, snapshot)
		if _, last := snapshot.Find(namespaceOf(t), "last"); last {
			break
		}
		if len(steps) == 0 || snapshot.Sequence() > 1 {
			continue
		}
		before, _ := slow.Stat("events")
		for round := range 3 {
			for i, step := range []struct{ line, change string }{
				{"update configmap $NS/old x=y", "modified old"},
				{`create configmap $NS/new {"metadata":{"creationTimestamp":"2050-01-01T00:00:00Z"}}`, "added new"},
				{"delete configmap $NS/new", "added old"},
			} {
				script(t, step.line)
				steps.follow(t, channel, step.change)
				until(t, "the loop's stream", func() bool {
					events, _ := slow.Stat("events")
					return int(events-before) >= 3*round+i+1
				})
			}
		}
		script(t, `create configmap $NS/last {"metadata":{"creationTimestamp":"2099-01-01T00:00:00Z"}}`)
	}
}

// TestMergedDeltasAreThoseOfTheView has a slow loop follow many changes; view.apply holds its deltas against its objects.
func TestMergedDeltasAreThoseOfTheView(t *testing.T) {
	script(t, "# nothing")
	client := onServer(t)
	var followers sync.WaitGroup
	for _, more := range []ksr.Config{nil, {"limit": "3"}} {
		stream := watch(t, client, more)
		awaitSync(t, stream)
		spawn(&followers, func() {
			seen, random := view{}, rand.New(rand.NewPCG(1, 2))
			for snapshot := range stream.Updates() {
				seen.apply(t, snapshot)
				if _, last := snapshot.Find(namespaceOf(t), "z-last"); last {
					return
				}
				time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
			}
		})
	}
	random, there := rand.New(rand.NewPCG(3, 4)), map[string]bool{}
	for range 60 {
		var lines []string
		for range 1 + random.IntN(6) {
			name := fmt.Sprintf("m%d", random.IntN(8))
			what := "create"
			if there[name] {
				what = []string{"update", "delete"}[random.IntN(2)]
			}
			there[name] = what != "delete"
			lines = append(lines, what+" configmap $NS/"+name)
		}
		script(t, lines...)
	}
	// The most recent of all, also with a limit.
	script(t, `create configmap $NS/z-last {"metadata":{"creationTimestamp":"2099-01-01T00:00:00Z"}}`)
	followers.Wait()
}
