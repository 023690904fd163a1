# An installed cpprestsdk fits only if it was built with ksr's patches: they change its ABI, and no distribution has them.
find_path(ksr_cpprest_include cpprest/details/connection_driver.h NO_CACHE)
if(NOT ksr_cpprest_include)
  message(FATAL_ERROR "KSR_CPPRESTSDK=system: the installed cpprestsdk lacks cpprest/details/connection_driver.h, so it was "
    "built without ksr's patches (cmake/cpprestsdk/patches), which change its ABI; use KSR_CPPRESTSDK=source")
endif()
file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/overlay/cpprest/details/connection_driver.h" ksr_driver_wanted
  REGEX "#define CPPREST_CONNECTION_DRIVER ")
file(STRINGS "${ksr_cpprest_include}/cpprest/details/connection_driver.h" ksr_driver_found
  REGEX "#define CPPREST_CONNECTION_DRIVER ")
if(NOT ksr_driver_found STREQUAL ksr_driver_wanted)
  message(FATAL_ERROR "KSR_CPPRESTSDK=system: ${ksr_cpprest_include} has \"${ksr_driver_found}\", ksr needs "
    "\"${ksr_driver_wanted}\"; use KSR_CPPRESTSDK=source")
endif()
find_library(ksr_cpprest_library cpprest REQUIRED NO_CACHE)
add_library(ksr_cpprest INTERFACE)
target_include_directories(ksr_cpprest SYSTEM INTERFACE "${ksr_cpprest_include}" "${ksr_websocketpp_include}")
target_compile_definitions(ksr_cpprest INTERFACE CPPREST_FORCE_HTTP_CLIENT_ASIO _TURN_OFF_PLATFORM_STRING)
target_link_libraries(ksr_cpprest INTERFACE "${ksr_cpprest_library}" ksr_boost OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
