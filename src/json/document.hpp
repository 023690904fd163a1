// `document_kind` says whether a text is one JSON document, and what it is; used for the bodies of requests and
// responses. Any thread.
#pragma once

#include <optional>
#include <string_view>

#include "json/value_kind.hpp"

namespace ksr::json {

// The kind of the value that `text` is (RFC 8259); empty when it is none, or more than one.
std::optional<ValueKind> document_kind(std::string_view text);

}  // namespace ksr::json
