#include "commands/arguments.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "commands/usage_error.hpp"

extern "C" {
#include "setting.h"
}

namespace ksr::commands {
namespace {

constexpr std::array<std::pair<Command, const char*>, 13> kCommands{{{Command::watch, "watch"},
                                                                     {Command::get, "get"},
                                                                     {Command::create, "create"},
                                                                     {Command::apply, "apply"},
                                                                     {Command::remove, "delete"},
                                                                     {Command::patch, "patch"},
                                                                     {Command::raw, "raw"},
                                                                     {Command::can_i, "can-i"},
                                                                     {Command::logs, "logs"},
                                                                     {Command::exec, "exec"},
                                                                     {Command::attach, "attach"},
                                                                     {Command::port_forward, "port-forward"},
                                                                     {Command::wait, "wait"}}};

constexpr unsigned bit(Command command) {
  return 1u << static_cast<unsigned>(command);
}

constexpr unsigned kAny = ~0u;
constexpr unsigned kGet = bit(Command::get);
constexpr unsigned kSend = bit(Command::create) | bit(Command::apply);
constexpr unsigned kDelete = bit(Command::remove);
constexpr unsigned kPatch = bit(Command::patch);
constexpr unsigned kRaw = bit(Command::raw);
constexpr unsigned kCanI = bit(Command::can_i);
constexpr unsigned kLogs = bit(Command::logs);
constexpr unsigned kStreams = bit(Command::exec) | bit(Command::attach);
constexpr unsigned kPortForward = bit(Command::port_forward);
constexpr unsigned kWait = bit(Command::wait);
constexpr unsigned kWrites = kSend | kDelete | kPatch;

enum class Takes : std::uint8_t {
  value,
  // --name is --name=true.
  nothing,
  // Only with "=".
  value_or_nothing,
};

struct Option {
  const char* name;
  char letter;
  Takes takes;
  unsigned commands;
  // Of ksr_config; NULL: the command asks for it.
  const char* key;
};

constexpr Option kOptions[] = {
    {"--kubeconfig", 0, Takes::value, kAny, "kubeconfig"},
    {"--context", 0, Takes::value, kAny, "context"},
    {"--server", 's', Takes::value, kAny, "server"},
    {"--token", 0, Takes::value, kAny, "token"},
    {"--token-file", 0, Takes::value, kAny, "token_file"},
    {"--username", 0, Takes::value, kAny, "username"},
    {"--password", 0, Takes::value, kAny, "password"},
    {"--certificate-authority", 0, Takes::value, kAny, "ca_file"},
    {"--ca-file", 0, Takes::value, kAny, "ca_file"},
    {"--client-certificate", 0, Takes::value, kAny, "client_cert_file"},
    {"--client-cert", 0, Takes::value, kAny, "client_cert_file"},
    {"--client-key", 0, Takes::value, kAny, "client_key_file"},
    {"--tls-server-name", 0, Takes::value, kAny, "tls_server_name"},
    {"--insecure-skip-tls-verify", 0, Takes::nothing, kAny, "insecure_skip_tls_verify"},
    {"--as", 0, Takes::value, kAny, "impersonate_user"},
    {"--as-uid", 0, Takes::value, kAny, "impersonate_uid"},
    {"--as-group", 0, Takes::value, kAny, nullptr},
    {"--as-user-extra", 0, Takes::value, kAny, nullptr},
    {"--set", 0, Takes::value, kAny, nullptr},
    {"--namespace", 'n', Takes::value, kAny, nullptr},
    {"--request-timeout", 0, Takes::value, kAny, nullptr},
    {"--log", 0, Takes::nothing, kAny, nullptr},
    {"--help", 'h', Takes::nothing, kAny, nullptr},
    {"--version", 0, Takes::nothing, kAny, nullptr},

    {"--output", 'o', Takes::value, kGet | kWrites | kWait, nullptr},
    {"--filename", 'f', Takes::value, kGet | kWrites | kRaw | kWait, nullptr},
    {"--recursive", 'R', Takes::nothing, kGet | kWrites | kWait, nullptr},
    {"--all-namespaces", 'A', Takes::nothing, kGet | kDelete | kCanI | kWait, nullptr},
    {"--selector", 'l', Takes::value, kGet | kDelete | kLogs | kWait, nullptr},
    {"--field-selector", 0, Takes::value, kGet | kDelete | kWait, nullptr},
    {"--ignore-not-found", 0, Takes::nothing, kGet | kDelete, nullptr},
    {"--subresource", 0, Takes::value, kGet | kPatch | bit(Command::apply) | kCanI, nullptr},
    {"--show-managed-fields", 0, Takes::nothing, kGet | kSend | kPatch | kWait, nullptr},
    {"--no-headers", 0, Takes::nothing, kGet, nullptr},
    {"--show-kind", 0, Takes::nothing, kGet, nullptr},
    {"--show-labels", 0, Takes::nothing, kGet, nullptr},
    {"--label-columns", 'L', Takes::value, kGet, nullptr},
    {"--sort-by", 0, Takes::value, kGet, nullptr},
    {"--chunk-size", 0, Takes::value, kGet, nullptr},
    {"--raw", 0, Takes::value, kGet, nullptr},
    {"--watch", 'w', Takes::nothing, kGet, nullptr},
    // With --watch alone: those of ksr watch.
    {"--once", 0, Takes::nothing, kGet, nullptr},
    {"--seconds", 0, Takes::value, kGet, nullptr},
    {"--limit", 0, Takes::value, kGet, nullptr},
    {"--columns", 0, Takes::value, kGet, nullptr},
    {"--transport", 0, Takes::value, kGet, nullptr},

    {"--dry-run", 0, Takes::value_or_nothing, kWrites, nullptr},
    {"--field-manager", 0, Takes::value, kSend | kPatch, nullptr},
    {"--validate", 0, Takes::value_or_nothing, kSend, nullptr},
    {"--server-side", 0, Takes::nothing, bit(Command::apply), nullptr},
    {"--force-conflicts", 0, Takes::nothing, bit(Command::apply), nullptr},

    {"--all", 0, Takes::nothing, kDelete | kWait, nullptr},
    {"--cascade", 0, Takes::value_or_nothing, kDelete, nullptr},
    {"--grace-period", 0, Takes::value, kDelete, nullptr},
    {"--now", 0, Takes::nothing, kDelete, nullptr},
    {"--force", 0, Takes::nothing, kDelete, nullptr},
    {"--wait", 0, Takes::nothing, kDelete, nullptr},
    {"--timeout", 0, Takes::value, kDelete | kWait, nullptr},

    {"--for", 0, Takes::value, kWait, nullptr},

    {"--patch", 'p', Takes::value, kPatch, nullptr},
    {"--patch-file", 0, Takes::value, kPatch, nullptr},
    {"--type", 0, Takes::value, kPatch, nullptr},

    {"--method", 'X', Takes::value, kRaw, nullptr},
    {"--quiet", 'q', Takes::nothing, kCanI | kStreams, nullptr},

    {"--container", 'c', Takes::value, kLogs | kStreams, nullptr},
    {"--follow", 'f', Takes::nothing, kLogs, nullptr},
    {"--previous", 'p', Takes::nothing, kLogs, nullptr},
    {"--timestamps", 0, Takes::nothing, kLogs, nullptr},
    {"--all-containers", 0, Takes::nothing, kLogs, nullptr},
    {"--prefix", 0, Takes::nothing, kLogs, nullptr},
    {"--follow-restarts", 0, Takes::nothing, kLogs, nullptr},
    {"--insecure-skip-tls-verify-backend", 0, Takes::nothing, kLogs, nullptr},
    {"--since", 0, Takes::value, kLogs, nullptr},
    {"--since-time", 0, Takes::value, kLogs, nullptr},
    {"--tail", 0, Takes::value, kLogs, nullptr},
    {"--limit-bytes", 0, Takes::value, kLogs, nullptr},

    {"--stdin", 'i', Takes::nothing, kStreams, nullptr},
    {"--tty", 't', Takes::nothing, kStreams, nullptr},

    {"--address", 0, Takes::value, kPortForward, nullptr},
    {"--pod-running-timeout", 0, Takes::value, kPortForward, nullptr},
};

const Option* find_option(std::string_view name) {
  const auto is_it = [name](const Option& option) { return name == option.name; };
  const auto found = std::find_if(std::begin(kOptions), std::end(kOptions), is_it);
  return found == std::end(kOptions) ? nullptr : found;
}

// A letter means what it means to the command.
const Option* find_option(char letter, Command command) {
  const Option* other = nullptr;
  for (const Option& option : kOptions) {
    if (option.letter != letter) continue;
    if ((option.commands & bit(command)) != 0) return &option;
    if (other == nullptr) other = &option;
  }
  return other;
}

// Go's strconv.ParseBool; another text stays as it is.
std::string plain_boolean(const std::string& text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "True"}) {
    if (text == yes) return "true";
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "False"}) {
    if (text == no) return "false";
  }
  return text;
}

}  // namespace

