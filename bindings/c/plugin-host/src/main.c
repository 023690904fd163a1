/* Loads libksr as a plugin host does, shows what changes, closes, and unloads.
 *   plugin-host [-l LIBRARY] [-s SECONDS] KEY=VALUE...     such as resource=v1/pods */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "loop.h"
#include "plugin.h"

static int usage(void) {
  fputs("usage: plugin-host [-l LIBRARY] [-s SECONDS] KEY=VALUE...\n", stderr);
  return 2;
}

static int use(const plugin* ksr, char** keys, long seconds) {
  host self;
  int failed;
  printf("loaded libksr %s\n", ksr->version_string());
  if (host_open(&self, ksr, keys) != 0) return 1;
  failed = loop_run(&self, seconds) != 0 || self.failed;
  return host_close(&self) != 0 || failed;
}

int main(int argc, char** argv) {
  const char* file = "libksr.so.0";
  long seconds = 0;
  plugin ksr;
  int failed;
  int option;
  while ((option = getopt(argc, argv, "l:s:")) != -1) {
    char* end = optarg;
    if (option == 'l') file = optarg;
    if (option == 's') seconds = strtol(optarg, &end, 10);
    if (option == '?' || seconds < 0 || (option == 's' && (end == optarg || *end != '\0'))) return usage();
  }
  if (optind == argc) return usage();
  if (plugin_load(&ksr, file) != 0) return 1;
  failed = use(&ksr, argv + optind, seconds);
  if (plugin_unload(&ksr) != 0) return 1;
  puts("unloaded");
  return failed;
}
