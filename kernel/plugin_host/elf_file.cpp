#include "plugin_host/elf_file.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include <elf.h>
#include <fmt/format.h>

namespace jackfield::plugin_host {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// More than any real file has, few enough that a hostile table costs nothing.
constexpr std::size_t max_sections = 10'000;
constexpr std::size_t max_segments = 512;
constexpr std::size_t max_symbols = 1'000'000;
constexpr std::size_t max_symbol_name = 4096;
constexpr std::size_t max_name_bytes = 16 * 1024 * 1024;
constexpr std::size_t max_notes = 10'000;
constexpr std::size_t max_build_id = 64;
constexpr std::size_t max_versions = 10'000;
constexpr std::size_t max_descriptor = 1024 * 1024;

/// Thrown inside this file only: a reader of forty small steps reads better without forty returns.
struct Damaged {
    std::string what;
    ErrorCode code = ErrorCode::invalid;
};

/// The bytes, with every access checked.
class Bytes {
  public:
    explicit Bytes(std::span<const std::byte> all) : all_(all) {}

    std::uint64_t size() const { return all_.size(); }

    std::span<const std::byte> at(std::uint64_t offset,
                                  std::uint64_t length,
                                  std::string_view what) const {
        if (offset > all_.size() || length > all_.size() - offset)
            throw Damaged{
                fmt::format("truncated: {} should stand at bytes {} to {}, the file has {}",
                            what,
                            offset,
                            offset + length,
                            all_.size())};
        return all_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    }

    template <typename T>
    T read(std::uint64_t offset, std::string_view what) const {
        static_assert(std::is_trivially_copyable_v<T>);
        T value;
        std::memcpy(&value, at(offset, sizeof(T), what).data(), sizeof(T));
        return value;
    }

  private:
    std::span<const std::byte> all_;
};

/// A table of strings that each end with a zero inside it.
class Strings {
  public:
    Strings(std::span<const std::byte> bytes, std::string_view what) : bytes_(bytes), what_(what) {}

    std::string_view at(std::uint64_t offset) const {
        if (offset >= bytes_.size()) throw Damaged{fmt::format("a name lies outside {}", what_)};
        const auto* first = reinterpret_cast<const char*>(bytes_.data()) + offset;
        const std::size_t room =
            std::min(bytes_.size() - static_cast<std::size_t>(offset), max_symbol_name);
        const void* end = std::memchr(first, 0, room);
        if (!end) throw Damaged{fmt::format("a name in {} does not end", what_)};
        return {first, static_cast<std::size_t>(static_cast<const char*>(end) - first)};
    }

  private:
    std::span<const std::byte> bytes_;
    std::string_view what_;
};

class Reader {
  public:
    explicit Reader(std::span<const std::byte> file) : file_(file) {}

    ElfFacts read() {
        read_header();
        read_segments();
        read_sections();
        read_dynamic();
        return std::move(facts_);
    }

  private:
    void read_header() {
        const auto ident = file_.at(0, EI_NIDENT, "the ELF identification");
        const auto byte = [&](int i) {
            return std::to_integer<unsigned char>(ident[static_cast<std::size_t>(i)]);
        };
        if (byte(EI_CLASS) != ELFCLASS64)
            throw Damaged{"it is not a 64-bit file", ErrorCode::unsupported};
        if (byte(EI_DATA) != ELFDATA2LSB)
            throw Damaged{"it is for a big-endian machine", ErrorCode::unsupported};
        if (byte(EI_VERSION) != EV_CURRENT) throw Damaged{"its ELF version is unknown"};
        header_ = file_.read<Elf64_Ehdr>(0, "the ELF header");
        facts_.machine = header_.e_machine;
        if (header_.e_type != ET_DYN)
            throw Damaged{fmt::format(
                "it is no shared object (ELF type {}, wanted {})", header_.e_type, ET_DYN)};
    }

