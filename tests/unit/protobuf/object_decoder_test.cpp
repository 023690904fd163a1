#include "protobuf/object_decoder.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "unit/protobuf/messages.hpp"

using namespace ksr;
using namespace ksr::protobuf;

namespace {

const Message& message_of(const char* api_version, const char* kind) {
  const KindRow* const row = built_in_schema().find(api_version, kind);
  REQUIRE(row != nullptr);
  return built_in_schema().messages[row->message];
}

struct Decoded {
  DecodeOutcome outcome;
  std::string text;
};

// From memory of exactly that size, so that ASan finds a read beyond it.
Decoded decode(const Message& message, const std::string& bytes, const DecodeOptions& options = {}) {
  ObjectDecoder decoder(built_in_schema(), options);
  const std::unique_ptr<char[]> copy(new char[bytes.size()]);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  const DecodeOutcome outcome = decoder.decode(message, "", {copy.get(), bytes.size()});
  return {outcome, std::string(decoder.text())};
}

std::string json_of(const char* api_version, const char* kind, const std::string& bytes) {
  const Decoded decoded = decode(message_of(api_version, kind), bytes);
  return decoded.outcome == DecodeOutcome::done ? decoded.text
                                                : "outcome " + std::to_string(static_cast<int>(decoded.outcome));
}

// A ConfigMap {1 metadata, 2 data, 3 binaryData, 4 immutable}, of which JSON has `immutable` before `data`.
std::string config_map_json(const std::string& bytes) {
  return json_of("v1", "ConfigMap", bytes);
}

const std::string kUnknown = "outcome " + std::to_string(static_cast<int>(DecodeOutcome::unknown));
const std::string kMalformed = "outcome " + std::to_string(static_cast<int>(DecodeOutcome::malformed));
const std::string kEmptyMeta = bytes_field(1, "");

// The value of a ConfigMap's only key.
std::string text_json(const std::string& text) {
  const std::string json = config_map_json(kEmptyMeta + map_entry(2, "k", text));
  const std::string before = R"({"metadata":{},"data":{"k":)";
  REQUIRE(json.substr(0, before.size()) == before);
  return json.substr(before.size(), json.size() - before.size() - 2);
}

// metadata.creationTimestamp of that time.
std::string time_json(std::int64_t seconds, std::uint64_t nanoseconds = 0) {
  const std::string time = number_field(1, static_cast<std::uint64_t>(seconds)) + number_field(2, nanoseconds);
  return config_map_json(bytes_field(1, bytes_field(8, time)));
}

// A Lease {2 spec {4 renewTime}}.
std::string micro_time_json(std::int64_t seconds, std::uint64_t nanoseconds) {
  const std::string time = number_field(1, static_cast<std::uint64_t>(seconds)) + number_field(2, nanoseconds);
  return json_of("coordination.k8s.io/v1", "Lease", kEmptyMeta + bytes_field(2, bytes_field(4, time)));
}

std::string double_field(std::uint32_t number, double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  std::string bytes = varint(std::uint64_t{number} << 3 | 1);
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(bits >> (8 * i) & 0xFF);
  return bytes;
}

// A CustomResourceDefinition whose only version has this JSONSchemaProps.
std::string crd(const std::string& schema) {
  const std::string version =
      bytes_field(1, "v1") + number_field(2, 1) + number_field(3, 1) + bytes_field(4, bytes_field(1, schema));
  return kEmptyMeta + bytes_field(2, bytes_field(7, version));
}
std::string schema_json(const std::string& schema) {
  const std::string json = json_of("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd(schema));
  const std::string before = R"("openAPIV3Schema":)";
  const std::size_t at = json.find(before);
  if (at == std::string::npos) return json;
  return json.substr(at + before.size(), json.rfind("}}]") - at - before.size());
}
std::string real_json(double value) {
  return schema_json(double_field(9, value));
}

// A Service whose only port {4 targetPort} has this IntOrString.
std::string target_port_json(const std::string& value) {
  return json_of("v1", "Service", kEmptyMeta + bytes_field(2, bytes_field(1, bytes_field(4, value))));
}

}  // namespace

TEST_CASE("members in the order of the Go struct, whatever their numbers; zeros as Go writes them") {
  CHECK(config_map_json("") == R"({"metadata":{}})");
  CHECK(config_map_json(kEmptyMeta + map_entry(2, "a", "1") + map_entry(2, "b", "") + map_entry(3, "x", "\xff") +
                        number_field(4, 1)) ==
        R"({"metadata":{},"immutable":true,"data":{"a":"1","b":""},"binaryData":{"x":"/w=="}})");
  // A pointer that is not nil is written, though it is false.
  CHECK(config_map_json(kEmptyMeta + number_field(4, 0)) == R"({"metadata":{},"immutable":false})");
  CHECK(json_of("v1", "Pod", "") == R"({"metadata":{},"spec":{"containers":null},"status":{}})");
  CHECK(json_of("v1", "Pod", bytes_field(2, bytes_field(2, bytes_field(1, "c")))) ==
        R"({"metadata":{},"spec":{"containers":[{"name":"c","resources":{}}]},"status":{}})");
  CHECK(json_of("apps/v1", "StatefulSet", bytes_field(2, bytes_field(4, "")))
            .find(R"("volumeClaimTemplates":[{"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":{},)") !=
        std::string::npos);
}

TEST_CASE("bytes that are nil in a map are empty ones") {
  CHECK(config_map_json(kEmptyMeta + bytes_field(3, bytes_field(1, "x"))) ==
        R"({"metadata":{},"binaryData":{"x":""}})");
  CHECK(config_map_json(kEmptyMeta + bytes_field(2, bytes_field(1, "x"))) == kUnknown);
}

TEST_CASE("texts are escaped as Go does") {
  CHECK(text_json("") == R"("")");
  CHECK(text_json("a\"\\/\b\f\n\r\t") == R"("a\"\\/\b\f\n\r\t")");
  CHECK(text_json(std::string("\0\x1f\x7f", 3)) == "\"\\u0000\\u001f\x7f\"");
  CHECK(text_json("<a>&") == R"("\u003ca\u003e\u0026")");
  CHECK(text_json("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa") == "\"\\u2028\\u2029\xe2\x80\xaa\"");
  CHECK(text_json("\xc3\xa4\xf0\x9f\x98\x80") == "\"\xc3\xa4\xf0\x9f\x98\x80\"");
  // Not UTF-8: each byte by itself.
  CHECK(text_json("\xff") == R"("\ufffd")");
  CHECK(text_json("\xe2\x80") == R"("\ufffd\ufffd")");
  CHECK(text_json("\xc0\x80\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd\ufffd\ufffd")");
}

TEST_CASE("texts of every size around a block, each with an escape at every place") {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string plain(size, 'x');
    CHECK(text_json(plain) == '"' + plain + '"');
    for (std::size_t at = 0; at < size; ++at) {
      std::string text = plain;
      text[at] = '<';
      CHECK(text_json(text) == '"' + plain.substr(0, at) + "\\u003c" + plain.substr(at + 1) + '"');
    }
  }
}

TEST_CASE("long texts, and characters where their parts meet") {
  for (const char* character : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t before = 4090; before < 4100; ++before) {
      const std::string text = std::string(before, 'y') + character + std::string(5000, 'z');
      CHECK(text_json(text) == '"' + text + '"');
    }
  }
  std::string expected = "\"";
  for (int i = 0; i < 20000; ++i) expected += "\\ufffd";
  CHECK(text_json(std::string(20000, '\x80')) == expected + '"');
}

