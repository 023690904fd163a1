// Package apitypes knows the types that src/protobuf reads: those of k8s.io/api, of apiextensions and of kube-aggregator
// that have protobuf, and what an API server answers besides.
package apitypes

import (
	"reflect"
	"sort"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apidiscoveryv2beta1 "k8s.io/api/apidiscovery/v2beta1"
	corev1 "k8s.io/api/core/v1"
	imagepolicyv1alpha1 "k8s.io/api/imagepolicy/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiregistrationv1beta1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1"
)

// Kind is an object or a list as it is named on the wire.
type Kind struct {
	GVK  schema.GroupVersionKind
	Type reflect.Type
}

func (k Kind) APIVersion() string { return k.GVK.GroupVersion().String() }

// Marshaler is what the generated code of protobuf implements.
type Marshaler interface {
	Marshal() ([]byte, error)
}

var marshaler = reflect.TypeOf((*Marshaler)(nil)).Elem()

// HasProtobuf tells whether values of the type are messages.
func HasProtobuf(t reflect.Type) bool { return reflect.PointerTo(t).Implements(marshaler) }

// Scheme has all types, each in its versions.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		scheme.AddToScheme,
		admissionv1.AddToScheme, admissionv1beta1.AddToScheme,
		apidiscoveryv2.AddToScheme, apidiscoveryv2beta1.AddToScheme,
		imagepolicyv1alpha1.AddToScheme,
		apiextensionsv1.AddToScheme, apiextensionsv1beta1.AddToScheme,
		apiregistrationv1.AddToScheme, apiregistrationv1beta1.AddToScheme,
		metav1.AddMetaToScheme,
	} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}

// Of meta/v1, whose other types no API server answers a list or a watch with. Each group has the options.
var metaKinds = map[string][]string{
	"v1": {"Status", "CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions",
		"APIGroup", "APIVersions"},
	"meta.k8s.io/v1": {"PartialObjectMetadata", "PartialObjectMetadataList"},
}

func wanted(kind Kind) bool {
	if kind.GVK.Version == runtime.APIVersionInternal || !HasProtobuf(kind.Type) {
		return false
	}
	if kind.Type == reflect.TypeOf(corev1.List{}) { // Of objects of any kind, which clients make and no server sends.
		return false
	}
	if !strings.HasPrefix(kind.Type.PkgPath(), "k8s.io/apimachinery/") {
		return true
	}
	for _, name := range metaKinds[kind.APIVersion()] {
		if name == kind.GVK.Kind {
			return true
		}
	}
	return false
}

// Kinds is sorted by apiVersion and kind.
func Kinds(s *runtime.Scheme) []Kind {
	var kinds []Kind
	for gvk, t := range s.AllKnownTypes() {
		if kind := (Kind{gvk, t}); wanted(kind) {
			kinds = append(kinds, kind)
		}
	}
	sort.Slice(kinds, func(i, j int) bool {
		return kinds[i].APIVersion()+" "+kinds[i].GVK.Kind < kinds[j].APIVersion()+" "+kinds[j].GVK.Kind
	})
	return kinds
}
