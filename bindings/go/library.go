package ksr

// #cgo pkg-config: ksr
// #include "bridge.h"
import "C"

import "unsafe"

// Version is the version of the loaded library as 0xMMmmpp, such as 0x000200 for 0.2.0.
func Version() uint32 { return uint32(C.ksr_version()) }

// VersionString is the version of the loaded library as text, such as "0.2.0".
func VersionString() string { return C.GoString(C.ksr_version_string()) }

// BuildInfo says how the library was built, as one JSON object, for bug reports.
func BuildInfo() string { return C.GoString(C.ksr_build_info()) }

// HasFeature says whether the library has a feature, such as "websocket", "gzip" or "http_proxy".
func HasFeature(name string) bool {
	text := cString(name)
	return text != nil && C.ksr_has_feature(text.c()) == 1
}

// nulTerminated is a Go string in the form in which C reads strings, for the length of one call.
type nulTerminated []byte

// cString returns nil for a string with a NUL byte.
func cString(text string) nulTerminated {
	for i := range len(text) {
		if text[i] == 0 {
			return nil
		}
	}
	return append([]byte(text), 0)
}

func (t nulTerminated) c() *C.char { return (*C.char)(unsafe.Pointer(&t[0])) }

// view is the library's own memory as a slice, which no append can grow into its neighbour.
func view(text C.ksr_go_text) []byte {
	if text.data == nil {
		return nil
	}
	size := int(text.size)
	return unsafe.Slice((*byte)(unsafe.Pointer(text.data)), size)[:size:size]
}
