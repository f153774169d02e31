#include "plugin_host/elf_agreement.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>
#include <fmt/format.h>

namespace jackfield::plugin_host {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t largest_image = 1u << 30;
constexpr std::uint64_t relative_reloc = 8, irelative_reloc = 37;  // x86-64
constexpr std::uint32_t section_relr = 19;
constexpr std::int64_t tag_relr = 36, tag_relrsz = 35, tag_relrent = 37;

struct Disagreement {
    std::string what;
};
[[noreturn]] void disagree(std::string what) {
    throw Disagreement{std::move(what)};
}
void want(bool holds, std::string_view what) {
    if (!holds) disagree(std::string(what));
}

struct Section {
    std::string_view name;
    Elf64_Shdr header;
    std::uint64_t end() const { return header.sh_addr + header.sh_size; }
};

/// What a RELRO segment may make read-only after relocation: everything else is written to later.
bool is_relro_name(std::string_view name) {
    constexpr std::array<std::string_view, 15> names{
        ".dynamic", ".got", ".got.plt", ".plt.got", ".init_array", ".fini_array", ".preinit_array", ".ctors",
        ".dtors", ".jcr", ".tdata", ".tbss", ".data.rel.ro", ".relro_padding", ".eh_frame"};
    return std::find(names.begin(), names.end(), name) != names.end() || name.starts_with(".data.rel.ro") ||
           name.starts_with(".bss.rel.ro");
}

/// Tags that a plugin may have. What is not here either means nothing to a plugin or redirects the loader (filters, auditors).
bool is_known_tag(std::int64_t tag) {
    constexpr std::array<std::int64_t, 38> known{
        DT_NEEDED,       DT_PLTRELSZ,  DT_PLTGOT,        DT_HASH,         DT_STRTAB,  DT_SYMTAB,  DT_RELA,        DT_RELASZ,
        DT_RELAENT,      DT_STRSZ,     DT_SYMENT,        DT_INIT,         DT_FINI,    DT_SONAME,  DT_RPATH,       DT_SYMBOLIC,
        DT_PLTREL,       DT_DEBUG,     DT_JMPREL,        DT_BIND_NOW,     DT_RUNPATH, DT_FLAGS,   DT_INIT_ARRAY,  DT_FINI_ARRAY,
        DT_INIT_ARRAYSZ, tag_relr,     DT_FINI_ARRAYSZ,  tag_relrsz,      tag_relrent, DT_GNU_HASH, DT_FLAGS_1,   DT_VERSYM,
        DT_RELACOUNT,    DT_VERNEED,   DT_VERNEEDNUM,    DT_VERDEF,       DT_VERDEFNUM, DT_NULL};
    // Of the processor's own: AArch64 marks its branch protection there; the last three are filters again.
    const bool of_processor = tag >= DT_LOPROC && tag < 0x7ffffffd;
    return of_processor || std::find(known.begin(), known.end(), tag) != known.end();
}

class Checker {
  public:
    explicit Checker(std::span<const std::byte> file) : file_(file) {}

    void check() {
        read_headers();
        check_loads();
        check_sections();
        check_segments();
        read_dynamic();
        check_tables();
        check_relocations();
    }

  private:
    template <typename T>
    T read(std::uint64_t offset) const {
        want(offset <= file_.size() && sizeof(T) <= file_.size() - offset, "it is truncated");
        T value;
        std::memcpy(&value, file_.data() + offset, sizeof value);
        return value;
    }

