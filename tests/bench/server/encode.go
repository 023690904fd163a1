package main

import (
	"bytes"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	shapes            = 64
	mediaJSON         = "application/json"
	mediaProtobuf     = "application/vnd.kubernetes.protobuf"
	mediaWatchSuffix  = ";stream=watch"
	protobufPodListID = "k8s\x00\x0a\x0d\x0a\x02v1\x12\x07PodList"
)

// Every shape as an item of a list and as an event of a watch, encoded once by client-go's own serializers.
type encodings struct {
	items  [shapes]*template
	events [shapes]*template
}

func encodeShapes(mediaType string) (*encodings, error) {
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
	made := &encodings{}
	for shape := range shapes {
		pod := podOfShape(shape)
		item, err := encodeItem(info, pod)
		if err != nil {
			return nil, err
		}
		if made.items[shape], err = newTemplate(item); err != nil {
			return nil, err
		}
		event, err := encodeEvent(info, pod)
		if err != nil {
			return nil, err
		}
		if made.events[shape], err = newTemplate(event); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// A pod by itself, in JSON.
func encodePod() ([]byte, error) {
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaJSON)
	return runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion), podOfShape(0))
}

// Items of a typed list have no kind and apiVersion, and in protobuf no envelope.
func encodeItem(info runtime.SerializerInfo, pod *corev1.Pod) ([]byte, error) {
	if info.MediaType == mediaProtobuf {
		return pod.Marshal()
	}
	text, err := runtime.Encode(info.Serializer, pod)
	return bytes.TrimRight(text, "\n"), err
}

// A watch event in the frame of its stream: a line of JSON, or protobuf after its length.
func encodeEvent(info runtime.SerializerInfo, pod *corev1.Pod) ([]byte, error) {
	object, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion), pod)
	if err != nil {
		return nil, err
	}
	return frameEvent(info, watch.Modified, object)
}

func frameEvent(info runtime.SerializerInfo, kind watch.EventType, object []byte) ([]byte, error) {
	var out bytes.Buffer
	event := &metav1.WatchEvent{Type: string(kind), Object: runtime.RawExtension{Raw: bytes.TrimRight(object, "\n")}}
	if info.MediaType == mediaProtobuf {
		event.Object.Raw = object
	}
	err := info.StreamSerializer.Encode(event, info.StreamSerializer.Framer.NewFrameWriter(&out))
	return out.Bytes(), err
}

// A bookmark, as rarely as the watch cache sends one.
func encodeBookmark(mediaType, version string) ([]byte, error) {
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}}
	object, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion), pod)
	if err != nil {
		return nil, err
	}
	return frameEvent(info, watch.Bookmark, object)
}
