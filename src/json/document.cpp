#include "json/document.hpp"

#include <cstdint>

#include "json/list_reader.hpp"
#include "json/scanner.hpp"

namespace ksr::json {
namespace {

// Takes note of the first value and skips it.
class FirstValue {
 public:
  bool on_key(const RawText&, std::uint64_t) { return true; }
  bool on_value(ValueKind kind, std::uint64_t, Interest&) {
    if (kind_) return false;
    kind_ = kind;
    return true;
  }
  bool on_value_end(std::uint64_t, const RawText&) { return true; }
  bool on_leave(std::uint64_t) { return true; }
  bool on_comma(std::uint64_t) { return true; }
  bool on_too_deep(std::uint64_t) { return false; }

  std::optional<ValueKind> kind() const noexcept { return kind_; }

 private:
  std::optional<ValueKind> kind_;
};

}  // namespace

std::optional<ValueKind> document_kind(std::string_view text) {
  FirstValue first;
  Scanner<FirstValue> scanner(first, ReaderOptions{}.max_depth);
  if (scanner.feed(text) != Outcome::more) return std::nullopt;
  // A number at the end of the text goes on until something else follows.
  if (scanner.feed("\n") != Outcome::more || !scanner.between_documents()) return std::nullopt;
  if (scanner.take_ill_formed()) return std::nullopt;
  return first.kind();
}

}  // namespace ksr::json
