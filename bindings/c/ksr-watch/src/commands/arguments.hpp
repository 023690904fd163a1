// `Arguments` is a command line, read but not yet acted upon: the command, its words, its options. Used by main and all
// commands. Main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace ksr::commands {

enum class Command : std::uint8_t {
  none,
  watch,
  get,
  create,
  apply,
  remove,
  patch,
  raw,
  can_i,
  logs,
  exec,
  attach,
  port_forward,
  wait,
};

const char* name_of(Command command);
Command command_named(std::string_view name);

// A configuration key of the library, and the option that has set it.
struct Setting {
  std::string option;
  std::string key;
  std::string value;
};

class Arguments {
 public:
  // Overwrites secrets in `argv`, where other users of the machine could read them. The error is one line that names
  // the option. `ksr watch` is not read beyond its name.
  static Expected<Arguments> read(int argc, char** argv);

  Command command = Command::none;
  // What is not an option, after the command.
  std::vector<std::string> words;
  // How many of them came before "--"; all without one.
  std::optional<std::size_t> words_before_dashes;
  std::vector<Setting> settings;
  // `ksr watch`: what ksr-watch is started with, its name first.
  std::vector<char*> watch_argv;

  bool has(std::string_view option) const { return values_.find(option) != values_.end(); }
  // Where the empty text stands for none, as for kubectl.
  bool has_text(std::string_view option) const { return !text(option).empty(); }
  // The last value; `otherwise` without one.
  std::string text(std::string_view option, const std::string& otherwise = "") const;
  // An option without a value, or with true or false.
  bool flag(std::string_view option) const { return text(option, "false") == "true"; }
  std::vector<std::string> all(std::string_view option) const;
  // Of --selector or --field-selector; empty where it is blank.
  std::string selector(std::string_view option) const;
  // Whether one of them selects. What is blank does not, nor do commas alone, which name no requirement.
  bool selects() const;

 private:
  class Reader;

  // By the long name.
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace ksr::commands