TEST_CASE("times") {
  CHECK(config_map_json(bytes_field(1, bytes_field(8, ""))) == R"({"metadata":{}})");
  CHECK(time_json(0) == R"({"metadata":{"creationTimestamp":"1970-01-01T00:00:00Z"}})");
  CHECK(time_json(-1) == R"({"metadata":{"creationTimestamp":"1969-12-31T23:59:59Z"}})");
  CHECK(time_json(951782400, 999) == R"({"metadata":{"creationTimestamp":"2000-02-29T00:00:00Z"}})");
  CHECK(time_json(253402300799) == R"({"metadata":{"creationTimestamp":"9999-12-31T23:59:59Z"}})");
  CHECK(time_json(253402300800) == kUnknown);
  CHECK(time_json(-62167219200) == R"({"metadata":{"creationTimestamp":"0000-01-01T00:00:00Z"}})");
  CHECK(time_json(-62167219201) == kUnknown);
  CHECK(micro_time_json(1, 999999999) == R"({"metadata":{},"spec":{"renewTime":"1970-01-01T00:00:01.999999Z"}})");
  CHECK(micro_time_json(1, 1000) == R"({"metadata":{},"spec":{"renewTime":"1970-01-01T00:00:01.000001Z"}})");
  CHECK(micro_time_json(-62135596800, 0) == kUnknown);
  CHECK(micro_time_json(-62135596800, 1000) == R"({"metadata":{},"spec":{"renewTime":"0001-01-01T00:00:00.000001Z"}})");
  CHECK(json_of("coordination.k8s.io/v1", "Lease", kEmptyMeta + bytes_field(2, bytes_field(4, ""))) ==
        R"({"metadata":{},"spec":{"renewTime":null}})");
  CHECK(micro_time_json(0, 1000000000) == kUnknown);
  CHECK(config_map_json(bytes_field(1, bytes_field(8, number_field(3, 1)))) == kUnknown);
}

