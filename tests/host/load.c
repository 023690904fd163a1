/* A plugin host that loads and unloads the library without a call: nothing may happen, at load or at exit. */
#include <dlfcn.h>

#include "host.h"

int main(void) {
  const int threads = host_count("/proc/self/task");
  const int descriptors = host_count("/proc/self/fd");
  void* library = dlopen(host_env("KSR_TEST_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  CHECK(host_count("/proc/self/task") == threads);
  CHECK(host_count("/proc/self/fd") == descriptors);
  CHECK(dlclose(library) == 0);
  return 0;
}
