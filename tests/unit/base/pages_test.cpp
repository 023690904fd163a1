#include "base/pages.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

using namespace ksr;

namespace {

// Pages of their own, each of which is either present or not.
class Mapping {
 public:
  explicit Mapping(std::size_t count) : size_(count * page_size()) {
    begin_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(begin_ != MAP_FAILED);
  }
  ~Mapping() { munmap(begin_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  static std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }
  char* begin() const { return begin_; }
  char* end() const { return begin_ + size_; }
  std::vector<bool> present() const {
    std::vector<unsigned char> found(size_ / page_size());
    REQUIRE(mincore(begin_, size_, found.data()) == 0);
    std::vector<bool> all;
    for (const unsigned char each : found) all.push_back((each & 1) != 0);
    return all;
  }

 private:
  std::size_t size_;
  char* begin_;
};

}  // namespace

TEST_CASE("the pages inside a block are released, and no byte beside it is touched") {
  const std::size_t page = Mapping::page_size();
  const Mapping memory(8);
  std::fill(memory.begin(), memory.end(), 'x');
  // From within the second page into the sixth one.
  char* const block = memory.begin() + page + 100;
  const std::size_t size = 4 * page;
  errno = ENOENT;
  release_pages(block, size);
  CHECK(errno == ENOENT);
  CHECK(memory.present() == std::vector<bool>{true, true, false, false, false, true, true, true});
  CHECK(std::count(memory.begin(), memory.begin() + 2 * page, 'x') == static_cast<std::ptrdiff_t>(2 * page));
  CHECK(std::count(memory.begin() + 5 * page, memory.end(), 'x') == static_cast<std::ptrdiff_t>(3 * page));
  CHECK(std::count(memory.begin() + 2 * page, memory.begin() + 5 * page, 0) == static_cast<std::ptrdiff_t>(3 * page));
}

TEST_CASE("a block without a whole page is left as it is") {
  const std::size_t page = Mapping::page_size();
  const Mapping memory(4);
  std::fill(memory.begin(), memory.end(), 'x');
  for (const std::size_t begin : {std::size_t{0}, std::size_t{1}, page - 1, page + 1}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, page - 1})
      release_pages(memory.begin() + begin, size);
  }
  release_pages(memory.begin() + 1, 2 * page - 2);
  CHECK(std::count(memory.begin(), memory.end(), 'x') == memory.end() - memory.begin());
}

TEST_CASE("populating changes no byte") {
  const std::size_t page = Mapping::page_size();
  const Mapping memory(4);
  std::fill(memory.begin(), memory.begin() + 2 * page, 'x');
  populate_pages(memory.begin() + 1, 3 * page);
  CHECK(std::count(memory.begin(), memory.end(), 'x') == static_cast<std::ptrdiff_t>(2 * page));
  CHECK(std::count(memory.begin(), memory.end(), 0) == static_cast<std::ptrdiff_t>(2 * page));
}
