# OpenSSL, as KSR_OPENSSL says: `dynamic` is the system's shared library; `static` links libssl.a and libcrypto.a into the
# library, where no name of them can be seen from outside or be replaced by another OpenSSL that the host exports.
set(KSR_OPENSSL "dynamic" CACHE STRING "How OpenSSL is linked: dynamic or static")
set_property(CACHE KSR_OPENSSL PROPERTY STRINGS dynamic static)
if(NOT KSR_OPENSSL MATCHES "^(dynamic|static)$")
  message(FATAL_ERROR "KSR_OPENSSL is \"${KSR_OPENSSL}\"; it takes dynamic or static")
endif()

# What was found for the other value is looked for again.
if(NOT "${KSR_OPENSSL}" STREQUAL "${ksr_openssl_found}")
  unset(OPENSSL_SSL_LIBRARY CACHE)
  unset(OPENSSL_CRYPTO_LIBRARY CACHE)
endif()
if(KSR_OPENSSL STREQUAL "static")
  set(OPENSSL_USE_STATIC_LIBS TRUE)
endif()
find_package(OpenSSL 3.0 REQUIRED)
if(KSR_OPENSSL STREQUAL "static" AND NOT (OPENSSL_SSL_LIBRARY MATCHES "\\.a$" AND OPENSSL_CRYPTO_LIBRARY MATCHES "\\.a$"))
  message(FATAL_ERROR "KSR_OPENSSL=static needs libssl.a and libcrypto.a; found ${OPENSSL_SSL_LIBRARY} and ${OPENSSL_CRYPTO_LIBRARY}")
endif()
set(ksr_openssl_found "${KSR_OPENSSL}" CACHE INTERNAL "The value of KSR_OPENSSL that OpenSSL was found for")
