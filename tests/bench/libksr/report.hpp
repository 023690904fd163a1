// `Report` is the result of a case, as one line of JSON; used by main and the cases. On the main thread.
#pragma once

#include <cstdint>
#include <string>

namespace ksr::bench {

class Report {
 public:
  void add(const char* name, double value);
  void add(const char* name, std::uint64_t value);
  void add(const char* name, const std::string& value);
  void add_json(const char* name, const std::string& json);
  void print() const;

 private:
  std::string members_;
};

}  // namespace ksr::bench