const char* name_of(Command command) {
  for (const auto& [known, name] : kCommands) {
    if (known == command) return name;
  }
  return "";
}

Command command_named(std::string_view name) {
  for (const auto& [command, known] : kCommands) {
    if (name == known) return command;
  }
  return Command::none;
}

class Arguments::Reader {
 public:
  Reader(int argc, char** argv, Arguments& arguments) : argc_(argc), argv_(argv), arguments_(arguments) {}

  Expected<void> read() {
    Expected<void> outcome = read_all();
    // ksr-watch reads them itself.
    if (arguments_.command == Command::watch) return outcome;
    for (char* secret : secrets_) std::memset(secret, '*', std::strlen(secret));
    return outcome;
  }

 private:
  Expected<void> read_all() {
    bool only_words = false;
    while (next_ < argc_) {
      char* const argument = argv_[next_++];
      const bool is_option = !only_words && argument[0] == '-' && argument[1] != '\0';
      if (is_option && std::strcmp(argument, "--") == 0) {
        only_words = true;
        arguments_.words_before_dashes = arguments_.words.size();
      } else if (is_option) {
        if (Expected<void> read = read_option(argument); !read) return read;
      } else if (arguments_.command != Command::none) {
        arguments_.words.emplace_back(argument);
      } else {
        if (Expected<void> taken = take_command(argument); !taken) return taken;
        if (arguments_.command == Command::watch) return {};
      }
    }
    return check_options();
  }

