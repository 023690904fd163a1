package main

import (
	"encoding/json"
	"reflect"
	"sort"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"ksr.test/protobuf/apitypes"
)

// field is one member of a JSON object, in the order in which Go's encoder writes them.
type field struct {
	number  int // 0: not on the wire, the member is always its `zero`
	name    string
	kind    string // of Kind in schema.hpp
	flags   []string
	role    string
	message *message
	zero    string // what is written when the field is absent; "" for nothing
}

type message struct {
	name   string
	shape  string // of Shape in schema.hpp
	fields []field
	index  int
}

type objectKind struct {
	apitypes.Kind
	message *message
	list    bool
}

type schema struct {
	messages map[string]*message
	sorted   []*message
	kinds    []objectKind
}

func newSchema() *schema { return &schema{messages: map[string]*message{}} }

func typeOf[T any]() reflect.Type { return reflect.TypeOf((*T)(nil)).Elem() }

// Types that encode themselves; each is a kind of value of its own.
var specialKinds = map[reflect.Type]string{
	typeOf[metav1.Time]():               "time",
	typeOf[metav1.MicroTime]():          "micro_time",
	typeOf[metav1.Duration]():           "duration",
	typeOf[resource.Quantity]():         "quantity",
	typeOf[intstr.IntOrString]():        "int_or_string",
	typeOf[metav1.FieldsV1]():           "json_or_null",
	typeOf[runtime.RawExtension]():      "json",
	typeOf[apiextensionsv1.JSON]():      "json_or_null",
	typeOf[apiextensionsv1beta1.JSON](): "json_or_null",
}

// Messages that are not written as an object of their members.
var specialShapes = map[reflect.Type]string{
	typeOf[apiextensionsv1.JSONSchemaPropsOrBool]():             "schema_or_bool",
	typeOf[apiextensionsv1beta1.JSONSchemaPropsOrBool]():        "schema_or_bool",
	typeOf[apiextensionsv1.JSONSchemaPropsOrArray]():            "schema_or_array",
	typeOf[apiextensionsv1beta1.JSONSchemaPropsOrArray]():       "schema_or_array",
	typeOf[apiextensionsv1.JSONSchemaPropsOrStringArray]():      "schema_or_texts",
	typeOf[apiextensionsv1beta1.JSONSchemaPropsOrStringArray](): "schema_or_texts",
}

// What a server writes into the claims of a StatefulSet, although protobuf has no place for it
// (pkg/apis/apps/v1/conversion.go).
var claimHolders = map[reflect.Type]bool{
	typeOf[appsv1.StatefulSetSpec]():      true,
	typeOf[appsv1beta1.StatefulSetSpec](): true,
	typeOf[appsv1beta2.StatefulSetSpec](): true,
}

var objectMetaRoles = map[string]string{
	"name": "name", "namespace": "name_space", "uid": "uid", "resourceVersion": "resource_version",
	"creationTimestamp": "creation_timestamp", "managedFields": "managed_fields",
}

func typeName(t reflect.Type) string {
	path := t.PkgPath()
	for _, prefix := range []string{"k8s.io/api/", "k8s.io/apimachinery/pkg/apis/", "k8s.io/apimachinery/pkg/",
		"k8s.io/apiextensions-apiserver/pkg/apis/", "k8s.io/kube-aggregator/pkg/apis/"} {
		path = strings.TrimPrefix(path, prefix)
	}
	return path + "." + t.Name()
}

func (s *schema) addKind(kind apitypes.Kind) {
	if items, ok := kind.Type.FieldByName("Items"); ok && strings.HasSuffix(kind.GVK.Kind, "List") {
		meta, _ := kind.Type.FieldByName("ListMeta")
		if wireNumber(meta) != 1 || wireNumber(items) != 2 {
			fail("%v is not laid out as a list", kind.GVK)
		}
		s.kinds = append(s.kinds, objectKind{kind, s.object(items.Type.Elem()), true})
		return
	}
	s.kinds = append(s.kinds, objectKind{kind, s.object(kind.Type), false})
}

