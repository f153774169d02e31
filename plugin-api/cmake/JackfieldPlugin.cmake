# jackfield_add_plugin(KIND stt NAME acme SOURCES plugin.cpp ... [LINK SpeexDSP ...] [DESCRIPTION plugin.json])
#
# Builds <build>/plugins/<kind>/<name>.so as the host wants it: one exported symbol, the ABI note and the descriptor
# section made from plugin.json, nothing of the kernel's linked. Theirs builds as ours does: this file is installed.
set(JACKFIELD_PLUGIN_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

function(jackfield_add_plugin)
    cmake_parse_arguments(ARG "" "KIND;NAME;DESCRIPTION" "SOURCES;LINK" ${ARGN})
    if(NOT ARG_KIND OR NOT ARG_NAME OR NOT ARG_SOURCES)
        message(FATAL_ERROR "jackfield_add_plugin: KIND, NAME and SOURCES are needed")
    endif()
    if(NOT ARG_DESCRIPTION)
        set(ARG_DESCRIPTION plugin.json)
    endif()
    set(description ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DESCRIPTION})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${description})

    file(READ ${description} json)
    string(JSON id ERROR_VARIABLE problem GET "${json}" id)
    if(problem)
        message(FATAL_ERROR "${description}: ${problem}")
    endif()
    if(NOT id STREQUAL "${ARG_KIND}/${ARG_NAME}")
        message(FATAL_ERROR "${description}: id is '${id}', the folder says '${ARG_KIND}/${ARG_NAME}'")
    endif()
    string(JSON JF_NEED_MINOR ERROR_VARIABLE problem GET "${json}" abi need_minor)
    if(problem)
        set(JF_NEED_MINOR 0)
    endif()
    string(JSON drafts ERROR_VARIABLE problem GET "${json}" abi drafts)
    set(JF_FLAGS 0)
    if(NOT problem AND drafts)
        set(JF_FLAGS 1)
    endif()
    set(JF_ABI_MAJOR 1)
    set(JF_ABI_MINOR 0)
    set(JF_DESCRIPTION ${description})

    set(target plugin_${ARG_KIND}_${ARG_NAME})
    configure_file(${JACKFIELD_PLUGIN_CMAKE_DIR}/module_note.c.in ${CMAKE_CURRENT_BINARY_DIR}/${target}_note.c @ONLY)
    set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/${target}_note.c PROPERTIES OBJECT_DEPENDS ${description})

    add_library(${target} MODULE ${ARG_SOURCES} ${CMAKE_CURRENT_BINARY_DIR}/${target}_note.c)
    set_target_properties(${target} PROPERTIES
        PREFIX "" OUTPUT_NAME ${ARG_NAME} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins/${ARG_KIND}
        C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
        LINK_DEPENDS ${JACKFIELD_PLUGIN_CMAKE_DIR}/plugin.map)
    target_compile_features(${target} PRIVATE cxx_std_20)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
    endif()
    target_link_options(${target} PRIVATE
        -Wl,--version-script=${JACKFIELD_PLUGIN_CMAKE_DIR}/plugin.map -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    if(NOT JACKFIELD_SANITIZE)
        # A forgotten source shows here and not when the host loads the file. Sanitizers leave symbols to the program.
        target_link_options(${target} PRIVATE -Wl,--no-undefined)
    endif()
    target_link_libraries(${target} PRIVATE jackfield::plugin_api ${ARG_LINK})
    if(TARGET jackfield_options)
        target_link_libraries(${target} PRIVATE jackfield_options)
    endif()
    set_property(GLOBAL APPEND PROPERTY JACKFIELD_PLUGIN_TARGETS ${target})
endfunction()
