/* A plugin host that has another OpenSSL: it exports functions with OpenSSL's names, which come before those of every
 * library that is loaded later. A library with an OpenSSL of its own (KSR_OPENSSL=static) never calls them: it lists
 * and watches over TLS. With the argument "expect-abort", for a library that uses the shared OpenSSL: it does call
 * them. */
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

static void refuse(const char* name) {
  fprintf(stderr, "the host's %s was called\n", name);
  abort();
}

#define EXPORT(name)                                      \
  __attribute__((visibility("default"))) void name(void); \
  void name(void) {                                       \
    refuse(#name);                                        \
  }
EXPORT(BIO_free)
EXPORT(BIO_new_mem_buf)
EXPORT(CRYPTO_free)
EXPORT(CRYPTO_malloc)
EXPORT(ERR_clear_error)
EXPORT(ERR_peek_last_error)
EXPORT(ERR_pop_to_mark)
EXPORT(ERR_set_mark)
EXPORT(EVP_PKEY_free)
EXPORT(OPENSSL_init_crypto)
EXPORT(OPENSSL_init_ssl)
EXPORT(OpenSSL_version)
EXPORT(PEM_read_bio_X509)
EXPORT(SSL_CTX_free)
EXPORT(SSL_CTX_new)
EXPORT(SSL_connect)
EXPORT(SSL_do_handshake)
EXPORT(SSL_free)
EXPORT(SSL_new)
EXPORT(SSL_read)
EXPORT(SSL_write)
EXPORT(TLS_client_method)
EXPORT(X509_STORE_add_cert)
EXPORT(X509_free)

static struct {
  const char* (*build_info)(void);
  ksr_status (*config_new)(ksr_config**);
  ksr_status (*config_set)(ksr_config*, const char*, const char*, ksr_error**);
  void (*config_free)(ksr_config*);
  const char* (*error_message)(const ksr_error*, size_t*);
  ksr_status (*open)(const ksr_config*, void*, ksr_destroy_fn, ksr_stream**, ksr_error**);
  ksr_status (*close)(ksr_stream*);
  ksr_status (*wait_synced)(ksr_stream*, int64_t);
  const ksr_snapshot* (*latest)(ksr_stream*);
  size_t (*snapshot_count)(const ksr_snapshot*);
  void (*snapshot_release)(const ksr_snapshot*);
} loaded;
/* ISO C has no cast from an object pointer to a function; POSIX asks for this one. */
#define RESOLVE(name) CHECK((*(void**)(&loaded.name) = dlsym(library, "ksr_" #name)) != NULL)
static void load(void) {
  void* library = dlopen(host_env("KSR_TEST_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  RESOLVE(build_info);
  RESOLVE(config_new);
  RESOLVE(config_set);
  RESOLVE(config_free);
  RESOLVE(error_message);
  RESOLVE(open);
  RESOLVE(close);
  RESOLVE(wait_synced);
  RESOLVE(latest);
  RESOLVE(snapshot_count);
  RESOLVE(snapshot_release);
}
#define ksr_config_new loaded.config_new
#define ksr_config_set loaded.config_set
#define ksr_error_message loaded.error_message
#define ksr_open loaded.open
#include "open.h"

static void list_and_watch(const char* transport) {
  ksr_config* config = host_config(transport);
  ksr_stream* stream = host_open(config, NULL, NULL);
  loaded.config_free(config);
  CHECK(loaded.wait_synced(stream, HOST_WAIT_MS) == KSR_OK);
  const ksr_snapshot* snapshot = loaded.latest(stream);
  CHECK(snapshot != NULL);
  CHECK(loaded.snapshot_count(snapshot) == 20);
  loaded.snapshot_release(snapshot);
  CHECK(loaded.close(stream) == KSR_OK);
}

static void use_library(void) {
  load();
  CHECK(strncmp(host_env("KSR_TEST_SERVER"), "https://", 8) == 0);
  list_and_watch("http");
  list_and_watch("websocket");
  CHECK(strstr(loaded.build_info(), "\"linked\":\"static\"") != NULL);
}

static void expect_abort(void) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    use_library();
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "expect-abort") == 0) {
    expect_abort();
  } else {
    use_library();
  }
  return 0;
}
