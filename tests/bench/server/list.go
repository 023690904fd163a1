package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// As much is written at once, so that the system calls cost the client's side more than this one.
const writeSize = 512 << 10

// One page of a list, or all of it.
type page struct {
	first, last int
	version     int
	next        string
	left        int
}

// As a kube-apiserver does: with resourceVersion=0 `limit` does not count, a token continues at its version.
func (s *server) pageOf(r *http.Request) (page, error) {
	query := r.URL.Query()
	made := page{last: s.history.objects, version: s.history.version()}
	if token := query.Get("continue"); token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			_, err = fmt.Sscanf(string(text), "%d:%d", &made.version, &made.first)
		}
		if err != nil || made.first > s.history.objects {
			return page{}, fmt.Errorf("the continue token %q is not valid on this server", token)
		}
	}
	limit, _ := strconv.Atoi(query.Get("limit"))
	if limit > 0 && query.Get("resourceVersion") != "0" && made.first+limit < made.last {
		made.last = made.first + limit
		made.next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%d", made.version, made.last))
		made.left = s.history.objects - made.last
	}
	return made, nil
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	page, err := s.pageOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	media := mediaJSON
	if strings.HasPrefix(r.Header.Get("Accept"), mediaProtobuf) {
		media = mediaProtobuf
	}
	items := &s.encoded[media].items
	head, tag, tail := jsonFrame(page)
	if media == mediaProtobuf {
		head, tag, tail = protobufFrame(page, items)
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(pageSize(page, items, head, tag, tail)))
	s.writePage(&largeWriter{out: w, connection: batchOf(r)}, page, items, head, tag, tail)
}

// What is written before a page, before each of its items except, in JSON, the first, and after all.
func jsonFrame(page page) (head []byte, tag func([]byte, int, bool) []byte, tail []byte) {
	meta := fmt.Sprintf(`"resourceVersion":"%d"`, page.version)
	if page.next != "" {
		meta += fmt.Sprintf(`,"continue":"%s","remainingItemCount":%d`, page.next, page.left)
	}
	tag = func(out []byte, _ int, first bool) []byte {
		if first {
			return out
		}
		return append(out, ',')
	}
	return []byte(`{"kind":"PodList","apiVersion":"v1","metadata":{` + meta + `},"items":[`), tag, []byte("]}\n")
}

func protobufFrame(page page, items *[shapes]*template) (head []byte, tag func([]byte, int, bool) []byte, tail []byte) {
	tag = func(out []byte, size int, _ bool) []byte {
		return binary.AppendUvarint(append(out, 0x12), uint64(size))
	}
	meta := metav1.ListMeta{ResourceVersion: strconv.Itoa(page.version), Continue: page.next}
	if left := int64(page.left); page.next != "" {
		meta.RemainingItemCount = &left
	}
	text, _ := meta.Marshal()
	list := append(binary.AppendUvarint([]byte{0x0a}, uint64(len(text))), text...)
	size := pageSize(page, items, list, tag, nil)
	head = append(binary.AppendUvarint([]byte(protobufPodListID+"\x12"), uint64(size)), list...)
	return head, tag, []byte{0x1a, 0, 0x22, 0}
}

func pageSize(page page, items *[shapes]*template, head []byte, tag func([]byte, int, bool) []byte, tail []byte) int {
	size := len(head) + len(tail)
	var scratch []byte
	for object := page.first; object < page.last; object++ {
		length := len(items[object%shapes].text)
		size += length + len(tag(scratch[:0], length, object == page.first))
	}
	return size
}

func (s *server) writePage(out *largeWriter, page page, items *[shapes]*template, head []byte,
	tag func([]byte, int, bool) []byte, tail []byte) {
	defer out.close()
	author := newAuthor(s.history.objects)
	buffer := append(out.begin(), head...)
	for object := page.first; object < page.last; object++ {
		item := items[object%shapes]
		buffer = tag(buffer, len(item.text), object == page.first)
		buffer = item.appendTo(buffer, author.describe(object, s.history.versionOf(object), 0))
		if len(buffer) >= writeSize {
			if out.write(buffer) != nil {
				return
			}
			buffer = buffer[:0]
		}
	}
	out.write(append(buffer, tail...))
}
