/* What the host reads of a plugin file before it executes anything of it: the ABI note and the descriptor section.
 * jackfield_add_plugin() compiles this; whoever builds in another way compiles it once per plugin and links the object:
 *
 *   cc -c $(pkg-config --cflags jackfield-plugin) -DJF_DESCRIPTION='"plugin.json"' -o note.o \
 *      $(pkg-config --variable=module_note jackfield-plugin)
 *
 * JF_NEED_MINOR and JF_MODULE_FLAGS (1: uses drafts) say what "abi" in plugin.json says; both are 0 unless given.
 */
#include <jackfield/base.h>

#ifndef JF_DESCRIPTION
#error "JF_DESCRIPTION has to name plugin.json, quoted"
#endif
#ifndef JF_NEED_MINOR
#define JF_NEED_MINOR 0
#endif
#ifndef JF_MODULE_FLAGS
#define JF_MODULE_FLAGS 0
#endif
#ifndef JF_NOTE_MAJOR
#define JF_NOTE_MAJOR 1
#define JF_NOTE_MINOR 0
_Static_assert(JF_NOTE_MAJOR == JF_ABI_MAJOR && JF_NOTE_MINOR == JF_ABI_MINOR, "the assembler takes no 1u, so the version stands here too");
#endif

#define JF_QUOTED_(x) #x
#define JF_QUOTED(x) JF_QUOTED_(x)

/* Nothing refers to the descriptor, and a linker that collects garbage (rustc asks for it, -ffunction-sections users do) would drop it.
 * It keeps notes, and what a kept section has a relocation to; this relocation changes no byte. */
__asm__(".pushsection .jackfield.desc,\"a\",@progbits\n"
        "jf_module_descriptor:\n"
        ".incbin \"" JF_DESCRIPTION "\"\n"
        ".popsection\n"
        ".pushsection .note.jackfield,\"a\",@note\n"
        ".balign 4\n"
        ".reloc ., BFD_RELOC_NONE, jf_module_descriptor\n"
        ".long 10\n" /* sizeof "Jackfield" with its zero */
        ".long 16\n"
        ".long 1\n"
        ".asciz \"Jackfield\"\n"
        ".balign 4\n"
        ".long " JF_QUOTED(JF_NOTE_MAJOR) "\n"
        ".long " JF_QUOTED(JF_NEED_MINOR) "\n"
        ".long " JF_QUOTED(JF_NOTE_MINOR) "\n"
        ".long " JF_QUOTED(JF_MODULE_FLAGS) "\n"
        ".popsection\n");
