#pragma once

#include "base/result.hpp"

#include <jackfield/module.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::plugin_host {

/// What a shared object says about itself. Everything the dynamic loader acts on (exports, needed
/// libraries, paths, flags) is read through the program headers, as the loader does, since section
/// headers may say something else.
struct ElfFacts {
    std::uint16_t machine = 0;              /// e_machine
    std::optional<jf_note> note;            /// the note of owner "Jackfield", type 1
    std::optional<std::string> descriptor;  /// section .jackfield.desc, as it stands
    std::vector<std::string> exports;  /// defined, global or weak, default or protected visibility
    std::vector<std::string> imports;  /// undefined dynamic symbols
    std::vector<std::string> needed;   /// DT_NEEDED
    std::string soname;                /// DT_SONAME
    std::string rpath;                 /// DT_RPATH
    std::string runpath;               /// DT_RUNPATH
    bool executable_stack = false;     /// PT_GNU_STACK asks for it, or there is none
    bool constructors = false;         /// .init_array holds more than the compiler's own entry
    bool static_tls = false;           /// DF_STATIC_TLS

    // What only `jackfield plugin lint` asks.
    std::vector<std::string> weak_imports;  /// those of the imports that may stay unresolved
    std::vector<std::string> unique;        /// defined with STB_GNU_UNIQUE
    std::vector<std::string> versions;      /// wanted of the needed libraries: "GLIBC_2.36"
    std::string build_id;                   /// lower-case hex of the GNU note, empty: none
    bool relro = false;                     /// PT_GNU_RELRO
    bool bind_now = false;                  /// DF_BIND_NOW, DF_1_NOW
    bool text_relocations = false;          /// DT_TEXTREL, DF_TEXTREL
};

/// Reads an ELF64 little-endian shared object without executing or mapping anything. Every offset
/// is checked against the bytes that are there; a damaged or hostile file is an Error (`invalid`),
/// one for another kind of machine is `unsupported`.
base::Result<ElfFacts> read_elf(std::span<const std::byte> file);

/// "x86-64", "AArch64", else "machine 243".
std::string machine_name(std::uint16_t machine);

/// e_machine of the running host.
std::uint16_t host_machine();

}  // namespace jackfield::plugin_host
