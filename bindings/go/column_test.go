package ksr_test

import (
	"fmt"
	"math"
	"strings"
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

// TestColumnsReadAsValuesOfObjects has the library read what a column has as a text.
func TestColumnsReadAsValuesOfObjects(t *testing.T) {
	texts := []string{"2016-12-31T23:59:60Z", "2026-01-01T00:00:00,5Z", "2026-01-01T3:04:05Z", "2026-01-01t00:00:00z",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00.5+05:30", "2026-01-01T24:00:00Z", "2026-01-01T00:00:61Z",
		"2026-01-01T00:00:60.9999Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00-00:00", "0000-01-01T00:00:00.0019Z",
		"0000-01-01T00:00:00+23:59", "9999-12-31T23:59:60-23:59", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T00:00:00+00:60",
		"2026-01-01T00:00:00Z\n", "+026-01-01T00:00:00Z", "1969-12-31T23:59:59.9999Z", "",
		"2026-01-01T00:00:00." + strings.Repeat("1", 100) + "Z"}
	numbers := []string{"0e999", "0.000e-999", "-0", "1e0000000000000000000000", "1e-0", "10e-1", "1e-1", "1.5e1", "1.25e1",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e18", "1e19",
		"1e99999999999999999999", "1e-99999999999999999999", "0." + strings.Repeat("0", 200) + "1e201",
		"1" + strings.Repeat("0", 200) + "e-200", "1." + strings.Repeat("0", 200), strings.Repeat("9", 200)}
	var members, columns []string
	for i, text := range texts {
		members = append(members, fmt.Sprintf(`"t%d":%q`, i, text))
		columns = append(columns, fmt.Sprintf("/t/t%d", i))
	}
	for i, number := range numbers {
		members = append(members, fmt.Sprintf(`"n%d":%s`, i, number))
		columns = append(columns, fmt.Sprintf("/t/n%d", i))
	}
	// As the server is to write it.
	script(t, fmt.Sprintf(`fault list /api/v1/namespaces/$NS/configmaps answer 200 type=application/json body={`+
		`"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"kind":"ConfigMap",`+
		`"apiVersion":"v1","metadata":{"name":"a","namespace":"$NS","uid":"a","resourceVersion":"1"},"t":{%s}}]}`,
		strings.Join(members, ",")))
	stream := open(t, serverConfig(t, ksr.Config{"columns": strings.Join(columns, " ")}))
	awaitSync(t, stream)
	snapshot := stream.Latest()
	defer snapshot.Release()
	object, _ := snapshot.At(0)
	for i := range texts {
		at, is := object.GetTime(columns[i])
		same(t, object, i, at, is)
	}
	for i := len(texts); i < len(columns); i++ {
		number, is := object.GetInt(columns[i])
		same(t, object, i, number, is)
	}
}
