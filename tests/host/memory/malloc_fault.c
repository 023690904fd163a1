/* Interposes the C library's allocator for the program and for every library in it. glibc exports its own functions as
 * __libc_malloc etc. for that purpose. */
#include "malloc_fault.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* memory, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);

void* memalign(size_t alignment, size_t size);

static atomic_int counting;
static atomic_long asked;
static atomic_long first_to_fail;
static atomic_long last_to_fail;
static atomic_long called_at;
static void (*call_then)(void);
static atomic_int show_where;
static atomic_int one_thread;
static __thread int this_thread;

void malloc_fault_for_this_thread(void) {
  this_thread = 1;
  atomic_store(&one_thread, 1);
}

static void* openssl_malloc(size_t size, const char* file, int line) {
  (void)file, (void)line;
  return __libc_malloc(size);
}

static void* openssl_realloc(void* memory, size_t size, const char* file, int line) {
  (void)file, (void)line;
  return __libc_realloc(memory, size);
}

static void openssl_free(void* memory, const char* file, int line) {
  (void)file, (void)line;
  free(memory);
}

void malloc_fault_except_openssl(void) {
  if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free)) abort();
}

void malloc_fault_show_where(void) {
  void* frame;
  backtrace(&frame, 1); /* loads libgcc while allocations succeed */
  atomic_store(&show_where, 1);
}

void malloc_fault_from(long nth, long more) {
  atomic_store(&asked, 0);
  atomic_store(&first_to_fail, nth);
  atomic_store(&last_to_fail, nth + more);
  atomic_store(&counting, 1);
}

void malloc_fault_call_at(long nth, void (*call)(void)) {
  call_then = call;
  atomic_store(&called_at, nth);
  malloc_fault_from(0, 0);
}

long malloc_fault_end(void) {
  atomic_store(&called_at, 0);
  atomic_store(&counting, 0);
  return atomic_load(&asked);
}

static int refused(void) {
  long number;
  if (!atomic_load_explicit(&counting, memory_order_relaxed)) return 0;
  if (atomic_load(&one_thread) && !this_thread) return 0;
  number = atomic_fetch_add(&asked, 1) + 1;
  if (number == atomic_load(&called_at)) call_then();
  if (atomic_load(&first_to_fail) == 0 || number < atomic_load(&first_to_fail) || number > atomic_load(&last_to_fail)) {
    return 0;
  }
  if (atomic_exchange(&show_where, 0)) {
    void* frames[64];
    backtrace_symbols_fd(frames, backtrace(frames, 64), 2);
  }
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t size) {
  return refused() ? NULL : __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  return refused() ? NULL : __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  return refused() ? NULL : __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  return refused() ? NULL : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  void* found = memalign(alignment, size);
  if (found == NULL) return ENOMEM;
  *memory = found;
  return 0;
}
