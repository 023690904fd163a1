# Boost: headers only, and of a version that cpprestsdk and websocketpp compile with (1.87 removed asio's io_service).
find_path(KSR_BOOST_INCLUDE_DIR boost/json.hpp REQUIRED DOC "Directory that holds the Boost headers")
file(STRINGS "${KSR_BOOST_INCLUDE_DIR}/boost/version.hpp" boost_version_line REGEX "#define BOOST_VERSION ")
string(REGEX MATCH "[0-9]+" boost_version "${boost_version_line}")
if(boost_version LESS 107500 OR NOT boost_version LESS 108700)
  message(FATAL_ERROR "Boost in ${KSR_BOOST_INCLUDE_DIR} has BOOST_VERSION ${boost_version}; ksr needs 1.75 up to 1.86")
endif()
add_library(ksr_boost INTERFACE)
target_include_directories(ksr_boost SYSTEM INTERFACE "${KSR_BOOST_INCLUDE_DIR}")
target_compile_definitions(ksr_boost INTERFACE BOOST_BIND_GLOBAL_PLACEHOLDERS BOOST_ALL_NO_LIB)

# Boost.JSON, compiled once for the library and the tests.
add_library(ksr_boost_json STATIC "${CMAKE_CURRENT_LIST_DIR}/boost_json.cpp")
target_compile_options(ksr_boost_json PRIVATE ${KSR_THIRD_PARTY_OPTIONS})
target_link_libraries(ksr_boost_json PUBLIC ksr_boost)
