#include "cluster/bounded_json.hpp"

#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

struct BeyondBounds : std::runtime_error {
  BeyondBounds() : std::runtime_error("JSON is too large") {}
};

// Counts all that is asked for, whether or not it was given back, while text is parsed: what the caller does with the
// values, of which copies are made in the same resource, is its own affair.
class BoundedResource final : public boost::json::memory_resource {
 public:
  explicit BoundedResource(std::shared_ptr<std::size_t> left) : left_(std::move(left)) {}

 private:
  // Boost.JSON asks for no more than any object's alignment, and gives keys back with another one than it asked for.
  void* do_allocate(std::size_t size, std::size_t) override {
    if (size > *left_) throw BeyondBounds();
    *left_ -= size;
    return ::operator new(size);
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override { ::operator delete(memory); }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  const std::shared_ptr<std::size_t> left_;
};

}  // namespace

std::optional<boost::json::value> parse_bounded_json(std::string_view text, std::size_t max_memory) {
  const std::string_view json = without_byte_order_mark(text);
  try {
    boost::system::error_code failure;
    const auto left = std::make_shared<std::size_t>(max_memory);
    boost::json::value value = boost::json::parse(boost::json::string_view(json.data(), json.size()), failure,
                                                  boost::json::make_shared_resource<BoundedResource>(left));
    if (failure) return std::nullopt;
    *left = std::numeric_limits<std::size_t>::max();
    return value;
  } catch (const BeyondBounds&) {
    return std::nullopt;
  }
}

}  // namespace ksr::cluster