  Expected<void> take_command(char* argument) {
    // kubectl's `auth can-i`.
    if (std::strcmp(argument, "auth") == 0 && next_ < argc_ && std::strcmp(argv_[next_], "can-i") == 0) {
      argument = argv_[next_++];
    }
    arguments_.command = command_named(argument);
    if (arguments_.command == Command::none) return usage_error("unknown command " + in_quotes(argument));
    if (arguments_.command != Command::watch) return {};
    // The options before the command are for ksr-watch too.
    for (int i = 0; i < argc_; ++i) {
      if (i == 0 || argv_[i] != argument) arguments_.watch_argv.push_back(argv_[i]);
    }
    arguments_.watch_argv.push_back(nullptr);
    return {};
  }

  // --name, --name=value, --name value.
  Expected<void> read_option(char* argument) {
    if (argument[1] != '-') return read_letters(argument + 1);
    char* const equals = std::strchr(argument, '=');
    const std::string_view name(argument, equals ? static_cast<std::size_t>(equals - argument) : std::strlen(argument));
    const Option* option = find_option(name);
    if (option == nullptr) return usage_error("unknown flag: " + one_line(name));
    char* value = equals ? equals + 1 : nullptr;
    if (value == nullptr && option->takes == Takes::value) {
      if (next_ >= argc_) return usage_error("flag needs an argument: " + std::string(name));
      value = argv_[next_++];
    }
    seen_.push_back(option);
    return keep(*option, value);
  }

  // -x value, -xvalue, -x=value, -xy.
  Expected<void> read_letters(char* letters) {
    for (char* at = letters; *at != '\0'; ++at) {
      const std::string name{'-', *at};
      const Option* option = find_option(*at, arguments_.command);
      if (option == nullptr) return usage_error("unknown flag: " + one_line(name));
      seen_.push_back(option);
      // As for pflag, "-x=" has the value "=".
      const bool has_equals = at[1] == '=' && at[2] != '\0';
      if (option->takes == Takes::value) {
        char* value = at + (has_equals ? 2 : 1);
        if (!has_equals && at[1] == '\0') {
          if (next_ >= argc_) return usage_error("flag needs an argument: " + name);
          value = argv_[next_++];
        }
        return keep(*option, value);
      }
      if (has_equals) return keep(*option, at + 2);
      if (Expected<void> kept = keep(*option, nullptr); !kept) return kept;
    }
    return {};
  }

