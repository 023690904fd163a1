// `unescape_json` reads one escape sequence of a JSON string, `unescaped` all that a text has of one kind,
// `json_as_unicode` replaces what stands for no character; used by json, protobuf, request, and by Secrets, which looks
// for a secret in whatever way a peer repeats it. Pure, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ksr {

// One character that is written as an escape sequence.
struct Unescaped {
  char bytes[4];  // UTF-8
  std::size_t size;
  std::size_t
      raw_size;  // of the sequence, both halves of a surrogate pair; may be beyond the end of what is no valid one
};
// `raw` begins with a backslash and another character. A surrogate without its other half is U+FFFD, as for Go's
// decoder. What is not valid JSON yields some character, and is never read past its end.
Unescaped unescape_json(std::string_view raw) noexcept;

// `json` with U+FFFD for each byte that is not part of a character, and \ufffd for each escape of a surrogate without
// its other half, as Go's decoder reads them (encoding/json, unquoteBytes). An API server passes on such text where it
// keeps JSON as it came (RawExtension, FieldsV1). What is valid in its grammar is valid then, and what is not is not.
std::string json_as_unicode(std::string_view json);

// json: RFC 8259, section 7. html: the five named character references of XML, and numbers. percent: RFC 3986, section
// 2.1.
enum class Escaping { json, html, percent };

struct UnescapedText {
  std::string text;
  // Where in the original each byte comes from, and the original's end.
  std::vector<std::size_t> places;
};
// What is no valid sequence stays as it is.
UnescapedText unescaped(std::string_view text, Escaping kind);
// Whether there is anything to do.
bool may_have_escapes(std::string_view text, Escaping kind) noexcept;

}  // namespace ksr
