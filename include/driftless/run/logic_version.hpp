// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_LOGIC_VERSION_HPP
#define DRIFTLESS_RUN_LOGIC_VERSION_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <link.h>

namespace driftless::inline v0 {
namespace detail {
/// Looks for the note NT_GNU_BUILD_ID in the segments of the program itself, which comes first.
inline int find_build_id(dl_phdr_info* info, std::size_t, void* into) {
    constexpr std::uint32_t build_id = 3;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        auto const& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): where the loader has put it
        auto const* at = reinterpret_cast<char const*>(info->dlpi_addr + segment.p_vaddr);
        auto const* const end = at + segment.p_memsz;
        while (end - at >= 12) {
            std::uint32_t head[3];  // lengths of name and content, kind
            std::memcpy(head, at, sizeof head);
            auto const name = (std::size_t{head[0]} + 3) / 4 * 4;
            auto const content = (std::size_t{head[1]} + 3) / 4 * 4;
            if (static_cast<std::size_t>(end - at) < sizeof head + name + content) break;
            auto const* const bytes = reinterpret_cast<unsigned char const*>(at + sizeof head + name);
            if (head[2] == build_id && head[0] == 4 && std::memcmp(at + sizeof head, "GNU", 4) == 0) {
                auto& out = *static_cast<std::string*>(into);
                for (std::uint32_t k = 0; k < head[1]; ++k) {
                    (out += "0123456789abcdef"[bytes[k] >> 4]) += "0123456789abcdef"[bytes[k] & 15];
                }
                return 1;
            }
            at += sizeof head + name + content;
        }
    }
    return 1;  // the program has none; libraries are not asked
}
}  // namespace detail

/// The build id of this program, in hexadecimal: another one after every change of its code. What a snapshot takes for
/// the version of functions that nobody has named (snapshot_options::logic_version).
///
/// Errors      None; empty if the linker left none (--build-id=none): then a changed function goes unnoticed.
/// Source      The ELF note NT_GNU_BUILD_ID, by dl_iterate_phdr.
inline std::string const& build_id() {
    static std::string const found = [] {
        std::string out;
        ::dl_iterate_phdr(&detail::find_build_id, &out);
        return out;
    }();
    return found;
}
}  // namespace driftless::inline v0
#endif