TEST_CASE("floating point numbers as encoding/json writes them") {
  CHECK(real_json(0) == R"({"maximum":0})");
  CHECK(real_json(-0.0) == R"({"maximum":-0})");
  CHECK(real_json(-12.5) == R"({"maximum":-12.5})");
  CHECK(real_json(0.1) == R"({"maximum":0.1})");
  CHECK(real_json(100) == R"({"maximum":100})");
  CHECK(real_json(1e20) == R"({"maximum":100000000000000000000})");
  CHECK(real_json(1e21) == R"({"maximum":1e+21})");
  CHECK(real_json(1.2345678901234568e17) == R"({"maximum":123456789012345680})");
  CHECK(real_json(1e-6) == R"({"maximum":0.000001})");
  CHECK(real_json(9.5e-7) == R"({"maximum":9.5e-7})");
  CHECK(real_json(1.7976931348623157e308) == R"({"maximum":1.7976931348623157e+308})");
  CHECK(real_json(5e-324) == R"({"maximum":5e-324})");
  CHECK(real_json(std::numeric_limits<double>::infinity()) == kUnknown);
  CHECK(real_json(std::numeric_limits<double>::quiet_NaN()) == kUnknown);
}

TEST_CASE("the choices of a JSON schema") {
  const std::string object = bytes_field(5, "object");
  // additionalProperties {1 allows, 2 schema}
  CHECK(schema_json(bytes_field(30, number_field(1, 0))) == R"({"additionalProperties":false})");
  CHECK(schema_json(bytes_field(30, number_field(1, 1))) == R"({"additionalProperties":true})");
  CHECK(schema_json(bytes_field(30, number_field(1, 1) + bytes_field(2, object))) ==
        R"({"additionalProperties":{"type":"object"}})");
  // items {1 schema, 2 jSONSchemas}
  CHECK(schema_json(bytes_field(24, "")) == R"({"items":null})");
  CHECK(schema_json(bytes_field(24, bytes_field(1, object))) == R"({"items":{"type":"object"}})");
  CHECK(schema_json(bytes_field(24, bytes_field(2, object) + bytes_field(2, ""))) ==
        R"({"items":[{"type":"object"},{}]})");
  CHECK(schema_json(bytes_field(24, bytes_field(3, object))) == kUnknown);
  // dependencies: a map of {1 schema, 2 property}
  CHECK(schema_json(map_entry(32, "a", bytes_field(2, "b") + bytes_field(2, "c"))) ==
        R"({"dependencies":{"a":["b","c"]}})");
  CHECK(schema_json(map_entry(32, "a", "")) == R"({"dependencies":{"a":null}})");
}