  Expected<void> keep(const Option& option, char* value) {
    std::string text = value == nullptr ? (option.takes == Takes::nothing ? "true" : "") : value;
    if (option.takes == Takes::nothing) text = plain_boolean(text);
    if (option.takes == Takes::nothing && text != "true" && text != "false") {
      return usage_error(std::string(option.name) + ": expected true or false");
    }
    const std::string_view name = option.name;
    std::string key = option.key == nullptr ? "" : option.key;
    char* secret = value;
    if (name == "--set") {
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos || equals == 0) return usage_error("--set: expected KEY=VALUE");
      key = text.substr(0, equals);
      text.erase(0, equals + 1);
      secret += equals + 1;
      if (key == "delivery") return usage_error("--set delivery: is chosen by ksr");
    }
    if (setting_is_secret({key.data(), key.size()}) != 0) secrets_.push_back(secret);
    if (!key.empty()) {
      arguments_.settings.push_back({option.name, std::move(key), std::move(text)});
    } else {
      arguments_.values_[option.name].push_back(std::move(text));
    }
    return {};
  }

  Expected<void> check_options() {
    if (arguments_.has("--help") || arguments_.has("--version")) return {};
    for (const Option* option : seen_) {
      if ((option->commands & bit(arguments_.command)) == 0)
        return usage_error("unknown flag: " + std::string(option->name));
    }
    if (arguments_.command == Command::get && !arguments_.flag("--watch")) {
      for (const char* option : {"--once", "--seconds", "--limit", "--columns", "--transport"}) {
        if (arguments_.has(option)) return usage_error(std::string(option) + ": goes with --watch alone");
      }
    }
    struct text groups = {};
    for (const std::string& group : arguments_.all("--as-group")) {
      setting_add_escaped(&groups, {group.data(), group.size()});
    }
    if (groups.len > 0) {
      arguments_.settings.push_back({"--as-group", "impersonate_groups", std::string(groups.at, groups.len)});
    }
    text_free(&groups);
    return add_user_extra();
  }

  // Those of one key, which knows no case, are one list.
  Expected<void> add_user_extra() {
    std::vector<Setting>& settings = arguments_.settings;
    const auto first = static_cast<std::ptrdiff_t>(settings.size());
    for (const std::string& pair : arguments_.all("--as-user-extra")) {
      const std::size_t equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) return usage_error("--as-user-extra: expected KEY=VALUE");
      const std::string key = "impersonate_extra." + pair.substr(0, equals);
      struct text value = {};
      setting_add_escaped(&value, slice_after({pair.data(), pair.size()}, equals + 1));
      const std::string escaped(value.len > 0 ? value.at : "", value.len);
      text_free(&value);
      const auto same = std::find_if(settings.begin() + first, settings.end(),
                                     [&](const Setting& one) { return equal_ignoring_case(one.key, key); });
      if (same == settings.end()) {
        settings.push_back({"--as-user-extra", key, escaped});
      } else {
        same->value += "," + escaped;
      }
    }
    return {};
  }

  const int argc_;
  char** const argv_;
  Arguments& arguments_;
  int next_ = 1;
  std::vector<const Option*> seen_;
  std::vector<char*> secrets_;
};

Expected<Arguments> Arguments::read(int argc, char** argv) {
  Arguments arguments;
  Reader reader(argc, argv, arguments);
  if (Expected<void> read = reader.read(); !read) return read.error();
  return arguments;
}

std::string Arguments::text(std::string_view option, const std::string& otherwise) const {
  const auto found = values_.find(option);
  return found == values_.end() ? otherwise : found->second.back();
}

std::string Arguments::selector(std::string_view option) const {
  return std::string(trimmed(text(option)));
}

bool Arguments::selects() const {
  const auto selects = [this](std::string_view option) {
    return selector(option).find_first_not_of(", \t\r\n") != std::string::npos;
  };
  return selects("--selector") || selects("--field-selector");
}

std::vector<std::string> Arguments::all(std::string_view option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

}  // namespace ksr::commands
