#include "protobuf/schema.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ksr::protobuf;

TEST_CASE("types that are known, as objects and as lists") {
  for (const char* kind : {"Pod", "PodList", "ConfigMap", "Event", "Node", "Secret", "ComponentStatus", "Status"}) {
    CHECK_MESSAGE(knows("v1", kind), kind);
  }
  CHECK(knows("apps/v1", "Deployment"));
  CHECK(knows("apps/v1", "DeploymentList"));
  CHECK(knows("events.k8s.io/v1", "Event"));
  CHECK(knows("coordination.k8s.io/v1", "Lease"));
  CHECK(knows("apiextensions.k8s.io/v1", "CustomResourceDefinition"));
  CHECK(knows("apiextensions.k8s.io/v1", "CustomResourceDefinitionList"));
  CHECK(knows("apiregistration.k8s.io/v1", "APIService"));
  CHECK(knows("meta.k8s.io/v1", "PartialObjectMetadata"));
  CHECK(knows("meta.k8s.io/v1", "PartialObjectMetadataList"));
}

TEST_CASE("types that are not") {
  CHECK_FALSE(knows("", ""));
  CHECK_FALSE(knows("v1", ""));
  CHECK_FALSE(knows("", "Pod"));
  CHECK_FALSE(knows("v1", "Po"));
  CHECK_FALSE(knows("v1", "Pods"));
  CHECK_FALSE(knows("apps/v1", "Pod"));
  CHECK_FALSE(knows("example.com/v1", "Widget"));
  CHECK_FALSE(knows("v1", "List"));
  CHECK_FALSE(knows("meta.k8s.io/v1", "Table"));
  CHECK_FALSE(knows("zzz/v1", "Zzz"));
}

TEST_CASE("the table is consistent") {
  const Schema& schema = built_in_schema();
  REQUIRE(schema.message_count > 900);
  std::uint32_t fields = 0;
  for (std::uint32_t i = 0; i < schema.message_count; ++i) {
    const Message& message = schema.messages[i];
    CHECK(message.first_field == fields);
    fields += message.field_count;
    REQUIRE(message.numbers + message.max_number < schema.number_count);
    for (std::uint32_t at = 0; at < message.field_count; ++at) {
      const Field& field = schema.fields[message.first_field + at];
      CHECK(field.message < schema.message_count);
      CHECK((field.kind == Kind::inline_message) == (field.key_size == 0));
      if (field.tag == 0) continue;
      CHECK(schema.numbers[message.numbers + field.number()].tag == field.tag);
      CHECK(schema.numbers[message.numbers + field.number()].index == at + 1);
    }
  }
  CHECK(fields == schema.field_count);
  std::string last;
  for (std::uint32_t i = 0; i < schema.kind_count; ++i) {
    const KindRow& row = schema.kinds[i];
    const std::string text(schema.texts + row.text, row.size);
    CHECK(last < text);
    last = text;
    const std::size_t blank = text.find(' ');
    CHECK(schema.find(text.substr(0, blank), text.substr(blank + 1)) == &row);
  }
}