TEST_CASE("JSON in a message is compacted and escaped; what is no JSON is not known") {
  CHECK(schema_json(bytes_field(8, bytes_field(1, " { \"a\" : [ 1 , \"<\" ] } "))) ==
        R"({"default":{"a":[1,"\u003c"]}})");
  CHECK(schema_json(bytes_field(8, bytes_field(1, "\"\xe2\x80\xa8\\u2028 \\\" \""))) ==
        R"({"default":"\u2028\u2028 \" "})");
  CHECK(schema_json(bytes_field(8, "")) == R"({"default":null})");
  for (const char* text : {"{", "{}{}", "nul", "1 2", "\"\x01\"", "\xff", "{\"a\":1,}", " ", "k8s"}) {
    CHECK_MESSAGE(schema_json(bytes_field(8, bytes_field(1, text))) == kUnknown, text);
  }
  // An API server passes it on as it came where it is no Unicode.
  CHECK(schema_json(bytes_field(8, bytes_field(1, "{\"\xff\" : \"\\ud800\xe2\x80\xe2\x80\xa8<\"}"))) ==
        "{\"default\":{\"\xef\xbf\xbd\":\"\\ufffd\xef\xbf\xbd\xef\xbf\xbd\\u2028\\u003c\"}}");
  // runtime.RawExtension, of a ControllerRevision: nil is null, and empty is nothing that Go encodes.
  CHECK(json_of("apps/v1", "ControllerRevision", bytes_field(2, "")) == R"({"metadata":{},"data":null,"revision":0})");
  CHECK(json_of("apps/v1", "ControllerRevision", bytes_field(2, bytes_field(1, ""))) == kUnknown);
  CHECK(json_of("apps/v1", "ControllerRevision", bytes_field(2, bytes_field(1, enveloped("v1", "Pod", "")))) ==
        kUnknown);
}

TEST_CASE("numbers or texts, and quantities") {
  const std::string before = R"({"metadata":{},"spec":{"ports":[{"port":0,"targetPort":)";
  CHECK(target_port_json(number_field(1, 0) + number_field(2, 80) + bytes_field(3, "")).find(before + "80}") == 0);
  CHECK(target_port_json(number_field(1, 0) + number_field(2, ~std::uint64_t{0})).find(before + "-1}") == 0);
  CHECK(
      target_port_json(number_field(1, 1) + number_field(2, 80) + bytes_field(3, "http")).find(before + "\"http\"}") ==
      0);
  CHECK(target_port_json(number_field(1, 2)) == kUnknown);
  CHECK(target_port_json(bytes_field(1, "x")) == kUnknown);
  const auto quantity = [](const std::string& text) {
    // A LimitRange {2 spec {1 limits {2 max}}}.
    return json_of("v1", "LimitRange", kEmptyMeta + bytes_field(2, bytes_field(1, map_entry(2, "cpu", text))));
  };
  CHECK(quantity(bytes_field(1, "1500m")).find(R"("max":{"cpu":"1500m"})") != std::string::npos);
  CHECK(quantity("").find(R"("max":{"cpu":"0"})") != std::string::npos);
  CHECK(quantity(bytes_field(1, "")) == kUnknown);
  CHECK(quantity(bytes_field(1, "\"")) == kUnknown);
  CHECK(quantity(bytes_field(1, std::string(1000, '1'))) == kUnknown);
}

