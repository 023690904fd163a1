#include "plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* ISO C has no conversion from an object pointer to a function pointer; POSIX has both of one size. */
static int find(void* library, const char* name, void* slot) {
  void* symbol = dlsym(library, name);
  if (symbol == NULL) {
    fprintf(stderr, "plugin-host: the library has no %s\n", name);
    return -1;
  }
  memcpy(slot, &symbol, sizeof symbol);
  return 0;
}

static int find_all(plugin* ksr) {
#define FIND(name) \
  if (find(ksr->library, "ksr_" #name, &ksr->name) != 0) return -1;
  PLUGIN_FUNCTIONS(FIND)
#undef FIND
  return 0;
}

/* A program runs with every library of the same major version that is not older than its header. */
static int fits(const plugin* ksr) {
  const uint32_t loaded = ksr->version();
  if (loaded >> 16 == KSR_VERSION >> 16 && loaded >= KSR_VERSION) return 1;
  fprintf(stderr, "plugin-host: libksr %s does not fit the header of 0x%06x\n", ksr->version_string(),
          (unsigned)KSR_VERSION);
  return 0;
}

int plugin_load(plugin* ksr, const char* file) {
  /* RTLD_LOCAL: no symbol of the library can replace one of the host or of another plugin. */
  ksr->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (ksr->library == NULL) {
    fprintf(stderr, "plugin-host: %s\n", dlerror());
    return -1;
  }
  if (find_all(ksr) == 0 && fits(ksr)) return 0;
  plugin_unload(ksr);
  return -1;
}

int plugin_unload(plugin* ksr) {
  const int failed = dlclose(ksr->library);
  memset(ksr, 0, sizeof *ksr);
  return failed;
}