    void read_headers() {
        header_ = read<Elf64_Ehdr>(0);
        want(header_.e_shnum > 0, "it has no section headers");
        for (std::uint64_t i = 0; i < header_.e_phnum; ++i)
            segments_.push_back(read<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr)));
        const auto names = read<Elf64_Shdr>(header_.e_shoff + std::uint64_t{header_.e_shstrndx} * sizeof(Elf64_Shdr));
        for (std::uint64_t i = 1; i < header_.e_shnum; ++i) {
            const auto section = read<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr));
            if (section.sh_type == SHT_NULL) continue;
            want(section.sh_name < names.sh_size && names.sh_offset <= file_.size() && names.sh_size <= file_.size() - names.sh_offset,
                 "a section's name lies outside the names");
            const auto* text = reinterpret_cast<const char*>(file_.data() + names.sh_offset);
            const std::size_t room = names.sh_size - section.sh_name;
            sections_.push_back({std::string_view(text + section.sh_name, strnlen(text + section.sh_name, room)), section});
        }
    }

    void check_loads() {
        for (const Elf64_Phdr& segment : segments_) {
            if (segment.p_type != PT_LOAD) continue;
            want(segment.p_flags & PF_R, "a loaded segment can't be read");
            want(!(segment.p_flags & PF_W) || !(segment.p_flags & PF_X), "a loaded segment is writable and executable");
            want(std::has_single_bit(segment.p_align) && segment.p_align >= page && segment.p_align <= largest_image,
                 "a loaded segment has an odd alignment");
            want(segment.p_vaddr % segment.p_align == segment.p_offset % segment.p_align, "a loaded segment is not aligned as it says");
            want(segment.p_vaddr < largest_image && segment.p_memsz < largest_image, "it would take up more than 1 GiB of memory");
            loads_.push_back(segment);
        }
        want(!loads_.empty(), "it has nothing to load");
        want(loads_.front().p_vaddr < page && loads_.front().p_offset == 0, "it is not loaded from its beginning");
    }

    const Elf64_Phdr* load_of(std::uint64_t address, std::uint64_t length) const {
        for (const Elf64_Phdr& load : loads_)
            if (address >= load.p_vaddr && address - load.p_vaddr <= load.p_memsz && length <= load.p_memsz - (address - load.p_vaddr))
                return &load;
        return nullptr;
    }

    /// What stands at `offset` in the file is loaded at `address`, all of it.
    void check_placed(std::uint64_t address, std::uint64_t offset, std::uint64_t length, std::string_view what) const {
        const Elf64_Phdr* load = load_of(address, length);
        want(load && address - load->p_vaddr + length <= load->p_filesz && offset - load->p_offset == address - load->p_vaddr,
             fmt::format("{} is not loaded from where it stands", what));
    }

    void check_sections() const {
        for (const Section& section : sections_) {
            const Elf64_Shdr& h = section.header;
            if (!(h.sh_flags & SHF_ALLOC) || h.sh_size == 0) continue;
            if (h.sh_type == SHT_NOBITS && (h.sh_flags & SHF_TLS)) continue;  // takes up no room but in PT_TLS
            const Elf64_Phdr* load = load_of(h.sh_addr, h.sh_size);
            want(load, fmt::format("the section {} lies in no loaded segment", section.name));
            if (h.sh_type != SHT_NOBITS) check_placed(h.sh_addr, h.sh_offset, h.sh_size, section.name);
            else
                want(h.sh_addr - load->p_vaddr >= load->p_filesz, fmt::format("the section {} would not be empty", section.name));
            want(!(h.sh_flags & SHF_WRITE) || (load->p_flags & PF_W), fmt::format("the section {} could not be written", section.name));
            want(!(h.sh_flags & SHF_EXECINSTR) || (load->p_flags & PF_X), fmt::format("the section {} could not be executed", section.name));
        }
    }

    const Section* section(std::string_view name) const {
        const auto found = std::find_if(sections_.begin(), sections_.end(), [&](const Section& s) { return s.name == name; });
        return found == sections_.end() ? nullptr : &*found;
    }
    const Section* section_of_type(std::uint32_t type) const {
        const auto found = std::find_if(sections_.begin(), sections_.end(),
                                        [&](const Section& s) { return s.header.sh_type == type && (s.header.sh_flags & SHF_ALLOC); });
        return found == sections_.end() ? nullptr : &*found;
    }
    const Elf64_Phdr* segment(std::uint32_t type) const {
        const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const Elf64_Phdr& s) { return s.p_type == type; });
        return found == segments_.end() ? nullptr : &*found;
    }

    void check_segments() const {
        check_pair(segment(PT_DYNAMIC), section_of_type(SHT_DYNAMIC), "the dynamic section");
        check_pair(segment(PT_GNU_EH_FRAME), section(".eh_frame_hdr"), "the table of exception frames");
        check_tls();
        for (const Elf64_Phdr& s : segments_) {
            if (s.p_type == PT_NOTE || s.p_type == PT_GNU_PROPERTY) {
                want(s.p_filesz == s.p_memsz && (s.p_align == 4 || s.p_align == 8 || s.p_align == 1), "a segment of notes is misshapen");
                check_placed(s.p_vaddr, s.p_offset, s.p_filesz, "a segment of notes");
            } else if (s.p_type == PT_PHDR) {
                want(s.p_offset == header_.e_phoff && s.p_filesz == std::uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr),
                     "its program headers say that they stand elsewhere");
                check_placed(s.p_vaddr, s.p_offset, s.p_filesz, "the program headers");
            } else if (s.p_type == PT_GNU_RELRO) {
                check_relro(s);
            } else if (s.p_type == PT_GNU_STACK) {
                want(!(s.p_flags & PF_X), "it asks for an executable stack, which would be the whole process's");
            }
        }
        want(segment(PT_GNU_STACK) != nullptr, "it does not say that it needs no executable stack");
    }

    /// The segment is there if the section is, and says the same.
    static void check_pair(const Elf64_Phdr* segment, const Section* section, std::string_view what) {
        if (!segment && !section) return;
        want(segment && section && segment->p_vaddr == section->header.sh_addr && segment->p_offset == section->header.sh_offset &&
                 segment->p_filesz == section->header.sh_size && segment->p_memsz == section->header.sh_size,
             fmt::format("program headers and section headers disagree about {}", what));
    }

    void check_tls() const {
        std::uint64_t first = UINT64_MAX, file_end = 0, end = 0, align = 1;
        for (const Section& s : sections_) {
            if (!(s.header.sh_flags & SHF_TLS)) continue;
            first = std::min<std::uint64_t>(first, s.header.sh_addr);
            if (s.header.sh_type != SHT_NOBITS) file_end = std::max(file_end, s.end());
            end = std::max(end, s.end());
            align = std::max<std::uint64_t>(align, s.header.sh_addralign);
        }
        const Elf64_Phdr* tls = segment(PT_TLS);
        want((tls != nullptr) == (end != 0), "program headers and section headers disagree about thread-local storage");
        if (!tls) return;
        file_end = std::max(file_end, first);
        want(tls->p_vaddr == first && tls->p_filesz == file_end - first && tls->p_memsz >= end - first && tls->p_memsz - (end - first) < page &&
                 std::has_single_bit(tls->p_align) && tls->p_align >= align && tls->p_align <= page,
             "program headers and section headers disagree about thread-local storage");
        if (tls->p_filesz) check_placed(tls->p_vaddr, tls->p_offset, tls->p_filesz, "thread-local storage");
    }

    void check_relro(const Elf64_Phdr& relro) const {
        const std::uint64_t from = relro.p_vaddr / page * page;
        want(relro.p_vaddr < largest_image && relro.p_memsz < largest_image, "what becomes read-only lies outside of it");
        const std::uint64_t to = (relro.p_vaddr + relro.p_memsz) / page * page;
        const auto load = std::find_if(loads_.begin(), loads_.end(), [&](const Elf64_Phdr& l) {
            return relro.p_vaddr >= l.p_vaddr && to <= (l.p_vaddr + l.p_memsz + page - 1) / page * page;
        });
        want(load != loads_.end() && (load->p_flags & PF_W), "what becomes read-only lies in no writable segment");
        for (const Section& s : sections_) {
            const bool in_memory = (s.header.sh_flags & SHF_ALLOC) && (s.header.sh_flags & SHF_WRITE) &&
                                   !(s.header.sh_type == SHT_NOBITS && (s.header.sh_flags & SHF_TLS));
            if (!in_memory || s.header.sh_size == 0 || s.end() <= from || s.header.sh_addr >= to) continue;
            want(is_relro_name(s.name), fmt::format("the section {} would become read-only", s.name));
        }
    }

    void read_dynamic() {
        const Elf64_Phdr* dynamic = segment(PT_DYNAMIC);
        want(dynamic, "it has no dynamic section");
        want(dynamic->p_filesz % sizeof(Elf64_Dyn) == 0, "its dynamic section has an odd size");
        bool ended = false;
        for (std::uint64_t at = 0; at < dynamic->p_filesz; at += sizeof(Elf64_Dyn)) {
            const auto entry = read<Elf64_Dyn>(dynamic->p_offset + at);
            if (entry.d_tag == DT_NULL) ended = true;
            // The linker fills the rest with zeros; anything else there was cut off.
            want(!ended || (entry.d_tag == DT_NULL && entry.d_un.d_val == 0), "its dynamic section goes on after its end");
            if (ended || entry.d_tag == DT_NEEDED) continue;
            want(is_known_tag(entry.d_tag), fmt::format("its dynamic section has the tag {:#x}", entry.d_tag));
            want(dynamic_.emplace(entry.d_tag, entry.d_un.d_val).second, fmt::format("its dynamic section has the tag {:#x} twice", entry.d_tag));
        }
        want(ended, "its dynamic section does not end");
        constexpr std::uint64_t harmless = DF_ORIGIN | DF_SYMBOLIC | DF_BIND_NOW | DF_STATIC_TLS;
        constexpr std::uint64_t harmless_1 = DF_1_NOW | DF_1_NODELETE | DF_1_ORIGIN;
        want((value(DT_FLAGS) & ~harmless) == 0, "its flags ask the dynamic loader for something unusual");
        want((value(DT_FLAGS_1) & ~harmless_1) == 0, "its flags ask the dynamic loader for something unusual");
    }
    bool has(std::int64_t tag) const { return dynamic_.contains(tag); }
    std::uint64_t value(std::int64_t tag) const {
        const auto found = dynamic_.find(tag);
        return found == dynamic_.end() ? 0 : found->second;
    }

    /// Both or neither, and the same.
    void check_table(std::int64_t tag, std::int64_t size_tag, const Section* section, std::string_view what) const {
        if (section && section->header.sh_size == 0 && !has(tag)) return;
        const bool same = has(tag) == (section != nullptr) &&
                          (!section || (value(tag) == section->header.sh_addr && (size_tag == 0 || value(size_tag) == section->header.sh_size)));
        want(same, fmt::format("the dynamic section and the section headers disagree about {}", what));
    }

    void check_tables() const {
        const Section* symbols = section_of_type(SHT_DYNSYM);
        check_table(DT_SYMTAB, 0, symbols, "the symbols");
        check_table(DT_GNU_HASH, 0, section_of_type(SHT_GNU_HASH), "the hash table");
        check_table(DT_HASH, 0, section_of_type(SHT_HASH), "the hash table");
        check_table(DT_INIT_ARRAY, DT_INIT_ARRAYSZ, section_of_type(SHT_INIT_ARRAY), "the constructors");
        check_table(DT_FINI_ARRAY, DT_FINI_ARRAYSZ, section_of_type(SHT_FINI_ARRAY), "the destructors");
        check_table(DT_INIT, 0, section(".init"), "the start-up code");
        check_table(DT_FINI, 0, section(".fini"), "the closing code");
        check_table(DT_VERSYM, 0, section_of_type(SHT_GNU_versym), "the versions of symbols");
        check_table(DT_VERNEED, 0, section_of_type(SHT_GNU_verneed), "the versions that it needs");
        check_table(DT_VERDEF, 0, section_of_type(SHT_GNU_verdef), "the versions that it defines");
        check_table(tag_relr, tag_relrsz, section_of_type(section_relr), "the relative relocations");
        want(!has(tag_relr) || value(tag_relrent) == sizeof(std::uint64_t), "its relative relocations have an odd size");
        want(symbols != nullptr, "it has no section of dynamic symbols");
        want(symbols->header.sh_link > 0 && symbols->header.sh_link < header_.e_shnum, "its symbols have no names");
        const auto strings = read<Elf64_Shdr>(header_.e_shoff + std::uint64_t{symbols->header.sh_link} * sizeof(Elf64_Shdr));
        want(strings.sh_type == SHT_STRTAB && value(DT_STRTAB) == strings.sh_addr && value(DT_STRSZ) == strings.sh_size,
             "the dynamic section and the section headers disagree about the strings");
        if (const Section* versions = section_of_type(SHT_GNU_versym))
            want(versions->header.sh_size / 2 == symbols->header.sh_size / sizeof(Elf64_Sym), "its symbols and their versions are not equally many");
        if (const Section* needed = section_of_type(SHT_GNU_verneed))
            want(value(DT_VERNEEDNUM) == needed->header.sh_info, "the dynamic section and the section headers disagree about versions");
        if (has(DT_PLTGOT)) {
            const bool known = std::any_of(sections_.begin(), sections_.end(), [&](const Section& s) {
                return s.name.starts_with(".got") && value(DT_PLTGOT) >= s.header.sh_addr && value(DT_PLTGOT) < s.end();
            });
            want(known, "the dynamic section and the section headers disagree about the offset table");
        }
    }

    struct Range {
        std::uint64_t from = 0, to = 0;
    };
    /// Begins where a section of relocations begins and ends where one ends: some linkers count those of the PLT among the others.
    std::optional<Range> relocation_range(std::int64_t tag, std::int64_t size_tag) const {
        if (!has(tag)) return std::nullopt;
        const Range range{value(tag), value(tag) + value(size_tag)};
        bool begins = false, ends = false;
        for (const Section& s : sections_) {
            if (s.header.sh_type != SHT_RELA || !(s.header.sh_flags & SHF_ALLOC)) continue;
            begins = begins || s.header.sh_addr == range.from;
            ends = ends || s.end() == range.to;
        }
        want(begins && ends, "the dynamic section and the section headers disagree about relocations");
        return range;
    }

    void check_relocations() const {
        const auto all = relocation_range(DT_RELA, DT_RELASZ), of_plt = relocation_range(DT_JMPREL, DT_PLTRELSZ);
        for (const Section& s : sections_) {
            if (s.header.sh_type != SHT_RELA || !(s.header.sh_flags & SHF_ALLOC) || s.header.sh_size == 0) continue;
            const auto within = [&](const std::optional<Range>& r) { return r && s.header.sh_addr >= r->from && s.end() <= r->to; };
            want(within(all) || within(of_plt), "there are relocations that the dynamic section does not name");
        }
        want(!all || value(DT_RELAENT) == sizeof(Elf64_Rela), "its relocations have an odd size");
        want(!of_plt || value(DT_PLTREL) == DT_RELA, "its relocations are of another machine's kind");
        const std::uint64_t symbols = section_of_type(SHT_DYNSYM)->header.sh_size / sizeof(Elf64_Sym);
        std::uint64_t leading = 0;
        if (all) leading = check_range(*all, symbols);
        if (of_plt) check_range(*of_plt, symbols);
        // The loader takes so many for relative ones without looking.
        if (header_.e_machine == EM_X86_64) want(value(DT_RELACOUNT) <= leading, "it has fewer relative relocations than it says");
    }

    /// How many relative ones stand in front.
    std::uint64_t check_range(const Range& range, std::uint64_t symbols) const {
        const Elf64_Phdr* load = load_of(range.from, range.to - range.from);
        want(load && range.to - load->p_vaddr <= load->p_filesz && (range.to - range.from) % sizeof(Elf64_Rela) == 0,
             "its relocations lie outside the loaded segments");
        std::uint64_t leading = 0;
        bool counting = true;
        for (std::uint64_t at = range.from; at < range.to; at += sizeof(Elf64_Rela)) {
            const auto entry = read<Elf64_Rela>(load->p_offset + (at - load->p_vaddr));
            const std::uint64_t type = ELF64_R_TYPE(entry.r_info);
            want(ELF64_R_SYM(entry.r_info) < std::max<std::uint64_t>(symbols, 1), "a relocation is for a symbol that there is none of");
            const Elf64_Phdr* target = type == 0 ? nullptr : load_of(entry.r_offset, sizeof(std::uint64_t));
            want(type == 0 || (target && (target->p_flags & PF_W)), "a relocation points to where nothing can be written");
            if (header_.e_machine != EM_X86_64) continue;
            counting = counting && type == relative_reloc;
            leading += counting;
            if (type == irelative_reloc) {
                const Elf64_Phdr* code = load_of(static_cast<std::uint64_t>(entry.r_addend), 1);
                want(code && (code->p_flags & PF_X), "a relocation runs what is no code");
            }
        }
        return leading;
    }

    std::span<const std::byte> file_;
    Elf64_Ehdr header_{};
    std::vector<Elf64_Phdr> segments_, loads_;
    std::vector<Section> sections_;
    std::map<std::int64_t, std::uint64_t> dynamic_;
};

}  // namespace

base::Result<> check_loading(std::span<const std::byte> file) {
    try {
        Checker(file).check();
        return {};
    } catch (const Disagreement& d) {
        return base::Error(base::ErrorCode::invalid, d.what);
    }
}

}  // namespace jackfield::plugin_host
