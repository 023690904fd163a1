// The attributes of clang's thread-safety analysis (clang.llvm.org/docs/ThreadSafetyAnalysis.html); used by every class
// with a mutex. tests/lint/thread-safety checks them; other compilers see nothing.
#pragma once

#if defined(__clang__)
#define KSR_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define KSR_THREAD_ANNOTATION(attribute)
#endif

// Types.
#define KSR_CAPABILITY(name) KSR_THREAD_ANNOTATION(capability(name))
#define KSR_SCOPED_CAPABILITY KSR_THREAD_ANNOTATION(scoped_lockable)

// Members: accessed only with the mutex held. Of a pointer, what it points to.
#define KSR_GUARDED_BY(mutex) KSR_THREAD_ANNOTATION(guarded_by(mutex))
#define KSR_PT_GUARDED_BY(mutex) KSR_THREAD_ANNOTATION(pt_guarded_by(mutex))
#define KSR_ACQUIRED_BEFORE(...) KSR_THREAD_ANNOTATION(acquired_before(__VA_ARGS__))
#define KSR_ACQUIRED_AFTER(...) KSR_THREAD_ANNOTATION(acquired_after(__VA_ARGS__))

// Functions: the caller holds the mutex, or must not hold it.
#define KSR_REQUIRES(...) KSR_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define KSR_EXCLUDES(...) KSR_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

// Functions that lock and unlock.
#define KSR_ACQUIRE(...) KSR_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define KSR_ACQUIRE_SHARED(...) KSR_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define KSR_RELEASE(...) KSR_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define KSR_RELEASE_SHARED(...) KSR_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))

// For what the analysis cannot follow; the reason stands beside it.
#define KSR_NO_THREAD_SAFETY_ANALYSIS KSR_THREAD_ANNOTATION(no_thread_safety_analysis)
