#include "protobuf/schema.hpp"

#include <algorithm>

#include <array>
#include <cstddef>

namespace ksr::protobuf {
namespace {

struct MessageRow {
  std::uint32_t first_field;
  std::uint8_t field_count;
  Shape shape;
};
using K = Kind;
using R = Role;

#include "protobuf/schema_table.inc"

constexpr std::size_t kFieldCount = std::size(kFields);
constexpr std::size_t kMessageCount = std::size(kMessageRows);

constexpr std::uint8_t max_number(const MessageRow& row) {
  std::uint8_t max = 0;
  for (std::uint32_t i = 0; i < row.field_count; ++i) {
    const unsigned number = kFields[row.first_field + i].number();
    if (number > max) max = static_cast<std::uint8_t>(number);
  }
  return max;
}

constexpr std::size_t count_numbers() {
  std::size_t count = 0;
  for (const MessageRow& row : kMessageRows) count += max_number(row) + std::size_t{1};
  return count;
}

struct Derived {
  std::array<Message, kMessageCount> messages{};
  std::array<NumberRow, count_numbers()> numbers{};
};

constexpr Derived derive() {
  Derived derived;
  std::uint32_t numbers = 0;
  for (std::size_t i = 0; i < kMessageCount; ++i) {
    const MessageRow& row = kMessageRows[i];
    Message& message = derived.messages[i];
    message.first_field = row.first_field;
    message.field_count = row.field_count;
    message.shape = row.shape;
    message.numbers = numbers;
    message.max_number = max_number(row);
    unsigned last = 0;
    for (std::uint32_t index = 0; index < row.field_count; ++index) {
      const Field& field = kFields[row.first_field + index];
      if (field.zero != 0) message.zero_mask |= std::uint64_t{1} << index;
      if (field.tag == 0) continue;
      if (field.number() < last) message.ordered = false;
      last = field.number();
      NumberRow& number = derived.numbers[numbers + field.number()];
      number.tag = field.tag;
      number.index = static_cast<std::uint8_t>(index + 1);
      number.flags = field.flags;
      const bool several = (field.flags & (kRepeated | kMap)) != 0;
      if (field.kind == Kind::text && !several && field.role == Role::none) number.flags |= kPlainText;
    }
    numbers += message.max_number + std::uint32_t{1};
  }
  return derived;
}

constexpr Derived kDerived = derive();

constexpr Schema kSchema = {
    kFields,
    kDerived.messages.data(),
    kDerived.numbers.data(),
    kTexts,
    kZeros,
    kZeroTexts,
    kKinds,
    static_cast<std::uint32_t>(kFieldCount),
    static_cast<std::uint32_t>(kMessageCount),
    static_cast<std::uint32_t>(kDerived.numbers.size()),
    static_cast<std::uint32_t>(std::size(kKinds)),
};

// Below zero: "API_VERSION KIND" comes before `row`.
int compare(std::string_view api_version, std::string_view kind, std::string_view row) noexcept {
  if (const int order = api_version.compare(row.substr(0, api_version.size())); order != 0) return order;
  row.remove_prefix(api_version.size());
  if (row.empty()) return 1;
  if (row.front() != ' ') return ' ' < row.front() ? -1 : 1;
  return kind.compare(row.substr(1));
}

}  // namespace

const KindRow* Schema::find(std::string_view api_version, std::string_view kind) const noexcept {
  std::uint32_t begin = 0;
  std::uint32_t end = kind_count;
  while (begin < end) {
    const std::uint32_t middle = begin + (end - begin) / 2;
    const KindRow& row = kinds[middle];
    const int order = compare(api_version, kind, std::string_view(texts + row.text, row.size));
    if (order == 0) return &row;
    if (order < 0) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return nullptr;
}

const Schema& built_in_schema() noexcept {
  return kSchema;
}

bool knows(std::string_view api_version, std::string_view kind) noexcept {
  return kSchema.find(api_version, kind) != nullptr;
}

bool knows_version(std::string_view api_version) noexcept {
  return std::any_of(kSchema.kinds, kSchema.kinds + kSchema.kind_count, [&](const KindRow& row) {
    const std::string_view text(kSchema.texts + row.text, row.size);
    return text.size() > api_version.size() && text[api_version.size()] == ' ' &&
           text.substr(0, api_version.size()) == api_version;
  });
}

}  // namespace ksr::protobuf
