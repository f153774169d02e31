# cmake -DOUTPUT=plugin_templates.cpp -DROOT=<source tree> -DFILES=a;b;... -P EmbedPluginTemplates.cmake
#
# Writes the example plugins into a source file, for `jackfield plugin new`: so there is one copy of each, which is built and tested here.
# Only when it changed, so that nothing is compiled for nothing.
set(text "// Made from plugins/*/example* by EmbedPluginTemplates.cmake.\n#include \"app/plugin_templates.hpp\"\n\nnamespace jackfield::app {\n\n")
string(APPEND text "const std::vector<PluginTemplateFile>& plugin_template_files() {\n    static const std::vector<PluginTemplateFile> files = {\n")
foreach(path IN LISTS FILES)
    file(READ ${ROOT}/${path} contents)
    string(APPEND text "        {\"${path}\", R\"jf_file(${contents})jf_file\"},\n")
endforeach()
string(APPEND text "    };\n    return files;\n}\n\n}  // namespace jackfield::app\n")
set(before "")
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
    file(WRITE ${OUTPUT} "${text}")
endif()
