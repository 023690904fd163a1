package ksr_test

import (
	"math"
	"testing"
	"time"

	"ksr.dev/ksr"
)

type phase string

// same checks what a column is as a T.
func same[T ksr.ColumnValue](t *testing.T, object ksr.Object, column int, wanted T, found bool) {
	t.Helper()
	got, is := ksr.Column[T](object, column)
	if at, isTime := any(got).(time.Time); isTime {
		if is != found || !at.Equal(any(wanted).(time.Time)) {
			t.Errorf("column %d: %v, %v instead of %v, %v", column, got, is, wanted, found)
		}
		return
	}
	if any(got) != any(wanted) || is != found {
		t.Errorf("column %d: %v, %v instead of %v, %v", column, got, is, wanted, found)
	}
}

func TestColumnsAsValues(t *testing.T) {
	// Numbers as texts where the server would write them in another way.
	script(t, `create configmaps $NS/a {"data":{"0":"Running","1":true,"2":"1e3","3":-129,"4":18446744073709551615,`+
		`"5":1.5,"6":"2026-01-02T03:04:05.6789+01:00","7":null,"8":"1e400","9":"0x10","10":"9223372036854775807.0",`+
		`"11":"1e999999999","12":"-0"}}`)
	stream := open(t, serverConfig(t, ksr.Config{"columns": "/data/0 /data/1 /data/2 /data/3 /data/4 /data/5 /data/6 " +
		"/data/7 /data/8 /data/9 /data/10 /data/11 /data/12"}))
	awaitSync(t, stream)
	snapshot := stream.Latest()
	defer snapshot.Release()
	object, is := snapshot.At(0)
	if !is {
		t.Fatal("there is no object")
	}
	same(t, object, 0, "Running", true)
	same(t, object, 0, phase("Running"), true)
	same(t, object, 0, false, false)
	same(t, object, 0, 0, false)
	same(t, object, 1, true, true)
	same(t, object, 1, "true", true)
	same(t, object, 2, 1000, true)
	same(t, object, 2, int64(1000), true)
	same(t, object, 2, uint8(0), false)
	same(t, object, 2, 1000.0, true)
	same(t, object, 3, int16(-129), true)
	same(t, object, 3, int8(0), false)
	same(t, object, 3, uint64(0), false)
	same(t, object, 4, uint64(math.MaxUint64), true)
	same(t, object, 4, int64(0), false)
	same(t, object, 5, 1.5, true)
	same(t, object, 5, float32(1.5), true)
	same(t, object, 5, 0, false)
	same(t, object, 6, time.Date(2026, 1, 2, 2, 4, 5, 678_000_000, time.UTC), true)
	same(t, object, 5, time.Time{}, false)
	same(t, object, 7, "", true)
	same(t, object, 7, 0, false)
	same(t, object, 7, false, false)
	same(t, object, 8, 0.0, false)
	same(t, object, 9, 0, false)
	same(t, object, 9, 0.0, false)
	same(t, object, 10, int64(math.MaxInt64), true)
	same(t, object, 11, 0, false)
	same(t, object, 12, 0, true)
	same(t, object, 13, "", false)
	same(t, object, -1, "", false)
	same(t, ksr.Object{}, 0, "", false)
}
