package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"os"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/resource"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"sigs.k8s.io/randfill"

	"ksr.test/protobuf/apitypes"
)

func kindOf(encoded []byte) schema.GroupVersionKind {
	envelope := unwrap(encoded)
	return schema.FromAPIVersionAndKind(envelope.APIVersion, envelope.Kind)
}

// Texts that Go's encoder escapes, or that no encoder may copy blindly.
var texts = []string{
	"", "a", "plain", "0123456789abcdef", "0123456789abcdef0", "<a href=\"x\">&amp;</a>", `back\slash`, "line\nend\ttab\r",
	"\x00\x01\x1f\x7f\b\f", "grüße", "日本語", "\u2028 \u2029", "😀", "\xff\xfe", "half \xe2\x82", "\xed\xa0\x80", "\xc0\x80",
	"\xf4\x90\x80\x80", "a long text without anything in it that would have to be escaped, at all",
	"a long text that needs it once it is nearly at its end, when several blocks have been copied \"",
}

func text(c randfill.Continue) string {
	if c.Intn(3) == 0 {
		return c.String(0)
	}
	word := texts[c.Intn(len(texts))]
	for range c.Intn(3) {
		word += texts[c.Intn(len(texts))]
	}
	return word
}

var rawJSON = []string{
	`{}`, `null`, `[]`, `"x"`, `-1.5e+10`, `true`, ` { "a" : [ 1 , "<&>" , null ] , "b\"" : { "c" : false } } `,
	"{\n\t\"line\": \"a b\u2028\u2029\\u2028\"\r\n}", `{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}`, `{"a":1,"a":2}`,
}

func raw(c randfill.Continue) []byte { return []byte(rawJSON[c.Intn(len(rawJSON))]) }

func ownFuncs(serializer.CodecFactory) []any {
	return []any{
		func(s *string, c randfill.Continue) { *s = text(c) },
		func(r *runtime.RawExtension, c randfill.Continue) { *r = runtime.RawExtension{Raw: raw(c)} },
		func(e *metav1.ManagedFieldsEntry, c randfill.Continue) {
			c.FillNoCustom(e)
			e.FieldsV1 = nil
			if c.Bool() {
				e.FieldsV1 = metav1.NewFieldsV1(string(raw(c)))
			}
		},
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(m)
			if c.Intn(4) != 0 { // An object that is shown.
				m.Name, m.UID, m.ResourceVersion = "name-"+m.Name, "uid-"+m.UID, "1"
			}
		},
		func(j *apiextensionsv1.JSON, c randfill.Continue) { j.Raw = raw(c) },
		func(j *apiextensionsv1beta1.JSON, c randfill.Continue) { j.Raw = raw(c) },
		func(q *resource.Quantity, c randfill.Continue) {
			formats := []resource.Format{resource.DecimalExponent, resource.BinarySI, resource.DecimalSI}
			format := formats[c.Intn(len(formats))]
			if c.Bool() {
				*q = *resource.NewQuantity(c.Int63()>>c.Intn(63), format)
			} else {
				*q = *resource.NewMilliQuantity(-(c.Int63() >> c.Intn(63)), format)
			}
		},
		func(d *metav1.Duration, c randfill.Continue) {
			d.Duration = 0
			if c.Intn(8) != 0 {
				c.Fill(&d.Duration)
				d.Duration >>= c.Intn(64)
			}
		},
		func(f *float64, c randfill.Continue) { *f = float(c) },
		func(t *metav1.Time, c randfill.Continue) {
			if *t = (metav1.Time{}); c.Intn(4) != 0 {
				*t = metav1.Unix(seconds(c), 0)
			}
		},
		func(t *metav1.MicroTime, c randfill.Continue) {
			if *t = (metav1.MicroTime{}); c.Intn(4) != 0 {
				*t = metav1.NewMicroTime(metav1.Unix(seconds(c), c.Int63n(1e9)).Time)
			}
		},
	}
}

// Of the years 1 to 9999.
func seconds(c randfill.Continue) int64 {
	if c.Bool() {
		return c.Int63n(1 << 32)
	}
	return -62135596800 + c.Int63n(253402300800+62135596800)
}

