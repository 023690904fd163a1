// Loads libksr as a plugin host does, shows what changes, closes, and unloads: bindings/c/plugin-host with ksr.hpp.
//   plugin-host [-l LIBRARY] [-s SECONDS] KEY=VALUE...     such as resource=v1/pods
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "host.hpp"

namespace {

int usage() {
  std::cerr << "usage: plugin-host [-l LIBRARY] [-s SECONDS] KEY=VALUE..." << std::endl;
  return 2;
}

// Of the libraries that are loaded one fits; no stream may be open when it is unloaded.
bool use(void* library, char** keys, long seconds) {
  try {
    ksr::load_functions([library](const char* name) { return dlsym(library, name); });
    std::cout << "loaded libksr " << ksr::version_string() << std::endl;
    Host host(keys);
    const bool ran = host.run(seconds);
    return host.close() && ran;
  } catch (const std::exception& failure) {
    std::cerr << "plugin-host: " << failure.what() << std::endl;
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* file = "libksr.so.0";
  long seconds = 0;
  for (int option = 0; (option = getopt(argc, argv, "l:s:")) != -1;) {
    char* end = optarg;
    if (option == 'l') file = optarg;
    if (option == 's') seconds = std::strtol(optarg, &end, 10);
    if (option == '?' || seconds < 0 || (option == 's' && (end == optarg || *end != '\0'))) return usage();
  }
  if (optind == argc) return usage();
  // RTLD_LOCAL: no symbol of the library can replace one of the host or of another plugin.
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::cerr << "plugin-host: " << dlerror() << std::endl;
    return 1;
  }
  const bool succeeded = use(library, argv + optind, seconds);
  if (dlclose(library) != 0) return 1;
  if (succeeded) std::cout << "unloaded" << std::endl;
  return succeeded ? 0 : 1;
}
