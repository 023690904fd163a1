/* Makes chosen allocations fail: malloc, calloc, realloc and operator new of the whole process; used by out_of_memory
 * and opened.
 * Only allocations between malloc_fault_from and malloc_fault_end count. On any thread. */
#ifndef KSR_TESTS_HOST_MALLOC_FAULT_H
#define KSR_TESTS_HOST_MALLOC_FAULT_H

/* The `nth` allocation from here on fails, counted from 1, and so do the `more` that come after it. 0: none fails. */
void malloc_fault_from(long nth, long more);
/* None fails; before the `nth` `call` is run, on its thread. */
void malloc_fault_call_at(long nth, void (*call)(void));
/* Only this thread's allocations count. */
void malloc_fault_for_this_thread(void);
/* OpenSSL's allocations never fail: a part of OpenSSL whose first use fails stays unusable for the rest of the process,
 * so that no later stream can work. To be called before OpenSSL's first use. */
void malloc_fault_except_openssl(void);
/* Writes the backtrace of the first failing allocation to standard error. */
void malloc_fault_show_where(void);
/* Allocations succeed again. Returns their number since malloc_fault_from. */
long malloc_fault_end(void);

#endif
