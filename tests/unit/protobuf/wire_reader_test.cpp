#include "protobuf/wire_reader.hpp"

#include <doctest/doctest.h>

#include "unit/protobuf/messages.hpp"

using namespace ksr::protobuf;

TEST_CASE("fields of every wire type, in their order") {
  const std::string message = number_field(1, 300) + bytes_field(16, "text") + varint(3 << 3 | 5) +
                              std::string("\x01\x02\x03\x04", 4) + varint(4 << 3 | 1) +
                              std::string("\x08\0\0\0\0\0\0\x80", 8) + number_field(5, ~std::uint64_t{0});
  WireReader reader(message);
  auto field = reader.next();
  REQUIRE(field);
  CHECK(field->number == 1);
  CHECK(field->number_value == 300);
  field = reader.next();
  REQUIRE(field);
  CHECK(field->number == 16);
  CHECK(field->bytes == "text");
  field = reader.next();
  REQUIRE(field);
  CHECK(field->number_value == 0x04030201);
  field = reader.next();
  REQUIRE(field);
  CHECK(field->number_value == 0x8000000000000008);
  field = reader.next();
  REQUIRE(field);
  CHECK(field->number_value == ~std::uint64_t{0});
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.malformed());
}

TEST_CASE("what is no protobuf is malformed, at every cut of a message too") {
  for (const std::string& bytes : {
           std::string("\x07"),       // wire type 7
           std::string("\x0b"),       // a group
           std::string("\0\x01", 2),  // field 0
           std::string("\x08"),       // no value
           std::string("\x08") + std::string(10, '\xff') + "\x01",
           std::string("\x08") + std::string(9, '\xff') + "\x02",  // 65 bits
           std::string("\x0a\x05x"),                               // longer than the message
           std::string("\x0a") + varint(~std::uint64_t{0}), std::string("\x0d\x01\x02\x03"),
           std::string("\xf8\xff\xff\xff\xff\x01\x01"),  // a field number beyond 32 bits
       }) {
    CAPTURE(bytes);
    WireReader reader(bytes);
    CHECK_FALSE(reader.next());
    CHECK(reader.malformed());
    CHECK_FALSE(reader.next());
  }
  const std::string message = number_field(1, 300) + bytes_field(2, "some text");
  for (std::size_t cut = 1; cut < message.size(); ++cut) {
    WireReader reader(std::string_view(message).substr(0, cut));
    while (reader.next()) {
    }
    CHECK(reader.malformed() == (cut != 3));
  }
}

TEST_CASE("the envelope of an object") {
  const std::string body = enveloped("v1", "Pod", "raw bytes");
  Envelope opened;
  CHECK(read_envelope(body, opened) == EnvelopeOutcome::done);
  CHECK(opened.api_version == "v1");
  CHECK(opened.kind == "Pod");
  CHECK(opened.raw == "raw bytes");
  CHECK(has_envelope(enveloped("", "", "")));
  CHECK_FALSE(has_envelope("{}"));
  for (const std::string& bytes : {std::string("{\"kind\":\"Pod\"}"), std::string("k8s\0\x0a", 5),
                                   std::string("k8s\0", 4) + bytes_field(1, "\x0a"), std::string("k8s\0", 4)}) {
    CHECK(read_envelope(bytes, opened) == EnvelopeOutcome::malformed);
  }
  // gzip inside, another encoding, or something new: no server of today sends any.
  for (const std::string& more : {bytes_field(3, "gzip"), bytes_field(4, "application/json"), bytes_field(5, ""),
                                  number_field(4, 0), bytes_field(1, bytes_field(3, "x"))}) {
    CHECK(read_envelope(std::string("k8s\0", 4) + bytes_field(2, "x") + more, opened) == EnvelopeOutcome::unknown);
  }
}
