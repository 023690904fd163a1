// `GroupedLocale` makes 46807 "46.807" for all streams that are made while it lives, as de_DE.UTF-8 does, which need
// not be installed; used by tests. Lives on one thread, while others only format.
#pragma once

#include <locale>
#include <string>

namespace ksr::testing {

class GroupedLocale {
 public:
  GroupedLocale() : before_(std::locale::global(std::locale(std::locale::classic(), new Numbers))) {}
  ~GroupedLocale() { std::locale::global(before_); }
  GroupedLocale(const GroupedLocale&) = delete;
  GroupedLocale& operator=(const GroupedLocale&) = delete;

 private:
  struct Numbers : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
  };

  const std::locale before_;
};

}  // namespace ksr::testing