func float(c randfill.Continue) float64 {
	switch c.Intn(4) {
	case 0:
		return float64(c.Intn(2000) - 1000)
	case 1:
		return (c.Float64() - 0.5) * math.Pow(10, float64(c.Intn(60)-30))
	case 2:
		return []float64{0, math.Copysign(0, -1), 1e21, 1e20, 999999999999999900000, 1e-6, 9.99e-7, math.MaxFloat64,
			math.SmallestNonzeroFloat64, 0.1, 1.0 / 3, 123456789.125}[c.Intn(12)]
	}
	for {
		if f := math.Float64frombits(c.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

// What a server writes and protobuf does not carry: pkg/apis/apps/v1/conversion.go.
func addClaimTypes(object runtime.Object) {
	var claims []corev1.PersistentVolumeClaim
	one := func(set []corev1.PersistentVolumeClaim) { claims = set; nameClaims(claims) }
	switch o := object.(type) {
	case *appsv1.StatefulSet:
		one(o.Spec.VolumeClaimTemplates)
	case *appsv1beta1.StatefulSet:
		one(o.Spec.VolumeClaimTemplates)
	case *appsv1beta2.StatefulSet:
		one(o.Spec.VolumeClaimTemplates)
	case *appsv1.StatefulSetList:
		for i := range o.Items {
			addClaimTypes(&o.Items[i])
		}
	case *appsv1beta1.StatefulSetList:
		for i := range o.Items {
			addClaimTypes(&o.Items[i])
		}
	case *appsv1beta2.StatefulSetList:
		for i := range o.Items {
			addClaimTypes(&o.Items[i])
		}
	}
}

func nameClaims(claims []corev1.PersistentVolumeClaim) {
	for i := range claims {
		claims[i].TypeMeta = metav1.TypeMeta{Kind: "PersistentVolumeClaim", APIVersion: "v1"}
	}
}

func (w *writer) encode(file string) {
	s := apitypes.Scheme()
	text, err := os.ReadFile(file)
	must(err, file)
	object, _, err := serializer.NewCodecFactory(s).UniversalDeserializer().Decode(text, nil, nil)
	must(err, file)
	must(protobuf.NewSerializer(s, s).Encode(object, w.out), file)
	w.count++
}

// A server sends what it has decoded from etcd: in memory an object differs that has not been through protobuf.
func reencoded(binary runtime.Serializer, object runtime.Object) runtime.Object {
	var encoded bytes.Buffer
	must(binary.Encode(object, &encoded), "encode")
	decoded, _, err := binary.Decode(encoded.Bytes(), nil, nil)
	must(err, "decode")
	return decoded
}

func (w *writer) random(seed int64, rounds int) {
	s := apitypes.Scheme()
	codecs := serializer.NewCodecFactory(s)
	funcs := fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, ownFuncs)
	fill := fuzzer.FuzzerFor(funcs, rand.NewSource(seed), codecs)
	binary := protobuf.NewSerializer(s, s)
	text := jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, s, s, jsonserializer.SerializerOptions{})
	for _, kind := range apitypes.Kinds(s) {
		for round := range rounds {
			fill.NilChance([]float64{0.5, 0.1, 0.9}[round%3]).NumElements(0, 1+round%3).MaxDepth(8 + round%8)
			object := reflect.New(kind.Type).Interface().(runtime.Object)
			fill.Fill(object)
			object.GetObjectKind().SetGroupVersionKind(kind.GVK)
			decoded := reencoded(binary, object)
			decoded.GetObjectKind().SetGroupVersionKind(kind.GVK)
			var encoded, shown bytes.Buffer
			must(binary.Encode(decoded, &encoded), kind.GVK.String())
			addClaimTypes(decoded)
			must(text.Encode(decoded, &shown), kind.GVK.String())
			name := fmt.Sprintf("%s/%s/%d", kind.APIVersion(), kind.GVK.Kind, round)
			w.record(same, name, encoded.Bytes(), bytes.TrimSuffix(shown.Bytes(), []byte("\n")))
		}
	}
}
