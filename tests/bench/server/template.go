package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// One encoding of one shape, and the places in it where a pod's own values go.
type template struct {
	text   []byte
	places []place
}

type place struct {
	at    int
	value int
}

// The values in which pods of one shape differ, as written in JSON and protobuf.
type values [valueCount][]byte

const (
	valueName = iota
	valueNamespace
	valueUID
	valueVersion
	valueSequence
	valueSent
	valueCreatedText
	valueCreatedVarint
	valueCount
)

func markers() values {
	return values{[]byte(markName), []byte(markNamespace), []byte(markUID), []byte(markVersion), []byte(markSequence),
		[]byte(markSent), []byte(markCreatedText), createdVarint(markCreated)}
}

// Field 1 of a Timestamp; the leading tag makes it unmistakable.
func createdVarint(seconds int64) []byte { return binary.AppendUvarint([]byte{0x08}, uint64(seconds)) }

func newTemplate(text []byte) (*template, error) {
	made := &template{text: text}
	for value, marker := range markers() {
		found := 0
		for at := 0; ; {
			next := bytes.Index(text[at:], marker)
			if next < 0 {
				break
			}
			made.places = append(made.places, place{at + next, value})
			at += next + len(marker)
			found++
		}
		if found == 0 && value != valueCreatedText && value != valueCreatedVarint {
			return nil, fmt.Errorf("an encoded pod lacks %q", marker)
		}
	}
	return made, nil
}

func (t *template) appendTo(out []byte, own *values) []byte {
	start := len(out)
	out = append(out, t.text...)
	for _, place := range t.places {
		copy(out[start+place.at:], own[place.value])
	}
	return out
}
