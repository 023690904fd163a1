package ksr

import (
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ColumnValue is what Column reads a column as; types that are defined with these too, such as corev1.PodPhase. Since 0.2.
type ColumnValue interface {
	~string | ~bool | ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 |
		~float32 | ~float64 | time.Time
}

// Column is a column of the config key "columns", from 0, as a T, and whether there is one: an integer that fits (1e3 is
// one), a number, true or false, an RFC 3339 time in whole milliseconds and UTC; of a string the text as it is, which is ""
// where there is nothing. It reads the text of Object.Column, so that "5" and 5 are the same. Since 0.2.
func Column[T ColumnValue](object Object, i int) (T, bool) {
	var value T
	text, is := object.Column(i)
	if !is || !parseColumn(text, reflect.ValueOf(&value).Elem()) {
		var none T
		return none, false
	}
	return value, true
}

// jsonNumber is RFC 8259, section 6.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE]([+-]?[0-9]+))?$`)

func parseColumn(text string, value reflect.Value) bool {
	if at, is := value.Addr().Interface().(*time.Time); is {
		parsed, err := time.Parse(time.RFC3339, text)
		*at = parsed.Truncate(time.Millisecond).UTC()
		return err == nil
	}
	switch {
	case value.Kind() == reflect.String:
		value.SetString(text)
		return true
	case value.Kind() == reflect.Bool:
		value.SetBool(text == "true")
		return text == "true" || text == "false"
	case value.CanFloat():
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || !jsonNumber.MatchString(text) || value.OverflowFloat(number) {
			return false
		}
		value.SetFloat(number)
		return true
	}
	number, is := integer(text)
	switch {
	case !is:
		return false
	case value.CanInt() && number.IsInt64() && !value.OverflowInt(number.Int64()):
		value.SetInt(number.Int64())
		return true
	case value.CanUint() && number.IsUint64() && !value.OverflowUint(number.Uint64()):
		value.SetUint(number.Uint64())
		return true
	}
	return false
}

// integer is the integer that a number of JSON is. Beyond these lengths there is none that fits, and much to compute.
func integer(text string) (*big.Int, bool) {
	parts := jsonNumber.FindStringSubmatch(text)
	if parts == nil || len(text) > 64 || len(strings.TrimLeft(parts[4], "+-0")) > 2 {
		return nil, false
	}
	number, is := new(big.Rat).SetString(text)
	if !is || !number.IsInt() {
		return nil, false
	}
	return number.Num(), true
}