TEST_CASE("what the schema does not know is told apart from what is no protobuf") {
  CHECK(config_map_json(kEmptyMeta + number_field(5, 1)) == kUnknown);
  CHECK(config_map_json(kEmptyMeta + number_field(100000, 1)) == kUnknown);
  CHECK(config_map_json(kEmptyMeta + bytes_field(4, "")) == kUnknown);
  CHECK(config_map_json(bytes_field(1, number_field(1, 7))) == kUnknown);
  // Twice, or not in the order in which Kubernetes writes.
  CHECK(config_map_json(number_field(4, 1) + number_field(4, 1)) == kUnknown);
  CHECK(config_map_json(kEmptyMeta + number_field(4, 1) + map_entry(2, "a", "1")) == kUnknown);
  CHECK(config_map_json(kEmptyMeta + map_entry(2, "b", "1") + map_entry(2, "a", "1")) == kUnknown);
  CHECK(config_map_json(kEmptyMeta + map_entry(2, "a", "1") + map_entry(2, "a", "1")) == kUnknown);
  CHECK(config_map_json(bytes_field(1, bytes_field(3, "x") + bytes_field(1, "y"))) == kUnknown);
  CHECK(config_map_json(kEmptyMeta + bytes_field(2, bytes_field(1, "a") + bytes_field(2, "b") + bytes_field(3, "c"))) ==
        kUnknown);
  CHECK(config_map_json("\x0a") == kMalformed);
  CHECK(config_map_json("\x0a\x05") == kMalformed);
  CHECK(config_map_json(std::string("\x0a") + varint(~std::uint64_t{0})) == kMalformed);
  CHECK(config_map_json("\x80") == kMalformed);
  CHECK(config_map_json(kEmptyMeta + "\x20") == kMalformed);
}

TEST_CASE("cut at any place, a message is another one, or malformed, or not known") {
  const std::string whole = object_meta("a", "1", map_entry(11, "app", "web")) +
                            map_entry(2, "key", std::string(200, 'v')) + map_entry(3, "x", "bytes") +
                            number_field(4, 1);
  const Message& message = message_of("v1", "ConfigMap");
  REQUIRE(decode(message, whole).outcome == DecodeOutcome::done);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) decode(message, whole.substr(0, cut));
  std::string changed = whole;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bits : {1, 2, 4, 8, 0x80, 0xff}) {
      changed[at] = static_cast<char>(whole[at] ^ bits);
      decode(message, changed);
    }
    changed[at] = whole[at];
  }
}

TEST_CASE("nesting is bounded") {
  std::string schema;
  for (int i = 0; i < 100; ++i) schema = bytes_field(28, schema);
  const Message& message = message_of("apiextensions.k8s.io/v1", "CustomResourceDefinition");
  DecodeOptions options;
  // The object, spec, versions, its element, schema, openAPIV3Schema, and a hundred times "not".
  options.max_depth = 106;
  CHECK(decode(message, crd(schema), options).outcome == DecodeOutcome::done);
  options.max_depth = 105;
  CHECK(decode(message, crd(schema), options).outcome == DecodeOutcome::too_deep);
  options.max_depth = 8;
  CHECK(decode(message, crd(bytes_field(8, bytes_field(1, "[[]]"))), options).outcome == DecodeOutcome::done);
  options.max_depth = 7;
  CHECK(decode(message, crd(bytes_field(8, bytes_field(1, "[[]]"))), options).outcome == DecodeOutcome::too_deep);
  CHECK(decode(message, crd(bytes_field(8, bytes_field(1, "[[]"))), options).outcome == DecodeOutcome::unknown);
  for (int i = 0; i < 20000; ++i) schema = bytes_field(28, schema);
  CHECK(decode(message, crd(schema)).outcome == DecodeOutcome::too_deep);
}

TEST_CASE("the JSON is bounded, however much of it a byte makes") {
  DecodeOptions options;
  options.max_size = 1000;
  const Message& message = message_of("v1", "ConfigMap");
  const std::string just = kEmptyMeta + map_entry(2, "k", std::string(1000 - 31, 'x'));
  CHECK(decode(message, just, options).outcome == DecodeOutcome::done);
  CHECK(decode(message, just, options).text.size() == 1000);
  options.max_size = 999;
  CHECK(decode(message, just, options).outcome == DecodeOutcome::too_large);
  // Empty containers: two bytes each become thirty.
  std::string containers;
  for (int i = 0; i < 100000; ++i) containers += bytes_field(2, "");
  CHECK(decode(message_of("v1", "Pod"), bytes_field(2, containers), options).outcome == DecodeOutcome::too_large);
  CHECK(decode(message_of("v1", "Pod"), bytes_field(2, containers)).outcome == DecodeOutcome::done);
  CHECK(decode(message, kEmptyMeta + map_entry(2, "k", std::string(100000, '\x01')), options).outcome ==
        DecodeOutcome::too_large);
}

