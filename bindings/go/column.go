package ksr

import (
	"math"
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
		*at, is = parseTime(text)
		return is
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

// integer is the integer that a number of JSON is, of those that any type has.
func integer(text string) (*big.Int, bool) {
	parts := jsonNumber.FindStringSubmatch(text)
	if parts == nil {
		return nil, false
	}
	// 0.DIGITS times ten to the power of point, without zeros at either end.
	whole, fraction := parts[1], strings.TrimPrefix(parts[2], ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	point := len(whole) - (len(whole+fraction) - len(digits))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return new(big.Int), true
	}
	if parts[4] != "" {
		exponent, err := strconv.Atoi(parts[4])
		if err != nil {
			return nil, false
		}
		point += exponent
	}
	if point < len(digits) || point > len(strconv.FormatUint(math.MaxUint64, 10)) {
		return nil, false
	}
	number, is := new(big.Int).SetString(digits+strings.Repeat("0", point-len(digits)), 10)
	if is && text[0] == '-' {
		number.Neg(number)
	}
	return number, is
}

// rfc3339 is what the library takes for a time: time.Parse refuses leap seconds and lower case, and accepts a comma and
// hours of one digit.
var rfc3339 = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?` +
	`(?:[Zz]|([+-])(\d\d):(\d\d))$`)

// parseTime is in whole milliseconds and UTC, as Object.GetTime.
func parseTime(text string) (time.Time, bool) {
	parts := rfc3339.FindStringSubmatch(text)
	if parts == nil {
		return time.Time{}, false
	}
	part := func(i int) int {
		value, _ := strconv.Atoi(parts[i])
		return value
	}
	year, month, day := part(1), time.Month(part(2)), part(3)
	hour, minute, second := part(4), part(5), part(6)
	offset := time.Duration(part(9))*time.Hour + time.Duration(part(10))*time.Minute
	// A leap second is the second that follows it.
	if hour > 23 || minute > 59 || second > 60 || part(9) > 23 || part(10) > 59 {
		return time.Time{}, false
	}
	// One that the calendar does not have becomes another day.
	if date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); date.Month() != month || date.Day() != day {
		return time.Time{}, false
	}
	if parts[8] == "-" {
		offset = -offset
	}
	milliseconds, _ := strconv.Atoi((parts[7] + "000")[:3])
	at := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	return at.Add(time.Duration(milliseconds)*time.Millisecond - offset), true
}
