# What every target here is built with: the language, warnings, sanitizers, a compiler cache, and the two helpers that
# keep each folder's CMakeLists short.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

find_program(JACKFIELD_CCACHE ccache)
if(JACKFIELD_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${JACKFIELD_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${JACKFIELD_CCACHE})
endif()

add_library(jackfield_options INTERFACE)
target_compile_options(jackfield_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -fno-gnu-unique)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(jackfield_options INTERFACE -Wno-unknown-warning-option)
endif()
get_target_property(_options jackfield_options INTERFACE_COMPILE_OPTIONS)
list(REMOVE_ITEM _options -Wnon-virtual-dtor -fno-gnu-unique)
set(_cxx_only $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 at -O2 sees overlapping copies inside std::string's own operator+ (its bug 105651).
    list(APPEND _cxx_only $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique> $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
    # With optimisation it also takes the alternatives that a std::variant does not hold for uninitialised ones (its bug 80635).
    list(APPEND _cxx_only $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<CONFIG:Debug>>>:-Wno-maybe-uninitialized>)
endif()
set_target_properties(jackfield_options PROPERTIES INTERFACE_COMPILE_OPTIONS "${_options};${_cxx_only}")
if(JACKFIELD_WERROR AND NOT JACKFIELD_SANITIZE)
    target_compile_options(jackfield_options INTERFACE -Werror)
endif()

if(JACKFIELD_SANITIZE)
    target_compile_options(jackfield_options INTERFACE -fsanitize=${JACKFIELD_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(jackfield_options INTERFACE -fsanitize=${JACKFIELD_SANITIZE})
    if(JACKFIELD_SANITIZE MATCHES "undefined")
        target_compile_options(jackfield_options INTERFACE -fno-sanitize-recover=undefined)
        if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
            # RapidJSON's headers add an offset to a null pointer in every parse.
            target_compile_options(jackfield_options INTERFACE -fno-sanitize=pointer-overflow)
        endif()
    endif()
    if(JACKFIELD_SANITIZE MATCHES "thread")
        # GCC 12's thread sanitizer does not model atomic_thread_fence, which Asio's fenced blocks use.
        target_compile_definitions(jackfield_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
        target_compile_options(jackfield_options INTERFACE -Wno-tsan)
    endif()
endif()
if(JACKFIELD_COVERAGE)
    # What is under test is counted; tests themselves are not (tests/CMakeLists.txt says so), which halves their compile time.
    set(JACKFIELD_COUNTED --coverage -O1 -fprofile-update=atomic)
    define_property(TARGET PROPERTY JACKFIELD_UNCOUNTED INITIALIZE_FROM_VARIABLE JACKFIELD_UNCOUNTED)
    target_compile_options(jackfield_options INTERFACE "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:JACKFIELD_UNCOUNTED>>>:${JACKFIELD_COUNTED}>")
    target_link_options(jackfield_options INTERFACE --coverage)
endif()
if(JACKFIELD_FUZZ)
    target_compile_options(jackfield_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The packaged Boost 1.81 has no unversioned development files beside 1.74's; naming the version finds it.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS filesystem system)

# jackfield_add_library(media SOURCES a.cpp b.cpp PUBLIC jackfield::base PRIVATE SpeexDSP)
# One room of the kernel: target jackfield_media, alias jackfield::media.
function(jackfield_add_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(jackfield_${name} STATIC ${ARG_SOURCES})
    add_library(jackfield::${name} ALIAS jackfield_${name})
    target_include_directories(jackfield_${name} PUBLIC ${PROJECT_SOURCE_DIR}/kernel)
    target_link_libraries(jackfield_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} jackfield_options)
endfunction()
