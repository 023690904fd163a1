package main

import (
	"encoding/binary"
	"strconv"
	"time"
)

// Pods in the order of (namespace, name); pod i was created i*stride (modulo objects) seconds after the first.
type author struct {
	own     values
	objects int
}

func newAuthor(objects int) *author {
	return &author{markers(), objects}
}

const nameDigits = "2456789bcdfghjklmnpqrstvwxz"

func (a *author) describe(object, version int, sent int64) *values {
	for rest, at := object, len(markName)-1; at >= len(namePrefix); at-- {
		a.own[valueName][at] = nameDigits[rest%len(nameDigits)]
		rest /= len(nameDigits)
	}
	padded(a.own[valueNamespace][len("team-"):], object*namespaces/a.objects)
	writeUID(a.own[valueUID], uint64(object))
	padded(a.own[valueVersion], version)
	padded(a.own[valueSequence], version-firstVersion)
	if sent > 0 {
		a.own[valueSent] = strconv.AppendInt(a.own[valueSent][:0], sent, 10)
	}
	created := int64(1794000000 + object*(stride%a.objects)%a.objects)
	a.own[valueCreatedText] = time.Unix(created, 0).UTC().AppendFormat(a.own[valueCreatedText][:0], time.RFC3339)
	a.own[valueCreatedVarint] = binary.AppendUvarint(a.own[valueCreatedVarint][:1], uint64(created))
	return &a.own
}

func padded(out []byte, number int) {
	for at := len(out) - 1; at >= 0; at-- {
		out[at] = byte('0' + number%10)
		number /= 10
	}
}

// Random to look at, always the same for a pod, and never the same for two: the mixing is a bijection.
func writeUID(out []byte, object uint64) {
	mix := (object + 1) * 0x9e3779b97f4a7c15
	mix = (mix ^ mix>>30) * 0xbf58476d1ce4e5b9
	mix = (mix ^ mix>>27) * 0x94d049bb133111eb
	mix ^= mix >> 31
	for at, digit := 0, 0; at < len(out); at++ {
		if at == 8 || at == 13 || at == 14 || at == 18 || at == 19 || at == 23 {
			continue // dashes, version, variant
		}
		out[at] = "0123456789abcdef"[mix>>(digit%16*4)&15]
		digit++
	}
}
