/* Memory that runs out at a chosen allocation: malloc and its kin of the whole process, and with them operator
 * new. Only what is asked for between malloc_fault_from and malloc_fault_end is counted. */
#ifndef KSR_TESTS_HOST_SCARCE_H
#define KSR_TESTS_HOST_SCARCE_H

/* The `nth` allocation from here on fails, counted from 1, and so do the `more` that come after it. 0: none fails. */
void malloc_fault_from(long nth, long more);
/* Only what this thread asks for is counted. */
void malloc_fault_for_this_thread(void);
/* OpenSSL is never refused. It keeps what it could not set up at the first use for the rest of the process, so
 * that a stream that needs it can only fail again and again. Before its first use. */
void malloc_fault_except_openssl(void);
/* Has the place of the first failing allocation written to standard error. */
void malloc_fault_show_where(void);
/* From here on there is memory again. The number of allocations since malloc_fault_from. */
long malloc_fault_end(void);

#endif
