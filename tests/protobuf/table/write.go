package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const maxColumn = 119

// pool is text that is there once, however often it is used.
type pool struct {
	parts  []string
	places map[string]int
	size   int
}

func newPool() *pool { return &pool{places: map[string]int{}} }

func (p *pool) place(text string) int {
	at, ok := p.places[text]
	if !ok {
		at = p.size
		p.places[text] = at
		p.parts = append(p.parts, text)
		p.size += len(text)
	}
	return at
}

// lines writes items one after another, with line breaks.
func lines(out io.Writer, items []string, separator string) {
	column := 0
	for _, item := range items {
		if column > 0 && column+len(item)+len(separator) > maxColumn {
			fmt.Fprintln(out)
			column = 0
		}
		if column > 0 {
			column += len(separator)
			fmt.Fprint(out, separator)
		}
		fmt.Fprint(out, item)
		column += len(item)
	}
	if column > 0 {
		fmt.Fprintln(out)
	}
}

func quoted(text string) string {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			fail("%q is not plain ASCII", text)
		}
	}
	return strconv.Quote(text)
}

func (s *schema) write(out io.Writer) {
	fmt.Fprint(out, "// Written by tests/protobuf/table from the Go types of Kubernetes; the test protobuf.table compares it.\n")
	texts := newPool()
	zeros := newPool()
	zeroIndex := map[string]int{"": 0}
	zeroRows := []string{"{0, 0},"}
	zero := func(text string) int {
		index, ok := zeroIndex[text]
		if !ok {
			index = len(zeroRows)
			zeroIndex[text] = index
			zeroRows = append(zeroRows, fmt.Sprintf("{%d, %d},", zeros.place(text), len(text)))
		}
		return index
	}

	fmt.Fprint(out, "\nconstexpr Field kFields[] = {\n")
	var messageRows []string
	first := 0
	for _, m := range s.sorted {
		fmt.Fprintf(out, "// %d %s\n", m.index, m.name)
		var rows []string
		for _, f := range m.fields {
			rows = append(rows, s.row(f, texts, zero))
		}
		lines(out, rows, " ")
		messageRows = append(messageRows, fmt.Sprintf("{%d, %d, Shape::%s},", first, len(m.fields), m.shape))
		first += len(m.fields)
	}
	fmt.Fprint(out, "};\n\n// The first field, how many, the form in JSON.\nconstexpr MessageRow kMessageRows[] = {\n")
	lines(out, messageRows, " ")

	fmt.Fprint(out, "};\n\n// Sorted. The apiVersion and the kind, the message of the object or of the list's items.\nconstexpr KindRow kKinds[] = {\n")
	var kindRows []string
	for _, k := range s.kinds {
		text := k.APIVersion() + " " + k.GVK.Kind
		kindRows = append(kindRows, fmt.Sprintf("{%d, %d, %d, %d},", texts.place(text), len(text), k.message.index, boolean(k.list)))
	}
	lines(out, kindRows, " ")

	fmt.Fprint(out, "};\n\nconstexpr TextRow kZeros[] = {\n")
	lines(out, zeroRows, " ")
	fmt.Fprint(out, "};\n\nconstexpr char kZeroTexts[] =\n")
	writePool(out, zeros)
	fmt.Fprint(out, "\nconstexpr char kTexts[] =\n")
	writePool(out, texts)
	fmt.Fprintf(out, "\nconstexpr std::uint16_t kObjectMeta = %d;\n", s.messages["meta/v1.ObjectMeta"].index)
}

func boolean(value bool) int {
	if value {
		return 1
	}
	return 0
}

func writePool(out io.Writer, p *pool) {
	var parts []string
	for _, part := range p.parts {
		parts = append(parts, quoted(part))
	}
	lines(out, parts, " ")
	// Keys are copied in blocks of 16 bytes.
	fmt.Fprintf(out, "\"%s\";\n", strings.Repeat(" ", 32))
}

// As it is on the wire: https://protobuf.dev/programming-guides/encoding. The struct tags are no guide to the type: that
// of apiextensions' Maximum, a *float64, says bytes.
func (f field) tag() int {
	if f.number == 0 {
		return 0
	}
	wireType := 2
	if !slices.Contains(f.flags, "kMap") {
		switch f.kind {
		case "boolean", "int32", "int64":
			wireType = 0
		case "real":
			wireType = 1
		}
	}
	return f.number<<3 | wireType
}

func (s *schema) row(f field, texts *pool, zero func(string) int) string {
	key := ""
	if f.kind != "inline_message" {
		key = `"` + f.name + `":`
	}
	flags := "0"
	if len(f.flags) > 0 {
		flags = strings.Join(f.flags, "|")
	}
	message := 0
	if f.message != nil {
		message = f.message.index
	}
	// Trailing columns that are 0 are left out.
	columns := []string{strconv.Itoa(texts.place(key)), strconv.Itoa(len(key)), strconv.Itoa(f.tag()), "K::" + f.kind, flags,
		strconv.Itoa(zero(f.zero)), strconv.Itoa(message), ""}
	if f.role != "" {
		columns[7] = "R::" + f.role
	} else {
		columns = columns[:7]
		for columns[len(columns)-1] == "0" {
			columns = columns[:len(columns)-1]
		}
	}
	return "{" + strings.Join(columns, ", ") + "},"
}