    void read_segments() {
        if (header_.e_phnum == 0 || header_.e_phnum > max_segments)
            throw Damaged{fmt::format("it claims {} program headers", header_.e_phnum)};
        if (header_.e_phentsize != sizeof(Elf64_Phdr))
            throw Damaged{"its program headers have an odd size"};
        if (header_.e_phoff < sizeof(Elf64_Ehdr))
            throw Damaged{"its program headers overlap the ELF header"};

        bool has_stack = false;
        std::uint64_t mapped_until = 0;
        for (std::uint64_t i = 0; i < header_.e_phnum; ++i) {
            const auto segment = file_.read<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr),
                                                        "a program header");
            if (segment.p_type == PT_NULL) continue;
            if (segment.p_type != PT_GNU_STACK)
                file_.at(segment.p_offset, segment.p_filesz, "a segment");
            switch (segment.p_type) {
                case PT_LOAD: {
                    if (segment.p_filesz > segment.p_memsz)
                        throw Damaged{"a segment is larger in the file than in memory"};
                    if (segment.p_vaddr < mapped_until)
                        throw Damaged{"its loaded segments overlap"};
                    if (segment.p_memsz > UINT64_MAX - segment.p_vaddr)
                        throw Damaged{"a segment wraps around memory"};
                    mapped_until = segment.p_vaddr + segment.p_memsz;
                    loads_.push_back(segment);
                    break;
                }
                case PT_DYNAMIC:
                    if (dynamic_) throw Damaged{"it has two dynamic segments"};
                    dynamic_ = segment;
                    break;
                case PT_NOTE:
                    read_notes(segment.p_offset, segment.p_filesz);
                    break;
                case PT_GNU_RELRO:
                    facts_.relro = true;
                    break;
                case PT_GNU_STACK:
                    has_stack = true;
                    if (segment.p_flags & PF_X) facts_.executable_stack = true;
                    break;
                default:
                    break;
            }
        }
        // Without the header Linux gives x86-64 programs an executable stack, for the sake of very
        // old files.
        if (!has_stack) facts_.executable_stack = true;
    }

    void read_notes(std::uint64_t offset, std::uint64_t length) {
        const auto align = [](std::uint64_t n) { return (n + 3) & ~std::uint64_t{3}; };
        while (length >= sizeof(Elf64_Nhdr)) {
            if (++notes_ > max_notes) throw Damaged{"it has thousands of notes"};
            const auto note = file_.read<Elf64_Nhdr>(offset, "a note");
            const std::uint64_t name_at = sizeof(Elf64_Nhdr);
            const std::uint64_t data_at = name_at + align(note.n_namesz);
            const std::uint64_t end = data_at + align(note.n_descsz);
            // The last note's padding may be missing.
            if (data_at + note.n_descsz > length)
                throw Damaged{"a note reaches beyond its segment"};
            const auto name = file_.at(offset + name_at, note.n_namesz, "a note's owner");
            if (note.n_type == JF_NOTE_TYPE && name.size() == sizeof JF_NOTE_OWNER &&
                std::memcmp(name.data(), JF_NOTE_OWNER, name.size()) == 0)
                take_note(offset + data_at, note.n_descsz);
            if (note.n_type == NT_GNU_BUILD_ID && name.size() == sizeof ELF_NOTE_GNU &&
                std::memcmp(name.data(), ELF_NOTE_GNU, name.size()) == 0)
                take_build_id(offset + data_at, note.n_descsz);
            if (end >= length) return;
            offset += end;
            length -= end;
        }
    }

    void take_note(std::uint64_t offset, std::uint64_t length) {
        // A later major may append to the note; what stands first stays.
        if (length < sizeof(jf_note)) throw Damaged{"its Jackfield note is too short"};
        const auto note = file_.read<jf_note>(offset, "the Jackfield note");
        if (facts_.note && std::memcmp(&*facts_.note, &note, sizeof note) != 0)
            throw Damaged{"it has two Jackfield notes that differ"};
        facts_.note = note;
    }

    void take_build_id(std::uint64_t offset, std::uint64_t length) {
        if (!facts_.build_id.empty() || length > max_build_id) return;
        for (const std::byte b : file_.at(offset, length, "the build id"))
            facts_.build_id += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    }

    void read_sections() {
        if (header_.e_shnum == 0) return;
        if (header_.e_shnum > max_sections)
            throw Damaged{fmt::format("it claims {} sections", header_.e_shnum)};
        if (header_.e_shentsize != sizeof(Elf64_Shdr))
            throw Damaged{"its section headers have an odd size"};
        if (header_.e_shoff < sizeof(Elf64_Ehdr))
            throw Damaged{"its section headers overlap the ELF header"};
        if (header_.e_shstrndx >= header_.e_shnum) throw Damaged{"its section names are missing"};

        file_.at(header_.e_shoff,
                 std::uint64_t{header_.e_shnum} * sizeof(Elf64_Shdr),
                 "the section headers");
        const auto section_at = [&](std::uint64_t i) {
            return file_.read<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr),
                                          "a section header");
        };
        const Elf64_Shdr names_header = section_at(header_.e_shstrndx);
        if (names_header.sh_type != SHT_STRTAB)
            throw Damaged{"its section names are no string table"};
        const Strings names(
            file_.at(names_header.sh_offset, names_header.sh_size, "the section names"),
            "the section names");
        for (std::uint64_t i = 1; i < header_.e_shnum; ++i) {
            const Elf64_Shdr section = section_at(i);
            if (section.sh_type == SHT_NULL || section.sh_type == SHT_NOBITS) continue;
            file_.at(section.sh_offset, section.sh_size, "a section");
            if (section.sh_type == SHT_NOTE) read_notes(section.sh_offset, section.sh_size);
            if (names.at(section.sh_name) == JF_DESCRIPTOR_SECTION) take_descriptor(section);
        }
    }

    void take_descriptor(const Elf64_Shdr& section) {
        if (facts_.descriptor) throw Damaged{"it has two descriptor sections"};
        if (section.sh_flags & SHF_COMPRESSED) throw Damaged{"its descriptor is compressed"};
        if (section.sh_size > max_descriptor) throw Damaged{"its descriptor is larger than 1 MiB"};
        const auto overlaps = [&](std::uint64_t offset, std::uint64_t length) {
            return section.sh_offset < offset + length &&
                   offset < section.sh_offset + section.sh_size;
        };
        if (overlaps(0, sizeof(Elf64_Ehdr)) ||
            overlaps(header_.e_phoff, std::uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr)) ||
            overlaps(header_.e_shoff, std::uint64_t{header_.e_shnum} * sizeof(Elf64_Shdr)))
            throw Damaged{"its descriptor overlaps the file's headers"};
        const auto bytes = file_.at(section.sh_offset, section.sh_size, "the descriptor");
        facts_.descriptor.emplace(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }

    /// The file offset of `length` bytes that will be mapped at `address`.
    std::uint64_t offset_of(std::uint64_t address,
                            std::uint64_t length,
                            std::string_view what) const {
        for (const Elf64_Phdr& load : loads_)
            if (address >= load.p_vaddr && address - load.p_vaddr <= load.p_filesz &&
                length <= load.p_filesz - (address - load.p_vaddr))
                return load.p_offset + (address - load.p_vaddr);
        throw Damaged{fmt::format("{} lies outside the loaded segments", what)};
    }

    struct Dynamic {
        std::vector<std::uint64_t> needed;
        std::optional<std::uint64_t> soname, rpath, runpath, strings, symbols, hash, gnu_hash,
            versions;
        std::uint64_t strings_size = 0, symbol_size = sizeof(Elf64_Sym), init_array_size = 0,
                      flags = 0, flags_1 = 0;
        bool text_relocations = false;
    };

    Dynamic read_dynamic_entries() const {
        Dynamic out;
        for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic_->p_filesz;
             at += sizeof(Elf64_Dyn)) {
            const auto entry = file_.read<Elf64_Dyn>(dynamic_->p_offset + at, "a dynamic entry");
            const std::uint64_t value = entry.d_un.d_val;
            switch (entry.d_tag) {
                case DT_NULL:
                    return out;
                case DT_NEEDED:
                    if (out.needed.size() >= max_segments)
                        throw Damaged{"it needs hundreds of libraries"};
                    out.needed.push_back(value);
                    break;
                case DT_SONAME:
                    out.soname = value;
                    break;
                case DT_RPATH:
                    out.rpath = value;
                    break;
                case DT_RUNPATH:
                    out.runpath = value;
                    break;
                case DT_STRTAB:
                    out.strings = value;
                    break;
                case DT_STRSZ:
                    out.strings_size = value;
                    break;
                case DT_SYMTAB:
                    out.symbols = value;
                    break;
                case DT_SYMENT:
                    out.symbol_size = value;
                    break;
                case DT_HASH:
                    out.hash = value;
                    break;
                case DT_GNU_HASH:
                    out.gnu_hash = value;
                    break;
                case DT_INIT_ARRAYSZ:
                    out.init_array_size = value;
                    break;
                case DT_FLAGS:
                    out.flags = value;
                    break;
                case DT_FLAGS_1:
                    out.flags_1 = value;
                    break;
                case DT_TEXTREL:
                    out.text_relocations = true;
                    break;
                case DT_VERNEED:
                    out.versions = value;
                    break;
                default:
                    break;
            }
        }
        return out;
    }

    void read_dynamic() {
        if (!dynamic_) throw Damaged{"it has no dynamic segment"};
        const Dynamic dynamic = read_dynamic_entries();
        if (!dynamic.strings || !dynamic.symbols) throw Damaged{"it has no dynamic symbols"};
        if (dynamic.symbol_size != sizeof(Elf64_Sym)) throw Damaged{"its symbols have an odd size"};

        const Strings strings(
            file_.at(offset_of(*dynamic.strings, dynamic.strings_size, "the dynamic strings"),
                     dynamic.strings_size,
                     "the dynamic strings"),
            "the dynamic strings");
        const auto text = [&](const std::optional<std::uint64_t>& at) {
            return at ? std::string(strings.at(*at)) : std::string();
        };
        facts_.soname = text(dynamic.soname);
        facts_.rpath = text(dynamic.rpath);
        facts_.runpath = text(dynamic.runpath);
        for (const std::uint64_t at : dynamic.needed) facts_.needed.emplace_back(strings.at(at));
        facts_.static_tls = (dynamic.flags & DF_STATIC_TLS) != 0;
        facts_.bind_now = (dynamic.flags & DF_BIND_NOW) != 0 || (dynamic.flags_1 & DF_1_NOW) != 0;
        facts_.text_relocations = dynamic.text_relocations || (dynamic.flags & DF_TEXTREL) != 0;
        if (dynamic.versions) read_versions(*dynamic.versions, strings);
        // crtbegin.o puts frame_dummy there; whatever stands beside it is a constructor of the
        // plugin or of what it links statically.
        facts_.constructors = dynamic.init_array_size > sizeof(std::uint64_t);
        read_symbols(dynamic, strings);
    }

    /// A list of libraries, each with a list of the versions that are wanted of it. The links are
    /// relative and unsigned, so neither list can turn back.
    void read_versions(std::uint64_t address, const Strings& strings) {
        constexpr std::string_view what = "the needed versions";
        for (std::uint64_t at = address;;) {
            const auto library = file_.read<Elf64_Verneed>(offset_of(at, sizeof(Elf64_Verneed), what), what);
            std::uint64_t version_at = at + library.vn_aux;
            for (std::uint16_t i = 0; i < library.vn_cnt; ++i) {
                const auto version =
                    file_.read<Elf64_Vernaux>(offset_of(version_at, sizeof(Elf64_Vernaux), what), what);
                if (facts_.versions.size() >= max_versions) throw Damaged{"it wants thousands of versions"};
                facts_.versions.emplace_back(strings.at(version.vna_name));
                if (version.vna_next == 0) break;
                version_at += version.vna_next;
            }
            if (library.vn_next == 0) return;
            at += library.vn_next;
        }
    }

    /// The loader never learns the number of symbols: the hash tables imply it.
    std::uint64_t symbol_count(const Dynamic& dynamic) const {
        if (dynamic.hash) {
            const std::uint64_t at = offset_of(*dynamic.hash, 8, "the symbol hash table");
            return file_.read<std::uint32_t>(at + 4, "the symbol hash table");
        }
        if (!dynamic.gnu_hash) throw Damaged{"it has no symbol hash table"};
        return gnu_symbol_count(*dynamic.gnu_hash);
    }

    std::uint64_t gnu_symbol_count(std::uint64_t address) const {
        constexpr std::string_view what = "the symbol hash table";
        const std::uint64_t at = offset_of(address, 16, what);
        const auto buckets = file_.read<std::uint32_t>(at, what);
        const auto first = file_.read<std::uint32_t>(at + 4, what);
        const auto bloom_words = file_.read<std::uint32_t>(at + 8, what);
        const std::uint64_t buckets_at = at + 16 + std::uint64_t{bloom_words} * 8;
        const std::uint64_t chains_at = buckets_at + std::uint64_t{buckets} * 4;
        file_.at(buckets_at, std::uint64_t{buckets} * 4, what);

        std::uint32_t last = 0;
        for (std::uint64_t i = 0; i < buckets; ++i)
            last = std::max(last, file_.read<std::uint32_t>(buckets_at + i * 4, what));
        if (last < first) return first;
        // A chain ends at the hash whose lowest bit is set.
        for (std::uint64_t symbol = last;; ++symbol)
            if (file_.read<std::uint32_t>(chains_at + (symbol - first) * 4, what) & 1u)
                return symbol + 1;
    }

    void read_symbols(const Dynamic& dynamic, const Strings& strings) {
        const std::uint64_t count = symbol_count(dynamic);
        if (count > max_symbols) throw Damaged{fmt::format("it claims {} dynamic symbols", count)};
        const std::uint64_t at =
            offset_of(*dynamic.symbols, count * sizeof(Elf64_Sym), "the dynamic symbols");
        for (std::uint64_t i = 1; i < count; ++i) {
            const auto symbol =
                file_.read<Elf64_Sym>(at + i * sizeof(Elf64_Sym), "a dynamic symbol");
            const unsigned binding = ELF64_ST_BIND(symbol.st_info);
            if (binding != STB_GLOBAL && binding != STB_WEAK && binding != STB_GNU_UNIQUE) continue;
            const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
            if (visibility != STV_DEFAULT && visibility != STV_PROTECTED) continue;
            auto& list = symbol.st_shndx == SHN_UNDEF ? facts_.imports : facts_.exports;
            const std::string_view name = strings.at(symbol.st_name);
            name_bytes_ += name.size();
            if (name_bytes_ > max_name_bytes)
                throw Damaged{"its symbol names are longer than 16 MiB together"};
            list.emplace_back(name);
            if (binding == STB_WEAK && symbol.st_shndx == SHN_UNDEF) facts_.weak_imports.emplace_back(name);
            if (binding == STB_GNU_UNIQUE && symbol.st_shndx != SHN_UNDEF) facts_.unique.emplace_back(name);
        }
    }

    Bytes file_;
    Elf64_Ehdr header_{};
    std::vector<Elf64_Phdr> loads_;
    std::optional<Elf64_Phdr> dynamic_;
    std::size_t notes_ = 0;
    std::size_t name_bytes_ = 0;
    ElfFacts facts_;
};

}  // namespace

Result<ElfFacts> read_elf(std::span<const std::byte> file) {
    if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
        return Error(ErrorCode::invalid, "it is not an ELF file");
    try {
        return Reader(file).read();
    } catch (const Damaged& damage) {
        return Error(damage.code, damage.what);
    }
}

std::string machine_name(std::uint16_t machine) {
    switch (machine) {
        case EM_X86_64:
            return "x86-64";
        case EM_AARCH64:
            return "AArch64";
        case EM_386:
            return "i386";
        case EM_ARM:
            return "32-bit ARM";
        case EM_RISCV:
            return "RISC-V";
        case EM_PPC64:
            return "PowerPC 64";
        case EM_S390:
            return "S/390";
        default:
            return fmt::format("machine {}", machine);
    }
}

std::uint16_t host_machine() {
#if defined(__x86_64__)
    return EM_X86_64;
#elif defined(__aarch64__)
    return EM_AARCH64;
#elif defined(__riscv)
    return EM_RISCV;
#else
#error "name this machine's e_machine here"
#endif
}

}  // namespace jackfield::plugin_host
