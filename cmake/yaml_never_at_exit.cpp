// Stands in for __cxa_atexit within yaml-cpp, see KsrYaml.cmake.
extern "C" int ksr_yaml_never_at_exit(void (*)(void*), void*, void*) {
  return 0;
}