// The message of a type that is shown as an object of its own: what json::Item has of it, it notes.
func (s *schema) object(t reflect.Type) *message {
	m := s.message(t)
	for i := range m.fields {
		f := &m.fields[i]
		if f.message != nil && f.message.name == "meta/v1.ObjectMeta" && f.name != "metadata" {
			fail("%s has ObjectMeta in %s: its name would be taken for the object's", m.name, f.name)
		}
		switch f.name {
		case "lastTimestamp":
			f.role = "last_timestamp"
		case "eventTime":
			f.role = "event_time"
		case "series":
			for j := range f.message.fields {
				if f.message.fields[j].name == "lastObservedTime" {
					f.message.fields[j].role = "last_observed_time"
				}
			}
		}
	}
	return m
}

func (s *schema) message(t reflect.Type) *message {
	name := typeName(t)
	if m, ok := s.messages[name]; ok {
		return m
	}
	m := &message{name: name, shape: "object"}
	s.messages[name] = m
	if shape, ok := specialShapes[t]; ok {
		m.shape = shape
	} else if implementsJSON(t) {
		fail("%s writes its own JSON, which the table does not know", name)
	}
	m.fields = s.fields(t)
	if len(m.fields) > 64 {
		fail("%s has %d fields: more than a mask of 64 bits holds", name, len(m.fields))
	}
	return m
}

func implementsJSON(t reflect.Type) bool {
	return t.Implements(typeOf[json.Marshaler]()) || reflect.PointerTo(t).Implements(typeOf[json.Marshaler]())
}

func wireNumber(f reflect.StructField) int {
	tag := f.Tag.Get("protobuf")
	if tag == "" || tag == "-" {
		return 0
	}
	number, err := strconv.Atoi(strings.Split(tag, ",")[1])
	if err != nil || number < 1 || number > 255 {
		fail("the protobuf tag of %s, %q, has no number from 1 to 255", f.Name, tag)
	}
	return number
}

func (s *schema) fields(t reflect.Type) []field {
	var fields []field
	names := map[string]bool{}
	for i := range t.NumField() {
		goField := t.Field(i)
		name, options, _ := strings.Cut(goField.Tag.Get("json"), ",")
		number := wireNumber(goField)
		switch {
		case goField.Type == typeOf[metav1.TypeMeta]() && goField.Anonymous && name == "" && number == 0:
			continue // Empty unless the envelope says it; see claimHolders.
		case name == "-":
			fail("%s.%s is on the wire and not in JSON", typeName(t), goField.Name)
		case name == "" && !goField.Anonymous:
			name = goField.Name
		}
		if strings.Contains(","+options+",", ",string,") {
			fail("%s.%s is a number in quotes", typeName(t), goField.Name)
		}
		f := s.field(t, goField, name, options)
		f.number = number
		if f.kind == "inline_message" {
			for _, member := range allNames(f.message) {
				addName(names, member, t)
			}
		} else {
			addName(names, name, t)
		}
		fields = append(fields, f)
	}
	return fields
}

func allNames(m *message) []string {
	var names []string
	for _, f := range m.fields {
		if f.kind == "inline_message" {
			names = append(names, allNames(f.message)...)
		} else {
			names = append(names, f.name)
		}
	}
	return names
}

func addName(names map[string]bool, name string, t reflect.Type) {
	if names[name] {
		fail("%s has two members named %s", typeName(t), name)
	}
	names[name] = true
}