TEST_CASE("base64 and JSON in a message are bounded, too") {
  DecodeOptions options;
  options.max_size = 10000;
  CHECK(
      decode(message_of("v1", "ConfigMap"), kEmptyMeta + map_entry(3, "k", std::string(9000, 'x')), options).outcome ==
      DecodeOutcome::too_large);
  const std::string json = '"' + std::string(9000, '<') + '"';
  CHECK(decode(message_of("apps/v1", "ControllerRevision"), kEmptyMeta + bytes_field(2, bytes_field(1, json)), options)
            .outcome == DecodeOutcome::too_large);
  options.max_size = 60000;
  CHECK(decode(message_of("apps/v1", "ControllerRevision"), kEmptyMeta + bytes_field(2, bytes_field(1, json)), options)
            .outcome == DecodeOutcome::done);
}

TEST_CASE("managedFields are left out unless they are kept") {
  const std::string entry = bytes_field(1, "kubectl") + bytes_field(2, "Apply") + bytes_field(3, "v1") +
                            bytes_field(6, "FieldsV1") + bytes_field(7, bytes_field(1, R"({"f:a":{}})"));
  const std::string object = object_meta("a", "1", bytes_field(17, entry) + bytes_field(17, entry));
  const Message& message = message_of("v1", "ConfigMap");
  CHECK(decode(message, object).text.find("managedFields") == std::string::npos);
  DecodeOptions options;
  options.keep_managed_fields = true;
  CHECK(decode(message, object, options)
            .text.find(R"("managedFields":[{"manager":"kubectl","operation":"Apply",)"
                       R"("apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}},{)") != std::string::npos);
  // Those of a template are a part of the object's spec.
  const std::string meta = bytes_field(1, bytes_field(17, entry));
  CHECK(json_of("v1", "PodTemplate", bytes_field(2, meta)).find(R"("template":{"metadata":{"managedFields":[)") !=
        std::string::npos);
}

TEST_CASE("fields that are not known can be skipped") {
  DecodeOptions options;
  options.skip_unknown_fields = true;
  const Message& message = message_of("v1", "ConfigMap");
  const Decoded decoded =
      decode(message, kEmptyMeta + number_field(4, 1) + number_field(90, 1) + bytes_field(91, "x"), options);
  CHECK(decoded.outcome == DecodeOutcome::done);
  CHECK(decoded.text == R"({"metadata":{},"immutable":true})");
  CHECK(decode(message, kEmptyMeta + bytes_field(91, "x") + "\x07", options).outcome != DecodeOutcome::done);
}

TEST_CASE("a field that is taken out of the table is noticed") {
  const Schema& whole = built_in_schema();
  std::vector<NumberRow> numbers(whole.numbers, whole.numbers + whole.number_count);
  Schema schema = whole;
  schema.numbers = numbers.data();
  const Message& message = message_of("v1", "ConfigMap");
  numbers[message.numbers + 4] = {};
  ObjectDecoder decoder(schema, {});
  CHECK(decoder.decode(message, "", kEmptyMeta + map_entry(2, "a", "1")) == DecodeOutcome::done);
  CHECK(decoder.decode(message, "", kEmptyMeta + number_field(4, 1)) == DecodeOutcome::unknown);
  CHECK(decoder.text().empty());
  CHECK(decoder.problem().find("field 4 of message") == 0);
  CHECK(decoder.decode(message, "", kEmptyMeta) == DecodeOutcome::done);
  CHECK(decoder.problem().empty());
}