func (s *schema) field(owner reflect.Type, goField reflect.StructField, name, options string) field {
	f := field{name: name}
	omitEmpty := strings.Contains(","+options+",", ",omitempty,")
	omitZero := strings.Contains(","+options+",", ",omitzero,")
	t := goField.Type
	if goField.Anonymous && name == "" {
		if t.Kind() != reflect.Struct {
			fail("%s embeds %v", typeName(owner), t)
		}
		f.kind, f.message = "inline_message", s.message(t)
		f.zero = strings.TrimSuffix(strings.TrimPrefix(zeroJSON(t), "{"), "}")
		return f
	}
	element := t
	switch {
	case t.Kind() == reflect.Pointer:
		element = t.Elem()
	case t.Kind() == reflect.Map:
		f.flags = append(f.flags, "kMap")
		if t.Key().Kind() != reflect.String || implementsText(t.Key()) {
			fail("%s.%s has keys of type %v", typeName(owner), goField.Name, t.Key())
		}
		element = t.Elem()
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && !apitypes.HasProtobuf(t):
		f.flags = append(f.flags, "kRepeated")
		element = t.Elem()
		if element.Kind() == reflect.Pointer {
			element = element.Elem()
		}
	case isScalar(t) && omitEmpty:
		f.flags = append(f.flags, "kOmitZero")
	}
	if omitZero {
		if t != typeOf[metav1.Time]() {
			fail("%s.%s of type %v has omitzero", typeName(owner), goField.Name, t)
		}
		f.flags = append(f.flags, "kOmitZero")
	}
	f.kind, f.message = s.valueKind(owner, goField, element)
	if f.kind == "texts" && t.Kind() != reflect.Map {
		fail("%s.%s is not in a map: an empty one would be null", typeName(owner), goField.Name)
	}
	if claimHolders[owner] && name == "volumeClaimTemplates" {
		f.message = s.claim(f.message)
	}
	// Of omitempty, only structs are never empty.
	if !omitZero && (!omitEmpty || t.Kind() == reflect.Struct) {
		f.zero = zeroJSON(t)
	}
	if owner == typeOf[metav1.ObjectMeta]() {
		f.role = objectMetaRoles[name]
	}
	return f
}

func implementsText(t reflect.Type) bool {
	_, ok := t.MethodByName("MarshalText")
	return ok
}

func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64:
		return true
	case reflect.Slice: // bytes, and messages such as Verbs
		return true
	}
	return false
}

func (s *schema) valueKind(owner reflect.Type, goField reflect.StructField, t reflect.Type) (string, *message) {
	if kind, ok := specialKinds[t]; ok {
		return kind, nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return "message", s.message(t)
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "boolean", nil
	case reflect.Int32:
		return "int32", nil
	case reflect.Int64:
		return "int64", nil
	case reflect.Float64:
		return "real", nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes", nil
		}
		// A slice that is a message of its own, with the field 1.
		if t.Elem().Kind() == reflect.String && apitypes.HasProtobuf(t) {
			return "texts", nil
		}
	}
	fail("%s.%s has the type %v, which the table does not know", typeName(owner), goField.Name, t)
	return "", nil
}

func zeroJSON(t reflect.Type) string {
	text, err := json.Marshal(reflect.Zero(t).Interface())
	if err != nil {
		fail("the zero value of %v: %v", t, err)
	}
	return string(text)
}

// PersistentVolumeClaim with a kind and an apiVersion before its fields.
func (s *schema) claim(of *message) *message {
	name := of.name + " in a StatefulSet"
	if of != s.messages[typeName(typeOf[corev1.PersistentVolumeClaim]())] {
		fail("the claims of a StatefulSet are %s", of.name)
	}
	if s.messages[name] == nil {
		constants := []field{
			{name: "kind", kind: "text", zero: `"PersistentVolumeClaim"`}, {name: "apiVersion", kind: "text", zero: `"v1"`},
		}
		s.messages[name] = &message{name: name, shape: of.shape, fields: append(constants, of.fields...)}
	}
	return s.messages[name]
}

// Numbers the messages in the order of their names.
func (s *schema) number() {
	for _, m := range s.messages {
		s.sorted = append(s.sorted, m)
	}
	sort.Slice(s.sorted, func(i, j int) bool { return s.sorted[i].name < s.sorted[j].name })
	for i, m := range s.sorted {
		m.index = i
	}
}
